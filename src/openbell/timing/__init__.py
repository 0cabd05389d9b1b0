"""Calendars, sessions, expected bars, and the only clocks that openbell reads."""

from __future__ import annotations

from openbell.timing.clock import Clock, SimulatedClock, Stopwatch, WallClock, stopwatch, wall_stamp
from openbell.timing.grid import ExpectedBars, Segment, SessionGrid, TradingSession
from openbell.timing.manager import TimeManager

__all__ = [
    "Clock",
    "ExpectedBars",
    "Segment",
    "SessionGrid",
    "SimulatedClock",
    "Stopwatch",
    "TimeManager",
    "TradingSession",
    "WallClock",
    "stopwatch",
    "wall_stamp",
]

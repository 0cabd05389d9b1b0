"""Calendars, sessions, expected bars, and the only clocks that openbell reads."""

from __future__ import annotations

from openbell.timing.clock import Clock, SimulatedClock, Stopwatch, WallClock, stopwatch, wall_stamp
from openbell.timing.grid import ExpectedBars, SessionGrid
from openbell.timing.time_manager import TimeManager
from openbell.timing.trading_session import Segment, TradingSession

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

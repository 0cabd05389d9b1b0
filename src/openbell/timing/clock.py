"""The session clock of a backtest, the machine's clock, and a stopwatch.

A session's clock is a simulated one. The engine's dispatcher moves it, or the dispatcher's fast path for batches of
nothing but bars.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import Protocol

from openbell.errors import CalendarError

__all__ = ["Clock", "SimulatedClock", "Stopwatch", "WallClock", "stopwatch", "today_utc", "wall_stamp"]


class Clock(Protocol):
    """Source of the current time."""

    @property
    def now_ns(self) -> int:
        """Time now, in nanoseconds since 1970 UTC."""
        ...


class SimulatedClock:
    """Clock of a backtest, which stands still until it is moved.

    Within a day it only moves forward.

    Attributes:
        now_ns: The simulated time, nanoseconds since 1970 UTC.
    """

    __slots__ = ("now_ns",)

    def __init__(self, now_ns: int = 0) -> None:
        # A plain attribute rather than a property, since every read of session data looks at it.
        self.now_ns = int(now_ns)

    def advance_to(self, ns: int) -> None:
        """Move forward to ``ns``, which may be the current time.

        Raises:
            CalendarError: ``ns`` is before the current time.
        """
        if ns < self.now_ns:
            raise CalendarError(
                f"the simulated clock cannot go back from {_utc_text(self.now_ns)} to {_utc_text(ns)}. "
                "Feed events in ascending time, or reset the clock for another day."
            )
        self.now_ns = int(ns)

    def reset(self, ns: int) -> None:
        """Set the clock for a new day, forward or back."""
        self.now_ns = int(ns)


class WallClock:
    """The machine's clock."""

    @property
    def now_ns(self) -> int:
        """Time now, in nanoseconds since 1970 UTC."""
        return time.time_ns()


class Stopwatch:
    """Measurement of durations, which starts when it is made."""

    __slots__ = ("_lap_ns", "_start_ns")

    def __init__(self) -> None:
        self._start_ns = self._lap_ns = time.perf_counter_ns()

    def lap_ms(self) -> float:
        """Return the milliseconds since the last call, or since the start, to the microsecond."""
        before, self._lap_ns = self._lap_ns, time.perf_counter_ns()
        return (self._lap_ns - before) // 1000 / 1000

    @property
    def ms(self) -> float:
        """Milliseconds since the start."""
        return (time.perf_counter_ns() - self._start_ns) / 1e6

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return (time.perf_counter_ns() - self._start_ns) / 1e9


def stopwatch() -> Stopwatch:
    """Start a stopwatch."""
    return Stopwatch()


def wall_stamp() -> str:
    """Return the machine's time in UTC as text for file names, such as ``20131010T143000.123456Z``."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def today_utc() -> date:
    """Return the machine's date in UTC."""
    return datetime.now(UTC).date()


def _utc_text(ns: int) -> str:
    seconds, rest = divmod(int(ns), 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000).isoformat()

"""`ProvisioningContext`: all that analysis, validation and provisioning may look at, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, cast

from openbell.errors import IntervalError
from openbell.market_data.completeness import has_synthetic
from openbell.model.interval import Interval, base_candidates, determine_required_base, parse_interval
from openbell.session.cursor import Cursor

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import date

    import numpy as np
    from numpy.typing import NDArray

    from openbell.config import SessionConfig
    from openbell.market_data.point_in_time import PointInTimeView
    from openbell.model.bars import BarTimes
    from openbell.provisioning.requirements import IntervalNeed
    from openbell.session import SessionData
    from openbell.timing.expected import ExpectedBars
    from openbell.timing.manager import TimeManager

__all__ = ["ProvisioningContext"]

T = TypeVar("T")

Answers = dict[tuple["Hashable", ...], object]
"""Results by question."""


def answered(known: Answers, question: tuple[Hashable, ...], answer: Callable[[], T]) -> T:
    """Return a known result, or the one that is computed now and known from here on."""
    try:
        return cast("T", known[question])
    except KeyError:
        made = known[question] = answer()
        return made


@dataclass(slots=True)
class ProvisioningContext:
    """The config, the calendar and clock, the store as known on the session's day, and what its session holds."""

    config: SessionConfig
    time_manager: TimeManager
    data_manager: PointInTimeView
    session_data: SessionData
    lasting: Answers = field(default_factory=dict)
    """What holds on all days, for contexts of the same config; see `once_for_all`."""
    start_ns: int = field(init=False)
    """When the session starts (with extended hours, before the regular open): what closed by then is history."""
    _stored: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _answers: Answers = field(default_factory=dict)

    @property
    def day(self) -> date:
        """The session's day."""
        return self.session_data.session_date

    def __post_init__(self) -> None:
        self.start_ns = self.time_manager.session(self.day).first_ns

    def stored_intervals(self, symbol: str) -> tuple[str, ...]:
        """The intervals that the store holds of a symbol, as of the last `refresh`; finest first."""
        known = self._stored.get(symbol)
        if known is None:
            known = self._stored[symbol] = self.data_manager.available_intervals(symbol)
        return known

    def refresh(self) -> None:
        """Look at the store anew: something may have been imported since."""
        self.data_manager.refresh()
        self._stored.clear()

    def base_of(self, symbol: str, interval: Interval) -> Interval:
        """The stored interval that ``interval`` of ``symbol`` comes from; the usual one when the store has none."""
        try:
            return parse_interval(determine_required_base(str(interval), self.stored_intervals(symbol)))
        except IntervalError:
            return parse_interval(base_candidates(str(interval))[0])

    def calendar_start(self, need: IntervalNeed) -> date:
        """The session in which the history of a need begins if no bar is missing.

        Raises:
            CalendarError: The calendar does not reach that far back.
        """

        def start() -> date:
            tm, sessions = self.time_manager, max(need.trailing_sessions, need.lookback_sessions)
            first = tm.session_before(self.day, sessions) if sessions else self.day
            return min(first, tm.first_session_for_bars(need.interval, need.bars, self.day)) if need.bars else first

        return self.once("start", need, answer=start)

    def session_starts(self, first: date) -> NDArray[np.int64]:
        """When the sessions from ``first`` up to, but without, the session's day begin (int64 nanoseconds, UTC)."""

        def starts() -> NDArray[np.int64]:
            grid = self.time_manager.grid(first, self.day)
            first_segments, _ = grid.segments_of_sessions()
            return grid.segment_open_ns[first_segments][:-1]

        return self.once("session starts", first, answer=starts)

    def sessions_since(self, first: date) -> int:
        """How many sessions lie before the session's day, from ``first`` on."""
        return self.once("sessions", first, answer=lambda: len(self.time_manager.grid(first, self.day)) - 1)

    def once(self, *question: Hashable, answer: Callable[[], T]) -> T:
        """What follows from days, needs and times alone, worked out once for all symbols of which it is asked."""
        return answered(self._answers, question, answer)

    def once_for_all(self, *question: Hashable, answer: Callable[[], T]) -> T:
        """What follows from the config and needs alone, worked out once for all symbols and days."""
        return answered(self.lasting, question, answer)

    def today_row(self, times: BarTimes) -> int:
        """The row of the first bar that closes after the session's start; those before it are history."""
        return self.once("today", times, answer=lambda: int(times.end.searchsorted(self.start_ns, side="right")))

    def has_synthetic(self, times: BarTimes) -> bool:
        """Whether any of the bars at these times is synthetic."""
        return self.once("synthetic", times, answer=lambda: has_synthetic(times))

    def cursor(self, times: BarTimes) -> Cursor:
        """The cursor among such times, one for all series that have them."""
        return self.once("cursor", times, answer=lambda: Cursor(times, self.time_manager.clock))

    def expected(self, interval: Interval, start_ns: int) -> tuple[ExpectedBars, ExpectedBars]:
        """The bars that the calendar expects: from ``start_ns`` up to the session's start, and those that are to close
        in the session.
        """

        def expected() -> tuple[ExpectedBars, ExpectedBars]:
            bars = self.time_manager.grid(self.time_manager.day_of(start_ns), self.day).expected_bars(interval)
            start = int(bars.start_ns.searchsorted(start_ns))
            hours = self.start_ns, self.time_manager.session(self.day).last_ns
            today, after = bars.end_ns.searchsorted(hours, side="right").tolist()
            return bars.part(start, today), bars.part(today, after)

        return self.once("expected", interval, start_ns, answer=expected)

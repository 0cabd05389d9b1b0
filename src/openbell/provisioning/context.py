"""Context of provisioning, shared by analysis, validation and steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypeVar, TypeVarTuple

from openbell.errors import IntervalError
from openbell.model.interval import Interval, base_candidates, determine_required_base, parse_interval
from openbell.session.cursor import Cursor, Memo

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import numpy as np
    from numpy.typing import NDArray

    from openbell.config import SessionConfig
    from openbell.feeds.feed import SymbolIntervals
    from openbell.market_data.point_in_time import PointInTimeView
    from openbell.model.bars import BarTimes
    from openbell.provisioning.needs import IntervalNeed
    from openbell.session import SessionData
    from openbell.timing.grid import ExpectedBars
    from openbell.timing.time_manager import TimeManager

Origin: TypeAlias = Literal["store", "feed"]
T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

_SIZE_BY_TIMES = 8
"""Size in the cache of a result that follows from times: a few columns, like this many windows of bars in memory."""

__all__ = ["Market", "Origin", "PastSessions", "ProvisioningContext", "RunScope", "StoredDay", "base_for"]


@dataclass(frozen=True, slots=True, eq=False)
class RunScope:
    """A config, with the results that follow from it on all days of a run.

    Attributes:
        config: The config.
        memo: For results that depend on no day, clock or store.
    """

    config: SessionConfig
    memo: Memo = field(default_factory=Memo)


@dataclass(frozen=True, slots=True, eq=False)
class PastSessions:
    """The sessions from one day up to, but without, the session's day.

    Attributes:
        first: The day that they are counted from.
        start_ns: When each of them begins; int64, nanoseconds since 1970 UTC.
    """

    first: date
    start_ns: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start_ns)


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """Calendar and hours of an exchange on the session's day.

    Results of its methods depend on calendar and times alone, not on the symbol and the session clock. They are called
    through `ProvisioningContext.memo`, computed once a day: ``memo(Market.today_row, market, times)``.

    Attributes:
        time_manager: The calendar.
        day: The session's day.
        start_ns: When the session starts (with extended hours, before the regular open), nanoseconds since 1970 UTC;
            what closed by then is history.
        last_ns: When the session ends, nanoseconds since 1970 UTC.
    """

    time_manager: TimeManager
    day: date
    start_ns: int
    last_ns: int

    def calendar_start(self, need: IntervalNeed) -> date:
        """Return the session in which a need begins if no bar is missing.

        Of bars of several sessions, the one that is running on the session's day is always a part of the need.

        Raises:
            CalendarError: The calendar does not reach that far back.
        """
        tm, sessions = self.time_manager, max(need.trailing_sessions, need.lookback_sessions)
        first = tm.session_before(self.day, sessions) if sessions else self.day
        if not need.interval.is_intraday:
            running, _ = tm.widened(need.interval, self.day, self.day)
            first = min(first, running)
        return min(first, tm.first_session_for_bars(need.interval, need.bars, self.day)) if need.bars else first

    def sessions_from(self, first: date) -> PastSessions:
        """Return the sessions from ``first`` up to, but without, the session's day."""
        grid = self.time_manager.grid(first, self.day)
        first_segments, _ = grid.segments_of_sessions()
        return PastSessions(first, grid.segment_open_ns[first_segments][:-1])

    def today_row(self, times: BarTimes) -> int:
        """Return the row of the first bar that closes after the session's start."""
        return int(times.end.searchsorted(self.start_ns, side="right"))

    def expected(self, interval: Interval, start_ns: int) -> tuple[ExpectedBars, ExpectedBars]:
        """Return the expected bars from ``start_ns`` up to the session's start, and those of the session."""
        bars = self.time_manager.grid(self.time_manager.day_of(start_ns), self.day).expected_bars(interval)
        start = int(bars.start_ns.searchsorted(start_ns))
        today, after = bars.end_ns.searchsorted((self.start_ns, self.last_ns), side="right").tolist()
        return bars.part(start, today), bars.part(today, after)


class StoredDay(NamedTuple):
    """The store and the calendar on the session's day, independent of session data, clock and config.

    Attributes:
        data_manager: Bars as they were known on the day.
        market: The exchange.
        memo: Results that follow from calendar and times.
    """

    data_manager: PointInTimeView
    market: Market
    memo: Memo

    def by_times(self, function: Callable[[Market, *Arguments], T], *arguments: *Arguments) -> T:
        """Return ``function(market, *arguments)``, cached.

        The result may depend only on the calendar and on times of bars.
        """
        if self.data_manager.comes_again:
            return self.data_manager.remembered(function, self.market, *arguments, size=_SIZE_BY_TIMES)
        return self.memo(function, self.market, *arguments)


@dataclass(slots=True)
class ProvisioningContext:
    """Config, calendar, data and session, as rules and steps see them.

    It is not hashable, so that no memo can cache results that depend on all of this.

    Attributes:
        run: The config, and what holds on all days.
        time_manager: The calendar and clock of the config's exchange; for those of a symbol, ask `market`.
        data_manager: Bars as they were known on the session's day.
        session_data: What the session holds.
        memo: For results that hold on this day; none depends on a symbol, on prices or on what the session holds.
        offered: Returns the intervals that a feed has of a symbol, which count instead of the stored ones; None when
            there is no feed.
    """

    run: RunScope
    time_manager: TimeManager
    data_manager: PointInTimeView
    session_data: SessionData
    memo: Memo = field(default_factory=Memo)
    offered: Callable[[str], SymbolIntervals] | None = None
    _market: Market = field(init=False)
    _stored: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _bases: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        session = self.time_manager.session(self.day)
        self._market = Market(self.time_manager, self.day, session.first_ns, session.last_ns)

    @property
    def config(self) -> SessionConfig:
        """The config."""
        return self.run.config

    @property
    def origin(self) -> Origin:
        """Source of bars of earlier days, as people call it."""
        return "store" if self.offered is None else "feed"

    @property
    def day(self) -> date:
        """The session's day."""
        return self.session_data.session_date

    def market(self, symbol: str) -> Market:  # noqa: ARG002 -- one exchange for all symbols, as long as a config has one
        """Return the exchange of a symbol on the session's day (one object per exchange)."""
        return self._market

    def stored_day(self, symbol: str) -> StoredDay:
        """Return the store and the exchange of a symbol on the session's day."""
        return StoredDay(self.data_manager, self.market(symbol), self.memo)

    def cursor(self, times: BarTimes) -> Cursor:
        """Return the cursor of the session clock over bar times, one object for the same times."""
        return self.memo(Cursor, times, self.time_manager.clock)

    def stored_intervals(self, symbol: str) -> tuple[str, ...]:
        """Return the intervals stored of a symbol as of the last `refresh`, finest first."""
        if self.offered is not None:
            return self.offered(symbol).stored
        known = self._stored.get(symbol)
        if known is None:
            known = self._stored[symbol] = self.data_manager.available_intervals(symbol)
        return known

    def base_intervals(self, symbol: str) -> tuple[str, ...]:
        """Return the stored intervals from which others can be derived.

        Their bars lie on the grid of the sessions.
        """
        if self.offered is not None:
            return self.offered(symbol).bases
        known = self._bases.get(symbol)
        if known is None:
            known = self._bases[symbol] = self.data_manager.base_intervals(symbol)
        return known

    def refresh(self) -> None:
        """Refresh what is known of the store, which may have had imports since."""
        if self.data_manager.refresh():
            self._stored.clear()
            self._bases.clear()

    def base_of(self, symbol: str, interval: Interval | str) -> Interval:
        """Return the stored base of an interval of a symbol, or its usual base if none is stored."""
        return base_for(parse_interval(str(interval)), self.base_intervals(symbol))


def base_for(interval: Interval, stored: tuple[str, ...]) -> Interval:
    """Return the stored base of an interval, or its usual base if none is stored."""
    try:
        return parse_interval(determine_required_base(str(interval), stored))
    except IntervalError:
        return parse_interval(base_candidates(str(interval))[0])

"""Feed that replays the bars of a store as if they were live."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from openbell.errors import DataError
from openbell.feeds.arrivals import Arrival
from openbell.feeds.feed import SymbolIntervals
from openbell.feeds.stored_bars import stored_bars
from openbell.market_data.data_manager import DataManager
from openbell.model.feed_events import FeedAnswer, FeedBar, FeedConnected, FeedEvent, FeedHistory
from openbell.model.interval import DAY_NS, parse_interval
from openbell.model.symbol import listed_symbols
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from openbell.actions.securities import Securities
    from openbell.feeds.arrivals import Arrivals
    from openbell.feeds.feed import HistoryRequest
    from openbell.market_data.point_in_time import PointInTimeView
    from openbell.store.store import BarStore
    from openbell.timing import TimeManager
    from openbell.timing.trading_session import TradingSession

__all__ = ["ReplayFeed"]

_BEFORE_NS = 60 * 1_000_000_000
_PAUSE_S = 0.2


class ReplayFeed:
    """Stored bars through the live path, at any speed.

    Time outside of the session clock jumps from event to event, or passes ``speed`` times as fast as the machine's.

    Args:
        store: Where the bars are.
        time_manager: The calendar.
        intervals: The intervals that the feed sends, finest first.
        speed: The seconds of the replay that pass in one second of the machine; None waits for nothing.

    Attributes:
        name: The label of the bars.
        limit: None, because a subscription may have any number of symbols.
        arrivals: The feed itself.
    """

    def __init__(
        self, store: BarStore, time_manager: TimeManager, intervals: tuple[str, ...], *, speed: float | None = None
    ) -> None:
        self.name = "replay"
        self.intervals = intervals
        self.limit: int | None = None
        self.arrivals: Arrivals = self
        self._store = store
        self._time_manager = time_manager
        self._speed = speed
        self._events: deque[FeedEvent] = deque()
        self._coming: deque[tuple[int, FeedBar]] = deque()
        self._sent: set[tuple[str, str, int]] = set()
        self._subscribed: dict[str, None] = {}
        self._now_ns = 0
        self._session: TradingSession | None = None
        self._is_woken = False
        self._bars = DataManager(store, time_manager)
        self._view: PointInTimeView
        self._securities: Securities
        self._day = 0
        self._known: dict[str, SymbolIntervals] = {}

    # Time

    @property
    def now_ns(self) -> int:
        """The time of the replay, nanoseconds since 1970 UTC."""
        return self._now_ns

    def begin(self, day: date) -> None:
        """Move the time to a minute before a session.

        If the session before ends later than that, the time is moved to its end.
        """
        tm = self._time_manager
        self._session = session = tm.session(day)
        before_ns = session.first_ns - _BEFORE_NS
        last_ns = tm.session(tm.session_before(day, 1)).last_ns if day > tm.first_day else before_ns
        self._now_ns = max(self._now_ns, last_ns, before_ns)
        self._view, self._day = self._bars.on_day(day), day_number(day)
        self._securities = self._bars.cache.facts.securities
        self._known.clear()
        self._load(self._subscribed)

    def next(self, until_ns: int) -> Arrival | None:
        """Return the next event, or None at a time or after `wake`."""
        if self._is_woken:
            self._is_woken = False
            return None
        if self._events:
            return Arrival(self._now_ns, self._events.popleft())
        if self._coming and self._coming[0][0] <= until_ns:
            if not self._wait_until(self._coming[0][0]):
                return None
            return Arrival(self._now_ns, self._coming.popleft()[1])
        self._wait_until(until_ns)
        return None

    def _wait_until(self, time_ns: int) -> bool:
        """Move the time on, and return False if `wake` has interrupted that."""
        if self._speed is not None:
            while (left := (time_ns - self._now_ns) / 1e9 / self._speed) > 0:
                pause = min(left, _PAUSE_S)
                time.sleep(pause)
                self._now_ns = min(time_ns, self._now_ns + max(1, round(pause * self._speed * 1e9)))
                if self._is_woken:
                    self._is_woken = False
                    return False
        self._now_ns = max(self._now_ns, time_ns)
        return True

    def wake(self) -> None:
        """Let `next` return None once."""
        self._is_woken = True

    # Feed

    def intervals_of(self, symbol: str) -> SymbolIntervals | None:
        """Return the intervals that the store has of a symbol on the day."""
        known = self._known.get(symbol)
        if known is None:
            view = self._view
            known = SymbolIntervals(view.available_intervals(symbol), view.base_intervals(symbol))
            self._known[symbol] = known
        return known

    def connect(self) -> None:
        """Report a connection at once."""
        self._events.append(FeedConnected())

    def subscribe(self, symbols: Iterable[str]) -> None:
        """Send the bars of further symbols that close from now on."""
        new = [symbol for symbol in listed_symbols(symbols, "subscribe") if symbol not in self._subscribed]
        held = {symbol for symbol in new if self._view.available_intervals(symbol)}
        unknown = {symbol: "the store has no bars of it" for symbol in new if symbol not in held}
        self._subscribed.update(dict.fromkeys(symbol for symbol in new if symbol in held))
        self._load(symbol for symbol in new if symbol in held)
        self._events.append(FeedAnswer(frozenset(self._subscribed), unknown))

    def unsubscribe(self, symbols: Iterable[str]) -> None:
        """Send no more bars of symbols."""
        for symbol in listed_symbols(symbols, "unsubscribe"):
            self._subscribed.pop(symbol, None)
        self._coming = deque(entry for entry in self._coming if entry[1].symbol in self._subscribed)
        self._events.append(FeedAnswer(frozenset(self._subscribed)))

    def request_history(self, request: HistoryRequest) -> None:
        """Answer with stored bars that have closed by now."""
        interval = parse_interval(request.interval)
        bars = self._read([request.symbol], request.interval, request.from_ns, request.to_ns)
        closed_ns = min(request.to_ns, self._now_ns)
        closed = [bar for bar in bars if self._end_ns(bar) <= closed_ns or bar.start_ns + interval.ns <= closed_ns]
        self._events.append(FeedHistory(request.number, closed))

    def disconnect(self) -> None:
        """Do nothing, because there is no connection."""

    def close(self) -> None:
        """Do nothing, because nothing is open."""

    def _load(self, symbols: Iterable[str]) -> None:
        """Queue the day's bars of symbols that close from now on."""
        wanted = list(symbols)
        session = self._session
        if not wanted or session is None:
            return
        found = [entry for entry in self._coming if entry[1].symbol not in wanted]
        for name in self.intervals:
            begin_ns = session.first_ns if parse_interval(name).is_intraday else day_number(session.day) * DAY_NS
            after_ns = session.last_ns if parse_interval(name).is_intraday else begin_ns + DAY_NS
            bars = self._read(wanted, name, begin_ns, after_ns)
            found += [(end_ns, bar) for bar in bars if (end_ns := self._end_ns(bar)) > self._now_ns]
        found.sort(key=lambda entry: (entry[0], parse_interval(entry[1].interval).seconds, entry[1].symbol))
        self._coming = deque(found)

    def _end_ns(self, bar: FeedBar) -> int:
        """Return the close of a bar, cut at the close of its trading segment."""
        interval = parse_interval(bar.interval)
        if self._session is None:
            raise DataError("a replay has begun no day")
        if not interval.is_intraday:
            return self._close_ns(date_of(bar.start_ns // DAY_NS))
        cuts = (part.close_ns for part in self._session.segments if part.open_ns <= bar.start_ns < part.close_ns)
        return min(bar.start_ns + interval.ns, next(cuts, self._session.last_ns))

    def _close_ns(self, day: date) -> int:
        """Return the close of a date's session, or else of its UTC day."""
        tm = self._time_manager
        is_session = tm.first_day <= day <= tm.last_day and tm.is_session(day)
        return tm.session(day).close_ns if is_session else (day_number(day) + 1) * DAY_NS

    def _read(self, symbols: list[str], interval: str, begin_ns: int, end_ns: int) -> list[FeedBar]:
        """Return stored bars of the day's symbols.

        Bars of times in which a symbol had another name keep the name that they are stored under.
        """
        never_renamed: list[str] = []
        found: list[FeedBar] = []
        for symbol in symbols:
            security = self._securities.of(symbol, self._day)
            spans = security.spans(interval)
            if len(spans) == 1 and spans[0].is_unbounded:  # the usual case
                never_renamed.append(symbol)
                continue
            named_ns = self._begin_ns(security.period.first_day, interval)
            for span in spans:
                first_ns = max(begin_ns, self._begin_ns(span.first_day, interval))
                after_ns = min(end_ns, self._begin_ns(span.last_day + 1, interval))
                bars = stored_bars(self._store, [span.stored], interval, first_ns, after_ns)
                # A feed sends bars under the symbol's name on the day, whatever they are stored under.
                found += [bar._replace(symbol=symbol) if bar.start_ns >= named_ns else bar for bar in bars]
        return found + stored_bars(self._store, never_renamed, interval, begin_ns, end_ns)

    def _begin_ns(self, day: int, interval: str) -> int:
        """Return the first start of bars of a day, which is given in days since 1970-01-01."""
        tm = self._time_manager
        is_known = day_number(tm.first_day) <= day <= day_number(tm.last_day)
        if not is_known or not parse_interval(interval).is_intraday:
            return day * DAY_NS
        return tm.session(tm.first_session_on_or_after(date_of(day))).first_ns

"""Subscriptions to a feed and requests of its history, for the symbols of a session."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from openbell.errors import CalendarError
from openbell.feeds.feed import HistoryRequest
from openbell.live.incoming.fetched_history import FetchedHistory
from openbell.live.incoming.history_reach import HistoryReach
from openbell.model.interval import DAY_NS, parse_interval
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from openbell.feeds.feed import Feed
    from openbell.live.incoming.earlier_bars import EarlierBars
    from openbell.market_data.today_bars import TodayBars
    from openbell.model.feed_events import FeedAnswer, FeedBar, FeedHistory
    from openbell.provisioning import ProvisioningContext
    from openbell.provisioning.needs import Needs
    from openbell.store.store import BarStore
    from openbell.timing import TimeManager

__all__ = ["Supply"]

_SECOND_NS = 1_000_000_000


class _Asked(NamedTuple):
    """A request for history, and what it is for.

    Attributes:
        request: The request.
        is_catch_up: Whether time waits for it, because a connection was lost.
        until: The day before which bars are asked for, None of all until now.
        is_further: Whether it reaches back to them in place of bars that are missing.
    """

    request: HistoryRequest
    is_catch_up: bool = False
    until: date | None = None
    is_further: bool = False


@dataclass(slots=True)
class _Supplied:
    """State of the subscription and history of one symbol.

    Attributes:
        since: By interval, the first day of the bars that have come or are requested.
        requests: The numbers of the requests that are not answered.
        errors: Why requests failed.
    """

    since: dict[str, date] = field(default_factory=dict)
    requests: set[int] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)


class Supply:
    """Subscribes to the symbols that a session needs, and requests their history.

    A symbol is subscribed first and its history requested after that, so that no bar between the two is missing.

    Attributes:
        acknowledged: The symbols whose subscription the feed has acknowledged.
        behind_ns: How far the machine's clock is behind that of the feed; history is requested until then.
        asked_ns: When history was requested last, nanoseconds since 1970 UTC.
        is_paused: Whether requests are only noted and not sent, because the bars are in the record of the run.
        not_fetched: The symbols and intervals of which the backfill after a lost connection failed, and why.
        morning: Bars of history that belong to the session's day, in the order in which they came.

    Args:
        feed: The feed.
        store: Receives the history of earlier days.
        today: The bars of the session's day.
        time_manager: The calendar.
        earlier: Has bars that are missing in the feed's own history; None without such a source.
    """

    def __init__(
        self,
        feed: Feed,
        store: BarStore,
        today: TodayBars,
        time_manager: TimeManager,
        earlier: EarlierBars | None = None,
    ) -> None:
        self._feed = feed
        self._today = today
        self._time_manager = time_manager
        self._symbols: dict[str, _Supplied] = {}
        self._requests: dict[int, _Asked] = {}
        self._reach = HistoryReach(today, time_manager)
        self._number = 0
        self._refused: dict[str, str] = {}
        self._answers_due = 0
        self.not_fetched: list[str] = []
        self.acknowledged: frozenset[str] = frozenset()
        self.is_paused = False
        self.behind_ns = self.asked_ns = 0
        self.morning: list[FeedBar] = []
        self._history = FetchedHistory(store, today, earlier)

    def __contains__(self, symbol: str) -> bool:
        """Return whether bars of a symbol were asked for."""
        return symbol in self._symbols

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that bars were asked for."""
        return tuple(self._symbols)

    @property
    def is_catching_up(self) -> bool:
        """Whether the backfill after a lost connection is under way."""
        return any(asked.is_catch_up for asked in self._requests.values())

    def unmet(self, symbol: str, needs: Needs, context: ProvisioningContext) -> dict[str, date]:
        """Return, by interval, the first days of bars that are needed and were never requested."""
        market, held = context.market(symbol), self._symbols.get(symbol)
        unmet: dict[str, date] = {}
        for need in needs.intervals.values():
            try:
                first = market.calendar_start(need)
            except CalendarError:
                first = market.time_manager.first_day
            base = str(need.base)
            unmet[base] = min(first, unmet.get(base, first))
        if held is None:
            return unmet
        return {name: day for name, day in unmet.items() if name not in held.since or day < held.since[name]}

    def is_sparse(self, symbol: str, interval: str) -> bool:
        """Return whether bars of a symbol are missing, in place of which the feed may have earlier ones."""
        held = self._symbols.get(symbol)
        return held is not None and self._reach.is_sparse(symbol, interval, held.since.get(interval))

    def day_before(self, symbol: str, interval: str, further_back: Callable[[date], date]) -> date:
        """Return from which day on bars are asked for next, because those that came are too few.

        Args:
            symbol: A symbol of which an interval is sparse.
            interval: The interval.
            further_back: Returns a day before another, as far as the bars that are missing ask for.
        """
        return self._reach.day_before(symbol, interval, self._symbols[symbol].since[interval], further_back)

    def refusal(self, symbol: str) -> str:
        """Return why the feed cannot send another symbol (empty when it can)."""
        limit = self._feed.limit
        if limit is None or symbol in self._symbols or len(self._symbols) < limit:
            return ""
        return f"the feed {self._feed.name} takes {limit} symbols at the most, and has {len(self._symbols)} already"

    def refuse(self, symbol: str, reason: str) -> None:
        """Note why a symbol is not subscribed."""
        self._refused[symbol] = reason

    def ask(self, unmet: Mapping[str, Mapping[str, date]], *, further: bool = False) -> None:
        """Subscribe to symbols, and request their history from the given days on, by symbol and interval.

        Args:
            unmet: The days.
            further: Whether that is because bars are missing, in place of which earlier ones would do.
        """
        new = [symbol for symbol in unmet if symbol not in self._symbols]
        for symbol in new:
            self._symbols[symbol] = _Supplied()
            self._refused.pop(symbol, None)
        if self.is_paused:
            for symbol, by_interval in unmet.items():
                self._symbols[symbol].since.update(by_interval)
            return
        if new:
            # Before the history, so that no bar closes between its last bar and the first of the stream.
            self._answers_due += 1
            self._feed.subscribe(new)
        self.asked_ns = self._feed.arrivals.now_ns
        for symbol, by_interval in unmet.items():
            for interval, first in by_interval.items():
                held = self._symbols[symbol].since.get(interval)
                self._symbols[symbol].since[interval] = first
                self._history.want(symbol, interval, first, (held or self._today.day) - timedelta(days=1))
                # Bars that were requested before are not fetched again.
                to_ns = self._now_ns if held is None else self._begin_ns(interval, held)
                begin_ns = self._begin_ns(interval, first)
                request = HistoryRequest(self._next(), symbol, interval, first, begin_ns, to_ns)
                self._request(_Asked(request, until=held, is_further=further))

    def go_on(self, since_ns: int) -> None:
        """End the pause, subscribe to all symbols that were noted, and request their bars since a time."""
        self.is_paused = False
        if self._symbols:
            self.catch_up(since_ns)

    def begin_anew(self) -> None:
        """End the pause, and forget all symbols that were noted."""
        self.is_paused = False
        self._symbols.clear()
        self._refused.clear()
        self._reach.clear()

    def catch_up(self, since_ns: int) -> None:
        """Subscribe to all symbols again, and request the bars since a time, after a connection was lost."""
        unanswered = [asked for asked in self._requests.values() if not asked.is_catch_up]
        self._requests.clear()
        for supplied in self._symbols.values():
            supplied.requests.clear()
        self._answers_due = 1  # answers of the lost connection do not come
        self._feed.subscribe(self._symbols)
        for asked in unanswered:
            self._request(asked._replace(request=asked.request._replace(number=self._next())))
        self.fetch_since(since_ns)

    def fetch_since(self, since_ns: int) -> None:
        """Request the bars of all symbols since a time, for which the session then waits."""
        self.not_fetched.clear()
        now_ns, day = self._now_ns, self._time_manager.day_of(since_ns)
        for symbol, supplied in self._symbols.items():
            for name in supplied.since:
                interval = parse_interval(name)
                # From before the loss, so that the bar that was open then is included.
                begin_ns = since_ns // _SECOND_NS * _SECOND_NS - 2 * interval.ns
                from_ns = begin_ns if interval.is_intraday else self._begin_ns(name, day)
                request = HistoryRequest(self._next(), symbol, name, day, from_ns, now_ns)
                self._request(_Asked(request, is_catch_up=True))

    @property
    def _now_ns(self) -> int:
        """The time by the clock of the feed, as far as it is known."""
        return self._feed.arrivals.now_ns + self.behind_ns

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _request(self, asked: _Asked) -> None:
        request = asked.request
        self._requests[request.number] = asked
        self._symbols[request.symbol].requests.add(request.number)
        self._feed.request_history(request)

    def _begin_ns(self, interval: str, day: date) -> int:
        """Return when the bars of a day begin, as the feed labels them."""
        if not parse_interval(interval).is_intraday:
            return day_number(day) * DAY_NS
        tm = self._time_manager
        return tm.session(tm.first_session_on_or_after(day)).first_ns

    def answered(self, answer: FeedAnswer) -> list[str]:
        """Update the acknowledged and refused symbols from the feed's answer to a subscription.

        Returns:
            The symbols that were subscribed and are not acknowledged.
        """
        self._answers_due = max(0, self._answers_due - 1)
        self.acknowledged = answer.symbols.intersection(self._symbols)
        self._refused.update(answer.refused)
        # Symbols that were subscribed meanwhile are in an answer that is still to come.
        return [] if self._answers_due else [symbol for symbol in self._symbols if symbol not in answer.symbols]

    def received(self, history: FeedHistory) -> None:
        """Keep history that has come, of earlier days for the store and of today for the session."""
        known = self._requests.pop(history.number, None)
        if known is None:
            return  # requested on a connection that was lost
        request = known.request
        supplied = self._symbols.get(request.symbol)
        if supplied is None:
            return
        supplied.requests.discard(history.number)
        if history.error and (known.is_catch_up or known.is_further):
            # Bars that are there stay; the missing ones are requested again after the next loss.
            self.not_fetched.append(f"{request.symbol} {request.interval} ({history.error})")
            if known.is_further:
                self._reach.ends(request.symbol, request.interval)
            return
        if history.error:
            supplied.errors.append(f"{request.interval} bars from {request.first} on: {history.error}")
            supplied.since.pop(request.interval, None)
            return
        if history.actions is not None:
            self._history.add_actions(history.actions)
        begin_ns = self._begin_ns(request.interval, self._today.day)
        earlier = 0
        for bar in history.bars:
            if bar.start_ns < begin_ns:
                self._history.add(bar)
                earlier += 1
            else:
                self.morning.append(bar)
        if not known.is_catch_up:
            self._reach.received(request, earlier, until=known.until)

    def take_morning(self) -> list[FeedBar]:
        """Return the bars of the session's day that came as history, and remove them from here."""
        taken, self.morning = self.morning, []
        return taken

    def store_history(self) -> bool:
        """Write the history that has come to the store, and return whether there was any.

        All of it is written in one commit.
        """
        return self._history.commit(lambda symbol: symbol in self._symbols and not self.is_stitched(symbol))

    def keep_bars(self) -> None:
        """Keep the bars of the session that is over for sessions of later runs, if the config says so."""
        if not self.is_paused:
            self._history.keep_today()

    def keep_today(self) -> None:
        """Write the bars of the day that is over to the store, as history of the next."""
        self._history.add_today()
        for symbol, supplied in self._symbols.items():
            self._reach.is_unsure(symbol, supplied.since)
        self.store_history()

    def is_complete(self, symbol: str) -> bool:
        """Return whether a symbol is acknowledged, and all of its requests are answered."""
        supplied = self._symbols.get(symbol)
        return supplied is not None and symbol in self.acknowledged and not supplied.requests

    def is_stitched(self, symbol: str) -> bool:
        """Return whether all requests of a symbol are answered.

        If they are, its history joins the stream without a gap.
        """
        supplied = self._symbols.get(symbol)
        return supplied is not None and not supplied.requests

    def error(self, symbol: str) -> str:
        """Return why the bars of a symbol are unavailable (empty while they may come)."""
        if symbol in self._refused:
            return f"{symbol} is unavailable: {self._refused[symbol]}"
        supplied = self._symbols.get(symbol)
        return "" if supplied is None else "; ".join(dict.fromkeys(supplied.errors))

    def missing(self, symbol: str) -> str:
        """Return a text that says which answers on a symbol have not come."""
        supplied = self._symbols.get(symbol)
        if supplied is None:
            return "it was never asked for"
        waits = [] if symbol in self.acknowledged else ["the feed has not acknowledged it"]
        asked = [
            f"{r.interval} bars from {r.first} on" for n, (r, *_) in self._requests.items() if n in supplied.requests
        ]
        return ", ".join([*waits, *(f"no answer about {text}" for text in asked)]) or "nothing"

    def drop(self, symbols: Iterable[str]) -> None:
        """Unsubscribe from symbols, and forget their bars of today."""
        gone = [symbol for symbol in symbols if symbol in self._symbols]
        if not gone:
            return
        for symbol in gone:
            for number in self._symbols.pop(symbol).requests:
                self._requests.pop(number, None)
            self._reach.forget(symbol)
        # If the symbol is subscribed again, it has to be acknowledged again.
        self.acknowledged -= set(gone)
        self._today.forget(gone)
        if not self.is_paused:
            self._answers_due += 1
            self._feed.unsubscribe(gone)

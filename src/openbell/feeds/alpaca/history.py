"""History of an Alpaca feed, requested by threads of its own."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openbell.errors import DataError
from openbell.feeds.alpaca.actions import ActionsOf
from openbell.feeds.alpaca.bars import date_of_bar, read_bar
from openbell.feeds.json_bars import BadRowError, utc_text
from openbell.logs import get_logger
from openbell.model.feed_events import FeedHistory, FeedMessage
from openbell.vendors.alpaca import NEW_YORK, RecentBarsRefusedError, midnight
from openbell.vendors.rate_limit import FetchStoppedError
from openbell.vendors.source import RequestRejectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    import polars as pl

    from openbell.feeds.feed import HistoryRequest
    from openbell.model.feed_events import FeedBar, FeedEvent
    from openbell.vendors.alpaca import AlpacaSource

__all__ = ["THREADS", "AlpacaHistory"]

THREADS = 4
"""The most threads, and so the most requests in flight."""

_MOST_TOGETHER = 100
_MINUTE_NS = 60_000_000_000
_DELAY_NS = 15 * _MINUTE_NS
"""The delay of history under a plan that refuses recent bars."""

_MARGIN_NS = 5_000_000_000


@dataclass(frozen=True)
class _Batch:
    """Requests that are sent as one.

    Attributes:
        requests: The requests, all of one interval and range of time.
        is_late: Whether nobody waits for an answer, so that the bars are sent like those of the stream.
    """

    requests: tuple[HistoryRequest, ...]
    is_late: bool = False


class AlpacaHistory:
    """Answers requests for history.

    Those of the same range of time are sent to the server as one.

    Where the plan gives bars only 15 minutes later, the missing ones are reported, and sent as late bars then. The last
    two minutes are requested again 20 seconds later, because history may lag behind the stream by some seconds.

    Args:
        source: The source of the bars.
        put: Takes events.
        now_ns: Returns the time, nanoseconds since 1970 UTC.
        at: Calls a function when a time is reached.
        close_of: Returns the close of the session of a date, nanoseconds since 1970 UTC; None without a session.

    Attributes:
        asked: Number of requests so far.
    """

    def __init__(
        self,
        source: AlpacaSource,
        put: Callable[[FeedEvent], None],
        now_ns: Callable[[], int],
        at: Callable[[int, Callable[[], None]], None],
        close_of: Callable[[date], int | None],
    ) -> None:
        self._source = source
        self._put = put
        self._now_ns = now_ns
        self._at = at
        self._close_of = close_of
        self._actions = ActionsOf(source)
        self._changed = threading.Condition()
        self._waiting: deque[_Batch] = deque()
        self._busy = 0
        self._threads: list[threading.Thread] = []
        self._is_stopped = False
        self._delay_ns = 0
        self.asked = 0

    @property
    def unanswered(self) -> int:
        """Number of requests that wait, and of batches in flight."""
        with self._changed:
            return len(self._waiting) + self._busy

    def ask(self, request: HistoryRequest, *, is_late: bool = False) -> None:
        """Queue a request, answered by a `FeedHistory`.

        With ``is_late``, bars are sent like those of the stream instead.
        """
        with self._changed:
            self.asked += 1
            self._waiting.append(_Batch((request,), is_late))
            if len(self._threads) < THREADS and len(self._threads) < len(self._waiting) + self._busy:
                name = f"history {len(self._threads) + 1}"
                thread = threading.Thread(target=self._run, name=name, daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify()

    def stop(self, wait_s: float) -> None:
        """Drop the requests that wait, and wait up to ``wait_s`` seconds for each thread to end."""
        with self._changed:
            self._is_stopped = True
            self._waiting.clear()
            self._changed.notify_all()
        self._source.stop()
        for thread in self._threads:
            thread.join(wait_s)
        self._source.close()

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            try:
                self._answer(batch)
            except FetchStoppedError:
                return
            except Exception:  # noqa: BLE001 -- it is logged, and reported to whoever waits
                get_logger().exception("a request for history failed")
                self._fail(batch.requests, "an error of openbell, see the log")
            finally:
                with self._changed:
                    self._busy -= 1

    def _next(self) -> _Batch | None:
        """Wait for a request, and return its batch, or None at the end.

        A batch has all waiting requests of the same range of time, up to a number.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_stopped)
            if self._is_stopped:
                return None
            first = self._waiting.popleft()
            together = [s for s in self._waiting if _key(s) == _key(first)][: _MOST_TOGETHER - 1]
            for one in together:
                self._waiting.remove(one)
            self._busy += 1
            requests = tuple(request for one in (first, *together) for request in one.requests)
            return _Batch(requests, first.is_late)

    def _answer(self, batch: _Batch) -> None:
        """Request the bars of a batch, and send an event for each of its requests."""
        try:
            bars = self._bars(batch)
        except RequestRejectedError as exc:
            if len(batch.requests) == 1:
                self._fail(batch.requests, str(exc))
                return
            for request in batch.requests:  # one by one, because one of the symbols may be the reason
                self._answer(_Batch((request,), batch.is_late))
            return
        except DataError as exc:
            self._fail(batch.requests, str(exc))
            return
        actions = {} if batch.is_late else self._actions_of(batch.requests)
        for request in batch.requests:
            own = bars.get(request.symbol, [])
            if batch.is_late:
                for bar in own:
                    self._put(bar)
            else:
                self._put(FeedHistory(request.number, own, actions=actions.get(request.symbol)))

    def _actions_of(self, requests: Sequence[HistoryRequest]) -> dict[str, pl.DataFrame]:
        today = datetime.fromtimestamp(self._now_ns() / 1e9, NEW_YORK).date()
        found, words = self._actions.of([request.symbol for request in requests], requests[0].first, today)
        if words:
            self._put(FeedMessage(words))
        return found

    def _bars(self, batch: _Batch) -> dict[str, list[FeedBar]]:
        """Return the closed bars that the plan gives by now.

        Requests for bars that it does not give yet are scheduled.
        """
        request = batch.requests[0]
        if request.interval == "1d":
            return self._fetched(batch, request.to_ns)
        delay_ns, limited_ns = self._delay_ns, self._limit_ns(request)
        try:
            bars = self._fetched(batch, limited_ns)
        except RecentBarsRefusedError:
            if delay_ns:  # the request kept to the delay already; the attribute may be newer, by another thread
                raise
            self._delay_ns = _DELAY_NS
            limited_ns = self._limit_ns(request)
            bars = self._fetched(batch, limited_ns)
        if limited_ns < request.to_ns:
            self._report_missing(batch, limited_ns)
        elif not batch.is_late and request.to_ns > self._now_ns() - _MINUTE_NS:
            self._schedule_late(batch.requests, request.to_ns - 2 * _MINUTE_NS, request.to_ns, _RECHECK_NS)
        return bars

    def _limit_ns(self, request: HistoryRequest) -> int:
        """Return the time up to which the plan gives bars.

        It is at most the end of the request.
        """
        if not self._delay_ns:
            return request.to_ns
        return min(request.to_ns, (self._now_ns() - self._delay_ns - _MARGIN_NS) // _MINUTE_NS * _MINUTE_NS)

    def _report_missing(self, batch: _Batch, limited_ns: int) -> None:
        """Report the bars that the plan does not give yet, and schedule requests for them."""
        first = batch.requests[0]
        from_ns = max(limited_ns, first.from_ns)
        wait_ns = first.to_ns - limited_ns + _MARGIN_NS
        self._schedule_late(batch.requests, from_ns, first.to_ns, wait_ns)
        names = [request.symbol for request in batch.requests]
        shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
        until = utc_text((self._now_ns() + wait_ns) // 1_000_000_000)
        self._put(
            FeedMessage(
                f"the plan's history is {self._delay_ns // _MINUTE_NS} minutes behind: the minutes from "
                f"{utc_text(from_ns // 1_000_000_000)} to {utc_text(first.to_ns // 1_000_000_000)} of {shown} are not "
                f"there yet. They are asked for again at {until}, and come as late bars"
            )
        )

    def _schedule_late(self, requests: Iterable[HistoryRequest], from_ns: int, to_ns: int, wait_ns: int) -> None:
        """Request 1m bars after a wait, to be sent as late bars."""
        late = [request._replace(number=0, from_ns=max(from_ns, request.from_ns), to_ns=to_ns) for request in requests]

        def ask() -> None:
            if not self._is_stopped:
                for request in late:
                    self.ask(request, is_late=True)

        self._at(self._now_ns() + wait_ns, ask)

    def _fetched(self, batch: _Batch, to_ns: int) -> dict[str, list[FeedBar]]:
        """Fetch the requested bars that have closed by a time, by symbol in ascending time."""
        request = batch.requests[0]
        is_daily = request.interval == "1d"
        start = midnight(request.first) if is_daily else _time(request.from_ns)
        end = _time(to_ns if is_daily else to_ns - _MINUTE_NS)
        if end < start:
            return {}
        symbols = list(dict.fromkeys(each.symbol for each in batch.requests))
        rows = self._source.rows(symbols, request.interval, start, end)
        bars: dict[str, list[FeedBar]] = {}
        for symbol in symbols:
            found: dict[int, FeedBar] = {}
            bad: list[str] = []
            for row in rows.get(symbol, ()):
                try:
                    bar = read_bar(symbol, request.interval, row)
                except BadRowError as exc:
                    bad.append(str(exc))
                    continue
                if self._is_asked(bar, request, to_ns):
                    found[bar.start_ns] = bar
            bars[symbol] = [found[start_ns] for start_ns in sorted(found)]
            if bad:
                self._put(FeedMessage(f"{len(bad)} bars of history are left out; the first: {bad[0]}"))
        return bars

    def _is_asked(self, bar: FeedBar, request: HistoryRequest, to_ns: int) -> bool:
        if request.interval != "1d":
            return request.from_ns <= bar.start_ns <= to_ns - _MINUTE_NS
        day = date_of_bar(bar)
        close_ns = self._close_of(day)
        return day >= request.first and (bar.start_ns if close_ns is None else close_ns) <= to_ns

    def _fail(self, requests: Sequence[HistoryRequest], error: str) -> None:
        for request in requests:
            if request.number:
                self._put(FeedHistory(request.number, error=error))
            else:
                self._put(FeedMessage(f"{request.symbol}: minutes that were missing are unavailable: {error}"))


_RECHECK_NS = 20_000_000_000


def _key(batch: _Batch) -> tuple[object, ...]:
    """Return the properties that requests of one batch have in common."""
    one = batch.requests[0]
    return batch.is_late, one.interval, one.first, one.from_ns, one.to_ns


def _time(time_ns: int) -> datetime:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC)

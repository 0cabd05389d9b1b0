"""A fetch of the bars that a store is missing.

Each answer of the source is stored as it arrives.
"""

from __future__ import annotations

from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING

from openbell.actions import ActionStore
from openbell.actions.table import check_actions
from openbell.errors import DamagedFileError, DataError
from openbell.importers.import_report import store_checked
from openbell.logs import get_logger
from openbell.model.interval import parse_interval
from openbell.model.symbol import listed_symbols
from openbell.store.layout import require_symbol
from openbell.store.write_report import WriteReport
from openbell.vendors.answer_checks import require_interval, with_reasons, wrong_actions
from openbell.vendors.answered_sessions import AnsweredSessions
from openbell.vendors.answers import answers
from openbell.vendors.fetch_plan import plan_requests
from openbell.vendors.fetch_report import FetchReport
from openbell.vendors.source import RequestRejectedError
from openbell.vendors.unavailable_sessions import UnavailableSessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    import polars as pl

    from openbell.store.store import BarStore
    from openbell.timing.time_manager import TimeManager
    from openbell.vendors.answers import Answer
    from openbell.vendors.fetch_plan import FetchRequest
    from openbell.vendors.source import BarSource

__all__ = ["fetch"]

_SYMBOLS_AT_ONCE = 50


def fetch(
    source: BarSource,
    store: BarStore,
    symbols: Sequence[str],
    interval: str,
    sessions: Sequence[date],
    time_manager: TimeManager,
    *,
    again: bool = False,
    refresh: bool = False,
    actions: bool = True,
    workers: int = 8,
    advanced: Callable[[int, int, str], None] | None = None,
) -> FetchReport:
    """Fetch the bars of some sessions that the store is missing, and their corporate actions.

    Each complete answer is stored at once, so that an interrupted fetch, begun again, requests only the rest.

    Args:
        source: The source of the bars.
        store: The store to fill; made when the first bars arrive.
        symbols: The symbols to fetch.
        interval: "1m" or "1d".
        sessions: The dates of the wanted sessions; ascending and consecutive.
        time_manager: The calendar of the sessions.
        again: Whether to request everything, even sessions that the store has; bars that differ become revisions.
        refresh: Whether to request again sessions that the source had no bars of before.
        actions: Whether to fetch corporate actions.
        workers: The number of requests in flight at once.
        advanced: Called at the start and after each batch of answers with (number of answers, number of requests, a
            label of the last answered request).

    Raises:
        SourceRefusedError: The source refuses the account; answers before that are stored.
        DamagedFileError: A file that records what the store has cannot be read.
        StoreError: A symbol is not valid in a store.
    """
    wanted, interval = listed_symbols(symbols, "fetch"), str(parse_interval(interval))
    for symbol in wanted:
        require_symbol(symbol)
    unavailable = {} if again or refresh else UnavailableSessions(store.path).sessions(source.origin, interval)
    plan = plan_requests(store, wanted, interval, sessions, time_manager, again=again, unavailable=unavailable)
    get_logger(source=source.name).info(
        "requests planned", requests=len(plan.requests), sessions_held=plan.held, unavailable=plan.unavailable
    )
    report = FetchReport(requests=len(plan.requests), held=plan.held, unavailable=plan.unavailable)
    running = _Fetch(
        source, store, report, AnsweredSessions(sessions, time_manager), time_manager, deque(plan.requests)
    )
    try:
        running.run(workers, advanced)
    finally:
        running.answered.remember(store, source.origin, interval)
    running.report_missing(interval, sessions)
    known = [symbol for symbol in wanted if store.intervals(symbol)]
    if actions and sessions and known:
        running.fetch_actions(known, sessions)
    return report


class _Fetch:
    """One fetch in progress, with its pending requests and its report."""

    def __init__(
        self,
        source: BarSource,
        store: BarStore,
        report: FetchReport,
        answered: AnsweredSessions,
        time_manager: TimeManager,
        requests: deque[FetchRequest],
    ) -> None:
        self._source = source
        self._store = store
        self._report = report
        self.answered = answered
        self._time_manager = time_manager
        self._requests = requests

    def run(self, workers: int, advanced: Callable[[int, int, str], None] | None) -> None:
        """Send all requests, and store the answers."""
        report = self._report
        if advanced is not None:
            advanced(0, report.requests, "")
        with closing(answers(self._source, self._requests, workers)) as arriving:
            for done in arriving:
                self._take(done)
                report.answered += len(done)
                if advanced is not None and done:
                    last = done[-1][0]
                    advanced(report.answered, report.requests, f"{last.symbols[0]} {last.first:%Y-%m}")

    def _take(self, done: Sequence[Answer]) -> None:
        """Store the bars of answers, report failures, and split rejected requests into halves to send again."""
        frames: list[tuple[FetchRequest, str, pl.DataFrame]] = []
        for request, answer in done:
            _log_answer(self._source.name, request, answer)
            if isinstance(answer, RequestRejectedError) and len(request.symbols) > 1:
                self._requests.extend(request.halves())
                self._report.requests += 2
            elif isinstance(answer, DataError):
                for symbol in request.symbols:
                    self._report.fail(symbol, str(answer))
            else:
                frames += self._admitted(request, answer)
        if frames:
            self._write(frames)

    def _admitted(
        self, request: FetchRequest, answer: Mapping[str, pl.DataFrame]
    ) -> Iterator[tuple[FetchRequest, str, pl.DataFrame]]:
        """Yield the bars of an answer by symbol, with reasons for bad ones.

        Bad bars are those that do not fit the request.
        """
        good: dict[str, pl.DataFrame] = {}
        for symbol, bars in answer.items():
            if symbol not in request.symbols:
                self._report.unasked += len(bars)
                continue
            judged = with_reasons(bars, request, self._time_manager.timezone, self._time_manager.now_ns)
            asked = judged.filter(judged["reason"].is_null())
            try:
                require_interval(asked, request.interval)
            except DataError as exc:
                self._report.fail(symbol, str(exc))
                continue
            good[symbol] = asked
            if len(judged):
                yield request, symbol, judged
        self.answered.note(request, good)

    def _write(self, frames: Sequence[tuple[FetchRequest, str, pl.DataFrame]]) -> None:
        """Store good bars, and put bad ones into the quarantine."""
        bars = self._report.bars
        with self._store.writer() as writer:
            for (_, interval, first, _), symbol, frame in frames:
                series = bars.of(symbol, interval)
                raw = frame.drop("reason")
                name = f"{self._source.name.lower()}-{symbol}-{interval}-{first}"
                try:
                    bars.set_aside_in(store_checked(writer, self._store.backing.scratch, series, frame, raw, name))
                except DamagedFileError as exc:
                    self._report.fail(symbol, str(exc))
                series.files += 1

    def report_missing(self, interval: str, sessions: Sequence[date]) -> None:
        """Report sessions without bars.

        Of a symbol that the store has no bars of at all, they are a failure.
        """
        for symbol, days in self.answered.without.items():
            if interval in self._store.intervals(symbol):
                if days:
                    self._report.empty[symbol] = len(days)
            elif days:
                span = f"from {sessions[0]} to {sessions[-1]}"
                self._report.fail(
                    symbol,
                    f"{self._source.name} has no {interval} bars of it {span}. Is the symbol right, and was it listed?",
                )

    def fetch_actions(self, symbols: Sequence[str], sessions: Sequence[date]) -> None:
        """Fetch and store the corporate actions of some symbols over the range of the sessions."""
        report = self._report
        report.actions = WriteReport()
        for begin in range(0, len(symbols), _SYMBOLS_AT_ONCE):
            asked = symbols[begin : begin + _SYMBOLS_AT_ONCE]
            try:
                found = self._source.actions(asked, sessions[0], sessions[-1])
                wrong = wrong_actions(found.frame, asked, sessions[0], sessions[-1])
                report.unasked_actions += int(wrong.sum())
                checked = check_actions(found.frame.filter(~wrong))
                report.actions += ActionStore(self._store.path).write(checked.good)
            except DataError as exc:
                report.fail("corporate actions", str(exc))
                return
            report.bad_actions.update(dict(checked.bad["reason"].value_counts().iter_rows()))
            for kind, count in found.others.items():
                report.other_actions[kind] = report.other_actions.get(kind, 0) + count


def _log_answer(source: str, request: FetchRequest, answer: Mapping[str, pl.DataFrame] | DataError) -> None:
    first, *others = request.symbols
    symbols = first if not others else f"{first} and {len(others)} more"
    outcome = {"error": str(answer)} if isinstance(answer, DataError) else {"bars": sum(map(len, answer.values()))}
    get_logger(source=source).info(
        "answered", symbols=symbols, first=str(request.first), last=str(request.last), **outcome
    )

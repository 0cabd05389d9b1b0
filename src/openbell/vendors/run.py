"""`fetch`: asks a source for what a store lacks in several threads, and stores each answer as it comes."""

from __future__ import annotations

from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from openbell.actions import ActionStore
from openbell.actions.table import check_actions
from openbell.errors import DamagedFileError, DataError
from openbell.importers.report import ImportReport, store_checked
from openbell.logs import get_logger
from openbell.store.writer import WriteReport
from openbell.vendors.answered import Answered
from openbell.vendors.plan import Request, plan_requests
from openbell.vendors.unavailable import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from datetime import date

    import polars as pl
    from structlog.typing import FilteringBoundLogger

    from openbell.store.store import BarStore
    from openbell.timing.manager import TimeManager

__all__ = ["BarSource", "FetchReport", "FetchedActions", "SourceRefusedError", "fetch"]

_SYMBOLS_AT_ONCE = 50
_AHEAD = 2


class RequestRejectedError(DataError):
    """The source does not take a request as it is; without some of its symbols, it may."""


class SourceRefusedError(DataError):
    """The source refuses the account, so that it makes no sense to ask it anything else."""


@dataclass(frozen=True)
class FetchedActions:
    """Corporate actions as a source told them.

    Attributes:
        frame: The columns of `ACTION_SCHEMA`, and ``line``.
        others: By kind, how many actions there are that openbell does not apply, such as mergers.
    """

    frame: pl.DataFrame
    others: Mapping[str, int]


class BarSource(Protocol):
    """A vendor; asked from several threads at once."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def origin(self) -> str:
        """Whom one asks, and for what: what it has no bars of, another origin may have."""
        ...

    def bars(self, symbols: Sequence[str], interval: str, first: date, last: date) -> Mapping[str, pl.DataFrame]:
        """Raw bars of the dates from first to last by symbol: the columns of `BAR_SCHEMA`, and ``line``."""
        ...

    def actions(self, symbols: Sequence[str], first: date, last: date) -> FetchedActions:
        """Corporate actions with an ex-date from first to last."""
        ...

    def stop(self) -> None:
        """End what waits."""
        ...


@dataclass
class FetchReport:
    """What a fetch did.

    Attributes:
        bars: What became of the bars, per symbol and interval; a source's answers count as files.
        requests: How many requests were planned; likewise answered.
        held: Sessions of a symbol that were in the store already and were not asked for.
        unavailable: Sessions of a symbol that were not asked for, because the source had no bars of them before.
        empty: By symbol, sessions that the source has no bars of although the store has bars of other sessions.
        failed: (symbol, reason) of what could not be had; the rest is stored.
        actions: Corporate actions added, revised and unchanged; None when they were not asked for.
        other_actions: By kind, actions that openbell does not apply.
        bad_actions: Corporate actions that contradict themselves and were not stored.
    """

    bars: ImportReport = field(default_factory=ImportReport)
    requests: int = 0
    answered: int = 0
    held: int = 0
    unavailable: int = 0
    empty: dict[str, int] = field(default_factory=dict)
    failed: list[tuple[str, str]] = field(default_factory=list)
    actions: WriteReport | None = None
    other_actions: dict[str, int] = field(default_factory=dict)
    bad_actions: int = 0

    def fail(self, subject: str, reason: str) -> None:
        """Note what could not be had, once."""
        if (subject, reason) not in self.failed:
            self.failed.append((subject, reason))


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
    """Fetch what the store lacks of the bars of some sessions, and their corporate actions.

    Every answer is stored when it is complete; a fetch that was interrupted, begun again, asks only for the rest.

    Args:
        source: Where to ask.
        store: Where the bars go; made when the first of them come.
        symbols: Which.
        interval: "1m" or "1d".
        sessions: The dates of the sessions that are wanted; ascending, without a session left out between them.
        time_manager: Their calendar.
        again: Ask for everything, also for what is there; differing bars are revised.
        refresh: Ask for everything that is not there, also for what the source had no bars of before.
        actions: Whether to fetch corporate actions.
        workers: How many requests are under way at once.
        advanced: Told at the start and after each answer: (answers, requests in all, what was answered last).

    Raises:
        SourceRefusedError: The source refuses the account; what came before is stored.
        DamagedFileError: A file of the store that tells what is there cannot be read.
    """
    wanted = list(dict.fromkeys(symbols))
    unavailable = {} if again or refresh else Unavailable(store.path).sessions(source.origin, interval)
    plan = plan_requests(store, wanted, interval, sessions, time_manager, again=again, unavailable=unavailable)
    log = get_logger(source=source.name)
    log.info("to be asked", requests=len(plan.requests), sessions_held=plan.held, unavailable=plan.unavailable)
    report = FetchReport(requests=len(plan.requests), held=plan.held, unavailable=plan.unavailable)
    if advanced is not None:
        advanced(0, report.requests, "")
    answered, requests = Answered(sessions, time_manager), deque(plan.requests)
    try:
        with closing(_answers(source, requests, workers)) as answers:
            for done in answers:
                for request, answer in done:
                    _log_answer(log, request, answer)
                _store(done, requests, answered, report, source, store)
                report.answered += len(done)
                if advanced is not None and done:
                    last = done[-1][0]
                    advanced(report.answered, report.requests, f"{last.symbols[0]} {last.first:%Y-%m}")
    finally:
        answered.remember(store, source.origin, interval)
    report.empty = {symbol: len(days) for symbol, days in answered.lacking.items() if days}
    _tell_unknown(source, store, report, interval, sessions)
    known = [symbol for symbol in wanted if store.intervals(symbol)]
    if actions and sessions and known:
        _fetch_actions(source, store, known, sessions, report)
    return report


_Answer = tuple[Request, "Mapping[str, pl.DataFrame] | DataError"]


def _answers(source: BarSource, requests: deque[Request], workers: int) -> Generator[list[_Answer]]:
    """What the source answers, as it comes; few requests are sent ahead, so that few answers wait in memory.

    Requests that are added meanwhile are sent, too.
    """
    pending: dict[Future[Mapping[str, pl.DataFrame]], Request] = {}
    with ThreadPoolExecutor(workers) as pool:
        try:
            while True:
                while requests and len(pending) < workers * _AHEAD:
                    request = requests.popleft()
                    pending[pool.submit(source.bars, *request)] = request
                if not pending:
                    return
                done, _ = wait(pending, return_when=FIRST_COMPLETED)
                outcomes = [(pending.pop(future), _outcome(future)) for future in done]
                yield [(request, answer) for request, answer in outcomes if not isinstance(answer, SourceRefusedError)]
                for _, answer in outcomes:
                    if isinstance(answer, SourceRefusedError):
                        raise answer
        finally:
            if pending:
                source.stop()
                for future in pending:
                    future.cancel()


def _outcome(future: Future[Mapping[str, pl.DataFrame]]) -> Mapping[str, pl.DataFrame] | DataError:
    try:
        return future.result()
    except DataError as exc:
        return exc


def _log_answer(log: FilteringBoundLogger, request: Request, answer: Mapping[str, pl.DataFrame] | DataError) -> None:
    first, *others = request.symbols
    symbols = first if not others else f"{first} and {len(others)} more"
    outcome = {"error": str(answer)} if isinstance(answer, DataError) else {"bars": sum(map(len, answer.values()))}
    log.info("answered", symbols=symbols, first=str(request.first), last=str(request.last), **outcome)


def _store(
    done: Sequence[_Answer],
    requests: deque[Request],
    answered: Answered,
    report: FetchReport,
    source: BarSource,
    store: BarStore,
) -> None:
    """Write answers, note which were none, and ask once more what was not taken, of fewer symbols."""
    frames: list[tuple[Request, str, pl.DataFrame]] = []
    for request, answer in done:
        if isinstance(answer, RequestRejectedError) and len(request.symbols) > 1:
            requests.extend(request.halves())
            report.requests += 2
        elif isinstance(answer, DataError):
            for symbol in request.symbols:
                report.fail(symbol, str(answer))
        else:
            answered.note(request, answer)
            frames += ((request, symbol, frame) for symbol, frame in answer.items() if len(frame))
    if not frames:
        return
    with store.writer() as writer:
        for (_, interval, first, _), symbol, frame in frames:
            series = report.bars.of(symbol, interval)
            name = f"{source.name.lower()}-{symbol}-{interval}-{first}"
            try:
                report.bars.set_aside_in(store_checked(writer, store.path, series, frame, frame, name))
            except DamagedFileError as exc:
                report.fail(symbol, str(exc))
            series.files += 1


def _tell_unknown(
    source: BarSource, store: BarStore, report: FetchReport, interval: str, sessions: Sequence[date]
) -> None:
    """A symbol of which there was no bar at all may be a slip."""
    for symbol in [symbol for symbol in report.empty if interval not in store.intervals(symbol)]:
        del report.empty[symbol]
        span = f"from {sessions[0]} to {sessions[-1]}"
        report.fail(
            symbol, f"{source.name} has no {interval} bars of it {span}. Is the symbol right, and was it listed?"
        )


def _fetch_actions(
    source: BarSource, store: BarStore, symbols: Sequence[str], sessions: Sequence[date], report: FetchReport
) -> None:
    report.actions = WriteReport()
    for begin in range(0, len(symbols), _SYMBOLS_AT_ONCE):
        try:
            found = source.actions(symbols[begin : begin + _SYMBOLS_AT_ONCE], sessions[0], sessions[-1])
            checked = check_actions(found.frame)
            report.actions += ActionStore(store.path).write(checked.good)
        except DataError as exc:
            report.fail("corporate actions", str(exc))
            return
        report.bad_actions += checked.bad.height
        for kind, count in found.others.items():
            report.other_actions[kind] = report.other_actions.get(kind, 0) + count

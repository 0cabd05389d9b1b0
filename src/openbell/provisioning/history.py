"""How far back a series must reach to hold the history asked for, counted in bars that exist."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.errors import CalendarError, DataError
from openbell.model.bars import Bars
from openbell.provisioning.requirements import HistoryProof

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from numpy.typing import NDArray

    from openbell.model.bars import BarTimes
    from openbell.model.interval import Interval
    from openbell.provisioning.context import ProvisioningContext
    from openbell.provisioning.requirements import IntervalNeed, ProvisioningRequirements

__all__ = ["measured_from", "prefetch", "prove_history", "run_starts", "starts_after"]

_FEWEST_SESSIONS_FURTHER = 5


def prefetch(needs: Iterable[tuple[str, IntervalNeed]], context: ProvisioningContext) -> None:
    """Read what the needs of many symbols take in one scan per base interval.

    What cannot be had is passed over here, and told when the needs are proved one by one.
    """
    asking: dict[IntervalNeed, list[str]] = {}  # most symbols need the same
    for symbol, need in needs:
        if str(need.base) in context.stored_intervals(symbol):
            asking.setdefault(need, []).append(symbol)
    symbols: dict[str, dict[str, None]] = {}
    first: dict[str, date] = {}
    for need, those in asking.items():
        base = str(need.base)
        with suppress(CalendarError):
            first[base] = min(first.get(base, context.day), context.calendar_start(need))
            symbols.setdefault(base, {}).update(dict.fromkeys(those))
    for base, wanted in symbols.items():
        with suppress(DataError):
            context.data_manager.prefetch(tuple(wanted), base, first[base], context.day)


def prove_history(
    symbol: str, need: IntervalNeed, context: ProvisioningContext, together: Iterable[IntervalNeed] = ()
) -> HistoryProof:
    """Find where the run of an interval starts so that it holds the history asked for, as far as the store has it.

    Begins where the calendar says and goes further back as long as bars are missing.

    Args:
        symbol: The symbol.
        need: The interval, and the history that is asked for.
        context: Where bars are looked for.
        together: The needs of the whole requirement: runs that are to start together are looked at from one day on.

    Raises:
        DamagedFileError: A file of the store that is needed cannot be read.
    """
    coverage = context.data_manager.coverage(symbol, str(need.base))
    available_from = coverage.first.date() if coverage else None
    first = context.once("first", need, *together, answer=lambda: _first_to_look_at(need, together, context))
    while True:
        run = _load(symbol, need, first, context)
        extent = _extent(need, run.times, first, context)
        short_bars, short_sessions = need.bars - extent.all_bars, need.lookback_sessions - extent.all_sessions
        if (short_bars <= 0 and short_sessions <= 0) or available_from is None or first <= available_from:
            break
        try:
            first = _further_back(need, first, short_bars, short_sessions, context)
        except CalendarError:  # the calendar ends before so many bars: what the store has is all there can be
            first = context.time_manager.first_session_on_or_after(available_from)
    return HistoryProof(need, *extent.proven, available_from=available_from, run=run)


def _first_to_look_at(need: IntervalNeed, together: Iterable[IntervalNeed], context: ProvisioningContext) -> date:
    first = context.calendar_start(need)
    for other in together:
        if need.interval.is_intraday and other.interval.is_intraday and other.base == need.base:
            with suppress(CalendarError):
                first = min(first, context.calendar_start(other))
    return first


class _Extent(NamedTuple):
    """What a run of bars is as history for a need.

    Attributes:
        all_bars: Bars of history that warm an indicator up, from the first one on.
        all_sessions: Sessions of history that have bars.
        proven: The numbers of a `HistoryProof`: of the part that the need reaches back to.
    """

    all_bars: int
    all_sessions: int
    proven: tuple[int, date, int, int, int, int]


def _extent(need: IntervalNeed, times: BarTimes, first: date, context: ProvisioningContext) -> _Extent:
    """How far back a run of such times, which begins with the session ``first``, serves a need."""
    now_ns = context.time_manager.now_ns
    return context.once(
        "extent", need, times, first, now_ns, answer=lambda: _measure_extent(need, times, first, context)
    )


def _measure_extent(need: IntervalNeed, times: BarTimes, first: date, context: ProvisioningContext) -> _Extent:
    today_row = context.today_row(times)
    begins, after = _rows_of_sessions(times, today_row, first, context)
    warming = _rows_that_warm_up(times, context)
    past = warming[: int(warming.searchsorted(today_row))]
    start = _start_row(need, times, today_row, past, begins, context)
    start_ns = int(times.timestamp[start]) if start < len(times) else context.start_ns
    closed = int(times.end.searchsorted(context.time_manager.now_ns, side="right"))
    proven = (
        start_ns,
        context.time_manager.day_of(start_ns),
        len(past) - int(past.searchsorted(start)),
        len(after) - int(after.searchsorted(start, side="right")),
        int(warming.searchsorted(closed)),
        len(times) - today_row,
    )
    return _Extent(len(past), len(begins), proven)


def run_starts(req: ProvisioningRequirements) -> dict[str, int]:
    """By interval, where the runs of a requirement start: a base and all that is built from it within a session start
    together, so that no bar of the finest is without its derived one; daily and longer bars reach back by themselves.

    Only intervals that validation has proved are in it.
    """
    shared: dict[Interval, int] = {}
    for proof in req.proofs.values():
        if proof.need.interval.is_intraday:
            base = proof.need.base
            shared[base] = min(shared.get(base, proof.start_ns), proof.start_ns)
    return {
        name: shared[proof.need.base] if proof.need.interval.is_intraday else proof.start_ns
        for name, proof in req.proofs.items()
    }


def starts_after(run: Bars, start_ns: int, proof: HistoryProof) -> bool:
    """Whether a run that is there begins later than it should, or is empty although there are bars."""
    return int(run.timestamp[0]) > start_ns if len(run) else proof.bars + proof.session_bars > 0


def measured_from(name: str, run: Bars, req: ProvisioningRequirements, context: ProvisioningContext) -> int:
    """From when on a run is measured, nanoseconds since 1970 UTC: from its first bar, or from the first of the sessions
    that were asked for, as far as the store reaches back: what is missing there is a gap.
    """
    begins = int(run.timestamp[0]) if len(run) else context.start_ns
    proof = req.proofs.get(name)
    if proof is None or proof.available_from is None:
        return begins
    together = [proof.need]
    if proof.need.interval.is_intraday:
        together = [
            p.need for p in req.proofs.values() if p.need.base == proof.need.base and p.need.interval.is_intraday
        ]
    trailing = max(need.trailing_sessions for need in together)
    if not trailing:
        return begins
    tm = context.time_manager
    asked = max(tm.session_before(context.day, trailing), tm.first_session_on_or_after(proof.available_from))
    return min(begins, tm.session(asked).first_ns)


def _load(symbol: str, need: IntervalNeed, first: date, context: ProvisioningContext) -> Bars:
    manager = context.data_manager
    if str(need.base) not in context.stored_intervals(symbol):
        return Bars.empty()
    return manager.load_historical_bars(symbol, str(need.interval), first, context.day, base=str(need.base))


def _rows_that_warm_up(times: BarTimes, context: ProvisioningContext) -> NDArray[np.intp]:
    """The rows that warm an indicator up: all but synthetic ones, unless indicators are to see those."""
    if context.config.session_data_config.indicators_see_filled or not context.has_synthetic(times):
        return np.arange(len(times))
    return np.flatnonzero(times.count)


def _further_back(
    need: IntervalNeed, first: date, short_bars: int, short_sessions: int, context: ProvisioningContext
) -> date:
    tm = context.time_manager
    further = tm.session_before(first, max(short_sessions, _FEWEST_SESSIONS_FURTHER))
    if short_bars > 0:
        further = min(further, tm.first_session_for_bars(str(need.interval), 2 * short_bars, first))
    return further


def _start_row(
    need: IntervalNeed,
    times: BarTimes,
    today_row: int,
    warming: NDArray[np.intp],
    begins: NDArray[np.intp],
    context: ProvisioningContext,
) -> int:
    """The first row that some part of the need reaches back to."""
    start = today_row
    if need.bars and len(warming):
        start = int(warming[-min(need.bars, len(warming))])
    if need.trailing_sessions:
        first_trailing = context.time_manager.session_before(context.day, need.trailing_sessions)
        trailing_ns = context.time_manager.session(first_trailing).first_ns
        start = min(start, int(times.timestamp.searchsorted(trailing_ns)))
    if need.lookback_sessions and len(begins):
        start = min(start, int(begins[max(len(begins) - need.lookback_sessions, 0)]))
    return start


def _rows_of_sessions(
    times: BarTimes, today_row: int, first: date, context: ProvisioningContext
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first row, and the row after the last, of each session from ``first`` up to today's that has bars."""
    begins = times.timestamp.searchsorted(context.session_starts(first))
    rows = np.minimum(np.append(begins, today_row), today_row)
    has_bars = rows[1:] > rows[:-1]
    return rows[:-1][has_bars], rows[1:][has_bars]

"""Search for the start of a history, counted in bars that exist."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.errors import CalendarError, DataError
from openbell.model.bars import Bars
from openbell.model.interval import parse_interval
from openbell.provisioning.context import Market

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from numpy.typing import NDArray

    from openbell.model.bars import BarTimes
    from openbell.model.interval import Interval
    from openbell.provisioning.context import PastSessions, ProvisioningContext
    from openbell.provisioning.needs import IntervalNeed
    from openbell.store.store import Coverage

__all__ = ["HistoryProof", "find_history", "measured_from", "prefetch", "series_starts"]

_FEWEST_SESSIONS_FURTHER = 5
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, eq=False)
class HistoryProof:
    """Bars stored for an `IntervalNeed` that have closed by the session clock.

    Attributes:
        need: What was asked for.
        start_ns: Start of the first bar that the need reaches back to, nanoseconds since 1970 UTC; the session's start
            when there is none.
        first_session: The session of that bar.
        bars: Bars of history that warm up, from there on.
        sessions: Sessions of history that have bars, from there on.
        visible_bars: Bars that have closed by the session clock, as far back as was looked for.
        available_from: The first day that the store has of its base; None when none has closed yet.
        stored_from_ns: Start of the first bar that the store has of its base, nanoseconds since 1970 UTC; likewise.
    """

    need: IntervalNeed
    start_ns: int
    first_session: date
    bars: int
    sessions: int
    visible_bars: int
    available_from: date | None
    stored_from_ns: int | None


def prefetch(needs: Iterable[tuple[str, IntervalNeed]], context: ProvisioningContext) -> None:
    """Read what the needs of many symbols take in one scan per base interval.

    What cannot be had is passed over here, and reported when the needs are proved one by one.
    """
    asking: dict[IntervalNeed, list[str]] = {}  # most symbols need the same
    for symbol, need in needs:
        if str(need.base) in context.base_intervals(symbol):
            asking.setdefault(need, []).append(symbol)
    symbols: dict[str, dict[str, None]] = {}
    first: dict[str, date] = {}
    for need, those in asking.items():
        base = str(need.base)
        with suppress(CalendarError):
            start = context.memo(Market.calendar_start, context.market(those[0]), need)
            first[base] = min(first.get(base, context.day), start)
            symbols.setdefault(base, {}).update(dict.fromkeys(those))
    for base, wanted in symbols.items():
        with suppress(DataError):
            context.data_manager.prefetch(tuple(wanted), base, first[base], context.day)


def find_history(
    symbol: str, need: IntervalNeed, together: tuple[IntervalNeed, ...], context: ProvisioningContext
) -> tuple[HistoryProof, Bars]:
    """Find the start from which a series holds the history asked for, as far as it is stored.

    Begins where the calendar says and goes further back as long as bars are missing. Bars that have not closed by the
    session clock are read, because a backtest has them at hand, and count for nothing.

    Args:
        symbol: The symbol.
        need: The interval, and the history that is asked for.
        together: All needs of the addition: series that are to start together are read from one day on.
        context: Where bars are looked for.

    Returns:
        The proof, and the bars that were read for it: of whole sessions, through today.

    Raises:
        DamagedFileError: A file of the store that is needed cannot be read.
    """
    market = context.market(symbol)
    sees_filled = context.config.session_data_config.indicators_see_filled
    coverage = context.data_manager.coverage(symbol, str(need.base))
    begun = coverage is not None and coverage.first < market.time_manager.get_current_time()
    stored_from = _first_session(coverage, market) if coverage is not None and begun else None
    first = context.memo(_first_to_read, market, need, together)
    while True:
        bars = _read(symbol, need, first, context)
        past = context.memo(Market.sessions_from, market, first)
        extent = context.memo(_measure_extent, market, need, bars.times, past, market.now_ns, sees_filled)
        short_bars, short_sessions = need.bars - extent.all_bars, need.lookback_sessions - extent.all_sessions
        if (short_bars <= 0 and short_sessions <= 0) or stored_from is None or first <= stored_from:
            break
        try:
            first = _further_back(need, first, short_bars, short_sessions, market)
        except CalendarError:  # the calendar ends before so many bars: what the store has is all there can be
            first = market.time_manager.first_session_on_or_after(stored_from)
    # On the first day that is stored, nothing is known before a bar has closed.
    available_from = stored_from if extent.visible_bars or (stored_from and stored_from < market.day) else None
    stored_from_ns = (
        (coverage.first - _EPOCH) // _MICROSECOND * 1_000
        if coverage is not None and available_from is not None
        else None
    )
    start_ns, first_session, history_bars, sessions = extent.proven
    proof = HistoryProof(
        need, start_ns, first_session, history_bars, sessions, extent.visible_bars, available_from, stored_from_ns
    )
    return proof, bars


def series_starts(histories: Mapping[str, HistoryProof]) -> dict[str, int]:
    """Return by interval where its series starts, nanoseconds since 1970 UTC.

    A base and all that is built from it within a session start together, so that no bar of the finest is without its
    derived one; daily and longer bars reach back by themselves.
    """
    shared: dict[Interval, int] = {}
    for proof in histories.values():
        if proof.need.interval.is_intraday:
            base = proof.need.base
            shared[base] = min(shared.get(base, proof.start_ns), proof.start_ns)
    return {
        name: shared[proof.need.base] if proof.need.interval.is_intraday else proof.start_ns
        for name, proof in histories.items()
    }


def measured_from(name: str, begins_ns: int, histories: Mapping[str, HistoryProof], market: Market) -> int:
    """Return from when on the completeness of a series is measured, nanoseconds since 1970 UTC.

    That is from the first bar of its history, or from the first of the sessions that were asked for, as far as the
    store reaches back: what is missing there is a gap. Before the first stored bar nothing is missing, also where that
    is in mid-session, as of a symbol that was listed then.

    Args:
        name: The interval of the series.
        begins_ns: When its first bar of history begins; when the session starts, if it has none.
        histories: What the store has for it and for the series that start together with it.
        market: Its exchange.
    """
    proof = histories.get(name)
    if proof is None or proof.available_from is None or proof.stored_from_ns is None:
        return begins_ns
    together = [proof.need]
    if proof.need.interval.is_intraday:
        needs = (other.need for other in histories.values())
        together = [n for n in needs if n.base == proof.need.base and n.interval.is_intraday]
    trailing = max(need.trailing_sessions for need in together)
    if not trailing:
        return begins_ns
    tm = market.time_manager
    asked = max(tm.session_before(market.day, trailing), tm.first_session_on_or_after(proof.available_from))
    start_ns = tm.session(asked).first_ns
    return min(begins_ns, max(start_ns, proof.stored_from_ns) if proof.need.base.is_intraday else start_ns)


def _first_session(coverage: Coverage, market: Market) -> date:
    """Return the session of the first stored bar, or the date of a daily one."""
    tm, first = market.time_manager, coverage.first.date()
    # Sessions may begin on the date before theirs, in UTC or at the exchange.
    if not parse_interval(coverage.interval).is_intraday or first < tm.first_day:
        return first
    return tm.day_of(int(coverage.first.timestamp()) * 1_000_000_000)


def _first_to_read(market: Market, need: IntervalNeed, together: tuple[IntervalNeed, ...]) -> date:
    first = market.calendar_start(need)
    for other in together:
        if need.interval.is_intraday and other.interval.is_intraday and other.base == need.base:
            with suppress(CalendarError):
                first = min(first, market.calendar_start(other))
    return first


def _read(symbol: str, need: IntervalNeed, first: date, context: ProvisioningContext) -> Bars:
    if str(need.base) not in context.base_intervals(symbol):
        return Bars.empty()
    last = context.market(symbol).day
    return context.data_manager.load_historical_bars(symbol, str(need.interval), first, last, base=str(need.base))


def _further_back(need: IntervalNeed, first: date, short_bars: int, short_sessions: int, market: Market) -> date:
    tm = market.time_manager
    further = tm.session_before(first, max(short_sessions, _FEWEST_SESSIONS_FURTHER))
    if short_bars > 0:
        further = min(further, tm.first_session_for_bars(str(need.interval), 2 * short_bars, first))
    return further


class _Extent(NamedTuple):
    """Measures of bars as history for a need.

    Attributes:
        all_bars: Bars of history that warm an indicator up, from the first one on.
        all_sessions: Sessions of history that have bars.
        visible_bars: Bars that warm up and have closed by the session clock.
        proven: Of the part that the need reaches back to: its start, its first session, its bars and its sessions.
    """

    all_bars: int
    all_sessions: int
    visible_bars: int
    proven: tuple[int, date, int, int]


def _measure_extent(
    market: Market, need: IntervalNeed, times: BarTimes, past: PastSessions, now_ns: int, sees_filled: bool
) -> _Extent:
    """Measure how far back bars of such times, read from the first of the past sessions on, serve a need."""
    today_row = market.today_row(times)
    begins, after = _rows_of_sessions(times, today_row, past)
    # Synthetic bars warm nothing up, unless indicators are to see them.
    warming = np.arange(len(times)) if sees_filled or not times.has_synthetic else np.flatnonzero(times.count)
    history = warming[: int(warming.searchsorted(today_row))]
    start = _start_row(need, times, today_row, history, begins, market)
    start_ns = int(times.timestamp[start]) if start < today_row else market.start_ns
    proven = (
        start_ns,
        market.time_manager.day_of(start_ns),
        len(history) - int(history.searchsorted(start)),
        len(after) - int(after.searchsorted(start, side="right")),
    )
    closed = int(times.end.searchsorted(now_ns, side="right"))
    return _Extent(len(history), len(begins), int(warming.searchsorted(closed)), proven)


def _start_row(
    need: IntervalNeed,
    times: BarTimes,
    today_row: int,
    warming: NDArray[np.intp],
    begins: NDArray[np.intp],
    market: Market,
) -> int:
    """Return the first row that some part of the need reaches back to."""
    start = today_row
    if need.bars and len(warming):
        start = int(warming[-min(need.bars, len(warming))])
    if need.trailing_sessions:
        first_trailing = market.time_manager.session_before(market.day, need.trailing_sessions)
        trailing_ns = market.time_manager.session(first_trailing).first_ns
        start = min(start, int(times.timestamp.searchsorted(trailing_ns)))
    if need.lookback_sessions and len(begins):
        start = min(start, int(begins[max(len(begins) - need.lookback_sessions, 0)]))
    return start


def _rows_of_sessions(times: BarTimes, today_row: int, past: PastSessions) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first row, and the row after the last, of each past session that has bars."""
    begins = times.timestamp.searchsorted(past.start_ns)
    rows = np.minimum(np.append(begins, today_row), today_row)
    has_bars = rows[1:] > rows[:-1]
    return rows[:-1][has_bars], rows[1:][has_bars]

"""Search for the start of a history, counted in bars that exist."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.errors import CalendarError, DataError, OpenbellError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from openbell.model.bars import Bars, BarTimes
    from openbell.model.interval import Interval
    from openbell.provisioning.context import Market, PastSessions, ProvisioningContext, StoredDay
    from openbell.provisioning.needs import IntervalNeed, Needs

__all__ = [
    "FoundHistory",
    "HistoryProof",
    "find_histories",
    "further_back",
    "measured_from",
    "prefetch",
    "series_starts",
]

_FEWEST_SESSIONS_FURTHER = 5
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, eq=False)
class HistoryProof:
    """Bars stored for an `IntervalNeed` that have closed by the session clock.

    It names no symbol: symbols with the same times and needs share one object, by which results are cached.

    Attributes:
        need: What was asked for.
        start_ns: Start of the first bar that the need reaches back to, nanoseconds since 1970 UTC; the session's start
            when there is none.
        first_session: The session of that bar.
        bars: Bars of history that count for warm-up, from there on.
        sessions: Sessions of history that have bars, from there on.
        visible_bars: Bars that count for warm-up and have closed by the session clock, from the first one read.
        available_from: The first day that the store has of its base; None when none has closed yet.
        stored_from_ns: Start of the first bar that the store has of its base, nanoseconds since 1970 UTC; None when
            none has closed yet.
        asked_ns: Start of the first trailing session that is asked for, of this series or one that starts together with
            it, but not before the first stored bar; nanoseconds since 1970 UTC, None when no sessions are asked for.
    """

    need: IntervalNeed
    start_ns: int
    first_session: date
    bars: int
    sessions: int
    visible_bars: int
    available_from: date | None
    stored_from_ns: int | None
    asked_ns: int | None


FoundHistory = tuple[HistoryProof, "Bars"]
"""Proof of what the store has of an interval, and the bars that were read for it."""


def prefetch(needed: Iterable[tuple[str, Needs]], context: ProvisioningContext) -> None:
    """Read the bars that many symbols need into the cache, in one scan per base interval.

    Errors are passed over here, and reported when the needs are validated.
    """
    asking: dict[tuple[Needs, tuple[str, ...]], list[str]] = {}  # most symbols need the same
    for symbol, needs in needed:
        asking.setdefault((needs, context.base_intervals(symbol)), []).append(symbol)
    wanted = tuple(
        (tuple(symbols), tuple(needs.intervals.values()), bases) for (needs, bases), symbols in asking.items()
    )
    # What was read for an earlier run over the same day is in the cache.
    context.data_manager.remembered(_prefetch, context.stored_day(""), wanted)


def _prefetch(
    day: StoredDay, wanted: tuple[tuple[tuple[str, ...], tuple[IntervalNeed, ...], tuple[str, ...]], ...]
) -> None:
    symbols: dict[str, dict[str, None]] = {}
    first: dict[str, date] = {}
    for names, needs, bases in wanted:
        for need in needs:
            base = str(need.base)
            if base not in bases:
                continue
            with suppress(CalendarError):
                first[base] = min(first.get(base, day.market.day), day.market.calendar_start(need))
                symbols.setdefault(base, {}).update(dict.fromkeys(names))
    for base, named in symbols.items():
        with suppress(DataError):
            day.data_manager.prefetch(tuple(named), base, first[base], day.market.day)


def find_histories(
    symbols: Sequence[str], name: str, needs: Needs, day: StoredDay, now_ns: int, *, sees_filled: bool
) -> list[FoundHistory | OpenbellError]:
    """Find the start from which series hold the history asked for, as far as it is stored.

    The search begins on the day that the calendar gives, and goes further back as long as bars are missing. Bars that
    have not closed by the session clock are read, because a backtest needs them later, and do not count.

    Args:
        symbols: The symbols, of one exchange and stored in the same intervals.
        name: The interval.
        needs: All needs of the additions: series that are to start together are read from the same day on.
        day: Where bars are looked for.
        now_ns: The session clock, nanoseconds since 1970 UTC.
        sees_filled: Whether synthetic bars count for warm-up.

    Returns:
        Per symbol, the proof and the bars that were read for it (of whole sessions, through today), or the error for
        which its bars cannot be read. Symbols whose bars have the same times share a proof.
    """
    market, base = day.market, str(needs.intervals[name].base)
    try:
        stored_starts = _stored_starts(symbols, base, day, now_ns)
        asking = {day.memo(_first_to_read, market, needs, name): list(range(len(symbols)))}
    except OpenbellError as error:
        return [error] * len(symbols)
    found: dict[int, FoundHistory | OpenbellError] = {}
    while asking:
        first, places = asking.popitem()
        read = day.data_manager.load_bars_of([symbols[n] for n in places], name, first, market.day, base=base)
        judged: dict[tuple[BarTimes, datetime | None], _Judgement] = {}
        for place, bars in zip(places, read, strict=True):
            if isinstance(bars, OpenbellError):
                found[place] = bars
                continue
            key = bars.times, stored_starts[place]
            judgement = judged.get(key)
            if judgement is None:
                extent = day.memo(_measure_extent, market, needs, name, bars.times, first, now_ns, sees_filled)
                judgement = judged[key] = day.memo(_judge, market, needs, name, extent, stored_starts[place])
            if judgement.further is None:
                found[place] = judgement.proof, bars
            else:
                asking.setdefault(judgement.further, []).append(place)
    return [found[place] for place in range(len(symbols))]


def _stored_starts(symbols: Sequence[str], base: str, day: StoredDay, now_ns: int) -> list[datetime | None]:
    """Return when the first stored bar of each symbol begins, None unless that is before now."""
    now = _EPOCH + _MICROSECOND * (now_ns // 1_000)
    firsts = day.data_manager.first_stored(symbols, base)
    return [None if first is None or first >= now else first for first in firsts]


def series_starts(histories: Mapping[str, HistoryProof]) -> dict[str, int]:
    """Return the start of each series by interval, nanoseconds since 1970 UTC.

    Intraday series of one base start together, so that every base bar has its derived ones. Daily and longer series
    start by themselves.
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


def measured_from(name: str, begins_ns: int, histories: Mapping[str, HistoryProof]) -> int:
    """Return the time from which the completeness of a series is measured, nanoseconds since 1970 UTC.

    That is the first bar of its history, or the first session that was asked for if that is earlier, but not before the
    first stored bar. From there on missing bars are gaps; a symbol that was listed in mid-session has none before.

    Args:
        name: The interval of the series.
        begins_ns: When its first bar of history begins; when the session starts, if it has none.
        histories: What the store has, by interval.
    """
    proof = histories.get(name)
    return begins_ns if proof is None or proof.asked_ns is None else min(begins_ns, proof.asked_ns)


class _Judgement(NamedTuple):
    """Proof by the bars that were read, and the day to read from for more.

    The day is None when they suffice, or when the store has no more.
    """

    proof: HistoryProof
    further: date | None


def _judge(market: Market, needs: Needs, name: str, extent: _Extent, stored_first: datetime | None) -> _Judgement:
    """Judge whether the bars that were read of an interval suffice.

    ``stored_first`` is the start of the first stored bar of its base.
    """
    need, first = needs.intervals[name], extent.first
    stored_from = None if stored_first is None else _first_session(stored_first, need, market)
    # On the first day that is stored, nothing is known before a bar has closed.
    is_available = stored_from and (extent.visible_bars or stored_from < market.day)
    stored_from_ns = (stored_first - _EPOCH) // _MICROSECOND * 1_000 if stored_first and is_available else None
    proof = HistoryProof(
        need,
        extent.start_ns,
        extent.first_session,
        extent.bars,
        extent.sessions,
        extent.visible_bars,
        available_from=stored_from if is_available else None,
        stored_from_ns=stored_from_ns,
        asked_ns=_asked_ns(_together(needs, need), stored_from, stored_from_ns, market),
    )
    short_bars, short_sessions = need.bars - extent.all_bars, need.lookback_sessions - extent.all_sessions
    if (short_bars <= 0 and short_sessions <= 0) or stored_from is None or first <= stored_from:
        return _Judgement(proof, None)
    try:
        return _Judgement(proof, further_back(need, first, short_bars, short_sessions, market))
    except CalendarError:  # the calendar ends before so many bars: what the store has is all there can be
        return _Judgement(proof, market.time_manager.first_session_on_or_after(stored_from))


def _first_session(stored_first: datetime, need: IntervalNeed, market: Market) -> date:
    """Return the session of the first stored bar, or the date of a daily one."""
    tm, first = market.time_manager, stored_first.date()
    # Sessions may begin on the date before theirs, in UTC or at the exchange.
    if not need.base.is_intraday or first < tm.first_day:
        return first
    return tm.day_of(int(stored_first.timestamp()) * 1_000_000_000)


def _together(needs: Needs, need: IntervalNeed) -> list[IntervalNeed]:
    """Return the needs whose series start together with that of a need, itself included."""
    if not need.interval.is_intraday:
        return [need]
    return [other for other in needs.intervals.values() if other.interval.is_intraday and other.base == need.base]


def _asked_ns(
    needs: list[IntervalNeed], stored_from: date | None, stored_from_ns: int | None, market: Market
) -> int | None:
    """Return the start of the trailing sessions asked for, but not before the first stored bar, or None."""
    tm, asked = market.time_manager, []
    for need in needs:
        if need.trailing_sessions:
            with suppress(CalendarError):  # a need that reaches back before the calendar is refused elsewhere
                asked.append(tm.session_before(market.day, need.trailing_sessions))
    if not asked or stored_from is None or stored_from_ns is None:
        return None
    start_ns = tm.session(max(min(asked), tm.first_session_on_or_after(stored_from))).first_ns
    return max(start_ns, stored_from_ns) if needs[0].base.is_intraday else start_ns


def _first_to_read(market: Market, needs: Needs, name: str) -> date:
    need = needs.intervals[name]
    first = market.calendar_start(need)
    for other in _together(needs, need):
        with suppress(CalendarError):
            first = min(first, market.calendar_start(other))
    return first


def further_back(need: IntervalNeed, first: date, short_bars: int, short_sessions: int, market: Market) -> date:
    """Return the day from which on bars are looked for next, because those since another are too few.

    Args:
        need: What is asked for.
        first: The day since which they were looked for.
        short_bars: How many bars are missing; none if not above 0.
        short_sessions: How many sessions with bars are missing, likewise.
        market: The exchange.

    Raises:
        CalendarError: The calendar does not reach that far back.
    """
    tm = market.time_manager
    further = tm.session_before(first, max(short_sessions, _FEWEST_SESSIONS_FURTHER))
    if short_bars > 0:
        further = min(further, tm.first_session_for_bars(str(need.interval), 2 * short_bars, first))
    return further


@dataclass(frozen=True, slots=True, eq=False)
class _Extent:
    """Measures of bars as history for a need.

    Attributes:
        first: The day that the bars were read from.
        all_bars: Bars of history that count for warm-up, from the first that was read.
        all_sessions: Sessions of history that have bars.
        visible_bars: As in `HistoryProof`.
        start_ns: As in `HistoryProof`.
        first_session: As in `HistoryProof`.
        bars: As in `HistoryProof`.
        sessions: As in `HistoryProof`.
    """

    first: date
    all_bars: int
    all_sessions: int
    visible_bars: int
    start_ns: int
    first_session: date
    bars: int
    sessions: int


def _measure_extent(
    market: Market, needs: Needs, name: str, times: BarTimes, first: date, now_ns: int, sees_filled: bool
) -> _Extent:
    """Measure how far back bars that were read from a day on meet the need of an interval."""
    need, today_row = needs.intervals[name], market.today_row(times)
    begins, after = _rows_of_sessions(times, today_row, market.sessions_from(first))
    # Synthetic bars do not count for warm-up unless indicators see them.
    warming = np.arange(len(times)) if sees_filled or not times.has_synthetic else np.flatnonzero(times.count)
    history = warming[: int(warming.searchsorted(today_row))]
    start = _start_row(need, times, today_row, history, begins, market)
    start_ns = int(times.timestamp[start]) if start < today_row else market.start_ns
    closed = int(times.end.searchsorted(now_ns, side="right"))
    return _Extent(
        first,
        all_bars=len(history),
        all_sessions=len(begins),
        visible_bars=int(warming.searchsorted(closed)),
        start_ns=start_ns,
        first_session=market.time_manager.day_of(start_ns),
        bars=len(history) - int(history.searchsorted(start)),
        sessions=len(after) - int(after.searchsorted(start, side="right")),
    )


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

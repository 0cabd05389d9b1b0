"""Texts about bars that are missing from an addition's history, without its symbol.

They depend on needs and times only, so that symbols with the same ones share them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.errors import CalendarError
from openbell.market_data.completeness import longest_by_chance
from openbell.provisioning.history_search import measured_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from openbell.model.bars import BarTimes
    from openbell.model.interval import Interval
    from openbell.provisioning.context import Market, Origin, StoredDay
    from openbell.provisioning.history_search import HistoryProof
    from openbell.provisioning.needs import IndicatorNeed, IntervalNeed, Needs

__all__ = ["hole_warnings", "lookback_shortfalls", "other_shortfalls"]

_SHORTEST_NS = 5 * 60_000_000_000
"""Time after the open from which a first bar counts as in mid-session, and the shortest hole that is reported."""
_MOST_SHOWN = 3


def lookback_shortfalls(
    market: Market, needs: Needs, histories: tuple[HistoryProof, ...], origin: Origin
) -> tuple[str, ...]:
    """Describe the indicators for whose first value bars are missing."""
    return tuple(
        f"{indicator.key} needs {needed} of {indicator.interval}, has {found}: "
        f"{_where_bars_begin(proof, market, origin)}"
        for indicator, proof in _with_history(needs, histories)
        for needed, found in _missing_for_lookback(indicator, proof)
    )


def _with_history(needs: Needs, histories: tuple[HistoryProof, ...]) -> Iterator[tuple[IndicatorNeed, HistoryProof]]:
    """Iterate over the indicators whose interval has a history, each with that history."""
    proofs = {proof.need.interval: proof for proof in histories}
    for indicator in needs.indicators:
        if indicator.interval in proofs:
            yield indicator, proofs[indicator.interval]


def _missing_for_lookback(indicator: IndicatorNeed, proof: HistoryProof) -> Iterator[tuple[str, int]]:
    """Iterate over what an indicator has too little of for its first value.

    Yields what it needs, and how much of that there is.
    """
    if proof.visible_bars < indicator.valid_after:
        yield f"{indicator.valid_after} bars", proof.visible_bars
    elif proof.sessions < indicator.lookback_sessions:
        yield f"{indicator.lookback_sessions} earlier sessions", proof.sessions


def _where_bars_begin(proof: HistoryProof, market: Market, origin: Origin) -> str:
    if proof.available_from is None:
        return f"the {origin} has no {proof.need.base} bars before {market.day}"
    begins = f"the {origin}'s {proof.need.base} bars begin {proof.available_from}"
    listed = _listed_in_mid_session(proof, market)
    return f"{begins} at {listed}, in mid-session: was it listed then?" if listed else begins


def _listed_in_mid_session(proof: HistoryProof, market: Market) -> str:
    """Return the local time of the first stored bar if that is in mid-session, else an empty text."""
    tm, first_ns = market.time_manager, proof.stored_from_ns
    if first_ns is None or not proof.need.base.is_intraday:
        return ""
    try:
        session = tm.session(tm.day_of(first_ns))
    except CalendarError:  # before the calendar
        return ""
    in_mid_session = session.first_ns + _SHORTEST_NS <= first_ns < session.last_ns
    return f"{tm.to_local(first_ns):%H:%M}" if in_mid_session else ""


def other_shortfalls(
    market: Market, needs: Needs, histories: tuple[HistoryProof, ...], times: tuple[BarTimes, ...], origin: Origin
) -> tuple[str, ...]:
    """Describe what is less than was asked for, apart from lookbacks.

    ``times`` are those of the bars that were read for each of the histories.
    """
    found = list(_unsettled(needs, histories))
    base = next((proof for proof in histories if str(proof.need.interval) == needs.base_interval), None)
    # A feed is asked for no more than is needed: what was not asked for is not missing.
    if base is not None and base.available_from is None and (origin == "store" or _asks_for_history(base.need)):
        found.append(f"{base.need.base}: no bars before {market.day}")
    for proof, read in zip(histories, times, strict=True):
        found += _history_shortfalls(proof, read, market, origin)
    return tuple(found)


def _unsettled(needs: Needs, histories: tuple[HistoryProof, ...]) -> Iterator[str]:
    for indicator, proof in _with_history(needs, histories):
        if indicator.settling is None:
            yield f"{indicator.key} is cumulative: it never settles, and counts from its first bar on"
        elif indicator.valid_after <= proof.visible_bars < indicator.settled_after:
            yield (
                f"{indicator.key} settles after {indicator.settled_after} bars of {indicator.interval} and has "
                f"{proof.visible_bars}: its starting point still shows"
            )


def _history_shortfalls(proof: HistoryProof, times: BarTimes, market: Market, origin: Origin) -> Iterator[str]:
    name = proof.need.interval
    if (proof.need.bars or proof.need.lookback_sessions) and _is_of_sessions(proof):
        past = market.sessions_from(proof.first_session)
        if (empty := len(past) - proof.sessions) > 0:
            count = "1 session since then has" if empty == 1 else f"{empty} sessions since then have"
            days = _days_by_name(_empty_sessions(proof, times, market))
            yield f"{name}: the warm-up reaches back to {proof.first_session}, because {count} no bars: {days}"
    if proof.bars < proof.need.trailing_bars:
        where = _where_bars_begin(proof, market, origin)
        yield f"{name}: {proof.need.trailing_bars} trailing bars were asked for, {proof.bars} are there ({where})"
    if proof.sessions < proof.need.trailing_sessions and (text := _trailing_shortfall(proof, market, origin)):
        yield f"{name}: {text}"
    elif proof.stored_from_ns == proof.start_ns and _listed_in_mid_session(proof, market):
        yield f"{name}: {_where_bars_begin(proof, market, origin)}"


def _trailing_shortfall(proof: HistoryProof, market: Market, origin: Origin) -> str:
    """Describe the trailing sessions that are missing (empty when none is)."""
    # Bars of several sessions are not counted against sessions.
    asked, tm = proof.need.trailing_sessions, market.time_manager
    begun = proof.available_from is not None and tm.first_session_on_or_after(proof.available_from)
    late = not begun or tm.session_before(market.day, asked) < begun
    if _is_of_sessions(proof):
        text = f"{asked} trailing sessions were asked for, {proof.sessions} have bars"
        return f"{text} ({_where_bars_begin(proof, market, origin)})" if late else text
    if late:
        return f"{asked} trailing sessions were asked for, but {_where_bars_begin(proof, market, origin)}"
    if not proof.sessions:
        return f"no whole {proof.need.interval} bar lies in {asked} trailing sessions; ask for more, to have one"
    return ""


def _is_of_sessions(proof: HistoryProof) -> bool:
    """Return whether every session of the calendar should have a bar of its own."""
    interval = proof.need.interval
    return interval.is_intraday or str(interval) == "1d"


def hole_warnings(
    histories: Mapping[str, HistoryProof], times: Mapping[str, BarTimes], day: StoredDay, now_ns: int
) -> Iterator[str]:
    """Iterate over warnings about holes within sessions of a history.

    Sessions without any bar are another warning. Short holes that chance explains in thin trading are left out.

    Args:
        histories: By interval, what the store has.
        times: By interval, the times of the bars that were read for them.
        day: The store and the calendar.
        now_ns: The session clock, nanoseconds since 1970 UTC.
    """
    market = day.market
    for name, proof in histories.items():
        if not _looks_back(proof.need):
            continue
        start_ns, interval = measured_from(name, proof.start_ns, histories), proof.need.interval
        found = day.memo(_holes, market, interval, _shortest(proof.need), times[name], start_ns, now_ns)
        if found:
            missing = sum(hole.missing for hole in found)
            count = "1 bar is" if missing == 1 else f"{missing:,} bars are"
            where = _some([_when(hole, proof.need, market) for hole in found], "more")
            yield f"{name}: {count} missing where it looks back: {where}"


def _empty_sessions(proof: HistoryProof, times: BarTimes, market: Market) -> list[date]:
    """Return the sessions of a history without any bar, from its first one on."""
    starts = market.sessions_from(proof.first_session).start_ns
    edges = np.append(starts, market.start_ns)
    rows = times.timestamp.searchsorted(edges)
    return [market.time_manager.day_of(int(start)) for start in starts[rows[1:] == rows[:-1]]]


def _days_by_name(days: Sequence[date]) -> str:
    """Return the first few days as text, and how many more there are."""
    return _some([f"{day}" for day in days], "other days")


class _Hole(NamedTuple):
    """A stretch of consecutive expected bars that are missing within a session."""

    start_ns: int
    end_ns: int
    missing: int


def _looks_back(need: IntervalNeed) -> bool:
    # A day without its daily bar is a session without bars, which is another warning.
    return str(need.interval) != "1d" and _asks_for_history(need)


def _asks_for_history(need: IntervalNeed) -> bool:
    return bool(need.bars or need.lookback_sessions or need.trailing_sessions)


def _shortest(need: IntervalNeed) -> int:
    """Return the length from which on a hole is reported, in nanoseconds."""
    # One bar matters to a lookback of a few bars; one minute does not matter to whole sessions.
    return min(_SHORTEST_NS, need.bars * need.interval.ns) if need.bars else _SHORTEST_NS


def _holes(
    market: Market, interval: Interval, shortest_ns: int, times: BarTimes, start_ns: int, now_ns: int
) -> tuple[_Hole, ...]:
    """Find the holes in bars with these times, from ``start_ns`` up to the session clock."""
    past, today = market.expected(interval, start_ns)
    due = today.part(0, int(today.end_ns.searchsorted(now_ns, side="right")))
    if not len(due) and _are_in_row(past.start_ns, times):  # the usual case
        return ()
    start, end, session = (
        np.concatenate([getattr(part, column) for part in (past, due)]) for column in ("start_ns", "end_ns", "session")
    )
    present = np.isin(start, times.timestamp[times.count > 0], assume_unique=True)
    if present.all():
        return ()
    return _within_sessions(interval, shortest_ns, present, start, end, session)


def _are_in_row(expected: NDArray[np.int64], times: BarTimes) -> bool:
    """Return whether all expected bars are there, one after another, and no bar is synthetic."""
    first = int(times.timestamp.searchsorted(expected[0])) if len(expected) else 0
    return not times.has_synthetic and np.array_equal(times.timestamp[first : first + len(expected)], expected)


def _within_sessions(
    interval: Interval,
    shortest_ns: int,
    present: NDArray[np.bool_],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    session: NDArray[np.int64],
) -> tuple[_Hole, ...]:
    """Return the holes in sessions that have other bars, without those that chance explains."""
    session = session - session[0]
    held, expected = np.bincount(session[present], minlength=session[-1] + 1), np.bincount(session)
    # Sessions without any bar are another warning, but daily and longer bars are the only ones of their sessions.
    alone = not interval.is_intraday
    missing = np.flatnonzero(~present & ((held[session] > 0) | alone))
    if not len(missing):
        return ()
    apart = (np.diff(missing) > 1) | (end[missing[:-1]] != start[missing[1:]])
    first = missing[np.concatenate([[0], np.flatnonzero(apart) + 1])]
    last = missing[np.append(np.flatnonzero(apart), len(missing) - 1)]
    length, day = last - first + 1, session[first]
    runs = np.bincount(day, minlength=len(held))
    real = (length > longest_by_chance(runs, held, expected)[day]) & (end[last] - start[first] >= shortest_ns)
    return tuple(
        _Hole(int(start[i]), int(end[j]), int(j - i + 1)) for i, j in zip(first[real], last[real], strict=True)
    )


def _when(hole: _Hole, need: IntervalNeed, market: Market) -> str:
    start, end = market.time_manager.to_local(hole.start_ns), market.time_manager.to_local(hole.end_ns)
    if not need.interval.is_intraday:
        return f"{market.time_manager.day_of(hole.start_ns)}"
    clock = "%H:%M:%S" if need.interval.seconds % 60 else "%H:%M"
    until = f"{end:{clock}}" if start.date() == end.date() else f"{end:%Y-%m-%d {clock}}"
    return f"{start:%Y-%m-%d {clock}} to {until}"


def _some(texts: Sequence[str], others: str) -> str:
    more = len(texts) - _MOST_SHOWN
    shown = ", ".join(texts[:_MOST_SHOWN])
    return f"{shown} and {more} {others}" if more > 0 else shown

"""Holes in the history that an addition looks back on, as warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.market_data.completeness import longest_by_chance
from openbell.provisioning.history import measured_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from openbell.model.bars import BarTimes
    from openbell.model.interval import Interval
    from openbell.provisioning.context import Market, ProvisioningContext
    from openbell.provisioning.history import HistoryProof
    from openbell.provisioning.needs import IntervalNeed

__all__ = ["days_by_name", "empty_sessions", "hole_warnings"]

_SHORTEST_NS = 5 * 60_000_000_000
_MOST_DAYS = 3


def hole_warnings(
    histories: Mapping[str, HistoryProof], times: Mapping[str, BarTimes], context: ProvisioningContext, market: Market
) -> Iterator[str]:
    """Iterate over warnings about stretches without bars that a history reaches across.

    They lie in sessions that have other bars. Short ones that chance explains in thin trading are left out.

    Args:
        histories: By interval, what the store has.
        times: By interval, the times of the bars that were read to know that.
        context: The session.
        market: The exchange.
    """
    for name, proof in histories.items():
        if not _looks_back(proof.need):
            continue
        start_ns, interval = measured_from(name, proof.start_ns, histories), proof.need.interval
        found = context.memo(_holes, market, interval, _shortest(proof.need), times[name], start_ns, market.now_ns)
        if found:
            missing = sum(hole.missing for hole in found)
            count = "1 bar is" if missing == 1 else f"{missing:,} bars are"
            where = _some([_when(hole, proof.need, market) for hole in found], "more")
            yield f"{name}: {count} missing where it looks back: {where}"


def empty_sessions(proof: HistoryProof, times: BarTimes, market: Market) -> list[date]:
    """Return the sessions of a history without any bar, from its first one on."""
    starts = market.sessions_from(proof.first_session).start_ns
    edges = np.append(starts, market.start_ns)
    rows = times.timestamp.searchsorted(edges)
    return [market.time_manager.day_of(int(start)) for start in starts[rows[1:] == rows[:-1]]]


def days_by_name(days: Sequence[date]) -> str:
    """Return days for people, at most a few of them."""
    return _some([f"{day}" for day in days], "other days")


class _Hole(NamedTuple):
    """A stretch of consecutive expected bars that are missing within a session."""

    start_ns: int
    end_ns: int
    missing: int


def _looks_back(need: IntervalNeed) -> bool:
    # A day without its daily bar is a session without bars, which is another warning.
    return str(need.interval) != "1d" and bool(need.bars or need.lookback_sessions or need.trailing_sessions)


def _shortest(need: IntervalNeed) -> int:
    """Return the length from which on a hole is reported, in nanoseconds."""
    # Of a look-back of a few bars, one is much; of whole sessions, a minute is not.
    return min(_SHORTEST_NS, need.bars * need.interval.ns) if need.bars else _SHORTEST_NS


def _holes(
    market: Market, interval: Interval, shortest_ns: int, times: BarTimes, start_ns: int, now_ns: int
) -> tuple[_Hole, ...]:
    """Find the holes from ``start_ns`` up to the session clock in bars of such times."""
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
    session = session - session[0]
    held, expected = np.bincount(session[present], minlength=session[-1] + 1), np.bincount(session)
    # Bars of one session or more have none of others beside them; a session without any is another warning.
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
    more = len(texts) - _MOST_DAYS
    shown = ", ".join(texts[:_MOST_DAYS])
    return f"{shown} and {more} {others}" if more > 0 else shown

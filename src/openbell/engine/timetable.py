"""Timetable of a session, made from the bars that the store holds."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import chain, groupby, repeat, tee
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.components.schedule import due_times
from openbell.engine.event_batch import EventBatch
from openbell.engine.fast_path import BarRun
from openbell.engine.gc_control import paused_collection
from openbell.model.bars import Bar
from openbell.model.frozen import quick_tuple_maker
from openbell.model.interval import parse_interval
from openbell.session.series import all_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from openbell.engine.component_runner import ScannerOfDay
    from openbell.engine.event_batch import Batches, Delivery, Move
    from openbell.engine.subscriptions import SliceSubscription, SubscribedTimes, Subscription, Subscriptions
    from openbell.session import BarIntervalData
    from openbell.session.cursor import Cursor
    from openbell.timing import TimeManager
    from openbell.timing.trading_session import TradingSession

__all__ = ["ScheduledScan", "Timetable", "batches", "scheduled_scans"]


ScheduledScan = tuple[int, "ScannerOfDay"]
"""The time at which a scanner is due, in nanoseconds since 1970 UTC, and the scanner."""


class Timetable:
    """Source of the batches of one backtest session.

    Args:
        session: The session's times.
        subscriptions: The subscriptions of the strategies.
        scanners: The scanners, in the order of the config.
        time_manager: The calendar of the scanners' schedules.
    """

    def __init__(
        self,
        session: TradingSession,
        subscriptions: Subscriptions,
        scanners: Sequence[ScannerOfDay],
        time_manager: TimeManager,
    ) -> None:
        self._session = session
        self._subscriptions = subscriptions
        self._scans = scheduled_scans(session, scanners, time_manager)

    def batches_after(self, time_ns: int) -> Batches:
        """Make the batches after a time, for the current subscriptions of the strategies.

        Raises:
            ComponentError: A strategy's subscriptions cannot be provisioned.
        """
        first_ns, last_ns = self._session.first_ns, self._session.last_ns
        if time_ns >= last_ns:
            return iter(())
        with paused_collection():
            bars, slices = self._subscriptions.resolve()
        scans = [scan for scan in self._scans if scan[0] > time_ns]
        return batches(bars, scans, slices, after_ns=max(time_ns, first_ns), last_ns=last_ns)


def scheduled_scans(
    session: TradingSession, scanners: Sequence[ScannerOfDay], time_manager: TimeManager
) -> list[ScheduledScan]:
    """Return the scans of a session in ascending time, those of one time in the order of the config."""
    times = [
        (time_ns, scanner)
        for scanner in scanners
        for time_ns in due_times(scanner.config.schedule, session, time_manager)
    ]
    return sorted(times, key=lambda scan: scan[0])


_batch, _bar = quick_tuple_maker(EventBatch), quick_tuple_maker(Bar)


def batches(
    subscriptions: Sequence[Subscription],
    scans: Sequence[ScheduledScan],
    slices: Sequence[SliceSubscription],
    *,
    after_ns: int,
    last_ns: int,
) -> Batches:
    """Make the batches of a session, in ascending time.

    The last one is at ``last_ns``, even if nothing is due then.

    Args:
        subscriptions: The subscriptions to bars.
        scans: The scans that are due, in ascending time.
        slices: The subscriptions to cross-sections, smaller intervals first.
        after_ns: Bars that closed by then are left out; nanoseconds since 1970 UTC.
        last_ns: The end of the session, or of the part of it to make.
    """
    due: dict[int, list[ScannerOfDay]] = {last_ns: []}
    for time_ns, scanner in scans:
        due.setdefault(time_ns, []).append(scanner)
    crossing: dict[int, list[Delivery]] = {}
    for on_slice, table in slices:
        for time_ns, cross_section in table.by_time(after_ns):
            if time_ns > last_ns:
                break
            crossing.setdefault(time_ns, []).append((on_slice, cross_section))
    groups = _groups(subscriptions)
    if not groups:
        for time_ns in sorted({*due, *crossing}):
            yield _batch((time_ns, (), (), due.get(time_ns, ()), crossing.get(time_ns, ())))
        return
    for time_ns in sorted({*due, *crossing}):
        yield from _bars_only(groups, after_ns, time_ns - 1)
        moves, bars = _at(groups, time_ns)
        yield EventBatch(time_ns, moves, bars, due.get(time_ns, ()), crossing.get(time_ns, ()))
        after_ns = time_ns


class _Closing(NamedTuple):
    """Bars of one group that close within some time.

    Attributes:
        times: The times of the group.
        moves: The moves of its cursor within that time.
        rows: For each move, the strategies' methods to call, with their bars, which are made lazily.
    """

    times: SubscribedTimes
    moves: Sequence[Move]
    rows: Iterator[Sequence[Delivery]]


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Neighbouring subscriptions of one interval, whose series have the same times."""

    times: SubscribedTimes
    callbacks: tuple[Callable[[Bar], object], ...]
    series: tuple[BarIntervalData, ...]

    def closing(self, after_ns: int, through_ns: int) -> _Closing | None:
        """Return the bars that close after a time, up to and including another one, or None."""
        first, after = bisect_right(self.times.ends, after_ns), bisect_right(self.times.ends, through_ns)
        if first >= after:
            return None
        rows = slice(first, after)
        # Shared by all series: a list for each would take as much memory as the bars.
        when = self.times.starts[rows], self.times.ends[rows], self.times.counts[rows]
        columns = [tee(self._bars(member, rows, *when), len([*same])) for member, same in groupby(self.series)]
        deliveries = map(zip, map(repeat, self.callbacks), chain.from_iterable(columns))
        return _Closing(self.times, self.times.moves[rows], zip(*deliveries, strict=True))

    def _bars(
        self, series: BarIntervalData, rows: slice, starts: list[int], ends: list[int], counts: list[int]
    ) -> Iterator[Bar]:
        """Iterate over rows of today's bars of a series."""
        bars, today = all_bars(series), self.times.rows
        columns = [c[today][rows].data for c in (bars.open, bars.high, bars.low, bars.close, bars.volume)]
        fields = zip(repeat(series.symbol), repeat(series.interval), starts, ends, *columns, counts)
        return map(_bar, fields)


def _groups(subscriptions: Sequence[Subscription]) -> list[_Group]:
    """Return subscriptions by interval, symbol and their own order, with neighbours of the same times grouped."""
    ordered = sorted(subscriptions, key=lambda s: (parse_interval(s.series.interval).seconds, s.series.symbol))
    groups = []
    for _, members in groupby(ordered, key=lambda s: id(s.times)):
        together = list(members)
        groups.append(_Group(together[0].times, tuple(s.on_bar for s in together), tuple(s.series for s in together)))
    return groups


def _closing(groups: Sequence[_Group], after_ns: int, through_ns: int) -> list[_Closing]:
    return [closing for group in groups if (closing := group.closing(after_ns, through_ns)) is not None]


def _bars_only(groups: Sequence[_Group], after_ns: int, through_ns: int) -> Batches:
    """Return the batches after a time, up to and including another one, when only bars are due."""
    found = _closing(groups, after_ns, through_ns)
    if not found:
        return iter(())
    if len(found) == 1 and found[0].times.one_at_a_time:
        times, moves, rows = found[0]
        return iter((BarRun(times.cursor, moves, rows),))
    return _merged(found)


def _at(groups: Sequence[_Group], time_ns: int) -> tuple[list[tuple[Cursor, Move]], list[Delivery]]:
    """Return the cursors that move at one time, and the methods to call with their bars."""
    found = _closing(groups, time_ns - 1, time_ns)
    moves = [(closing.times.cursor, move) for closing in found for move in closing.moves]
    return moves, [delivery for closing in found for row in closing.rows for delivery in row]


def _merged(found: Sequence[_Closing]) -> Iterator[EventBatch]:
    """Yield the bars of several groups by time and, at one time, in the order of the groups."""
    # Lazily, so that bars are still in the processor's cache when they are delivered.
    lengths = [len(closing.moves) for closing in found]
    ends = np.array([end for closing in found for end, _ in closing.moves], np.int64)
    numbers = np.repeat(np.arange(len(found)), lengths)[np.argsort(ends, kind="stable")]
    rows = [(closing.times.cursor, zip(closing.moves, closing.rows, strict=True)) for closing in found]
    now: int = -1
    moves: list[tuple[Cursor, Move]] = []
    bars: list[Delivery] = []
    for number in numbers.tolist():
        cursor, of_group = rows[number]
        move, row = next(of_group)
        if move[0] != now:
            if moves:
                yield EventBatch(now, moves, bars)
            now, moves, bars = move[0], [], []
        moves.append((cursor, move))
        bars += row
    if moves:
        yield EventBatch(now, moves, bars)

"""The timetable of one session: which bars close when, who gets them, and what else is due then.

Nothing is computed here: series and indicators were computed in bulk, and are revealed. Only bars that somebody
subscribed to become objects.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby, repeat, tee
from typing import TYPE_CHECKING, Any, NamedTuple, Union

import numpy as np

from openbell.engine.gc_control import no_garbage
from openbell.model.bars import Bar
from openbell.model.interval import parse_interval
from openbell.session.series import all_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from openbell.session import BarIntervalData
    from openbell.session.cross_section import CrossSection, CrossSectionTable
    from openbell.session.cursor import Cursor

__all__ = ["BarsAt", "Moment", "Plain", "SliceSubscription", "Stretch", "SubscribedTimes", "Subscription", "timetable"]


class SubscribedTimes:
    """Today's times of a run as plain numbers, for all series that have them.

    Attributes:
        cursor: The cursor that the replay moves.
        rows: Today's rows, up to the end of the session.
        starts: When today's bars begin, nanoseconds since 1970 UTC; likewise ends.
        counts: How many base bars they were made of.
        moves: Per bar, its close and the position that the cursor then has.
        one_at_a_time: Whether no two of the bars close at the same time.
    """

    __slots__ = ("counts", "cursor", "ends", "moves", "one_at_a_time", "rows", "starts")

    def __init__(self, cursor: Cursor, today_row: int, last_ns: int) -> None:
        times = cursor.times
        self.cursor = cursor
        self.rows = slice(today_row, int(times.end.searchsorted(last_ns, side="right")))
        self.starts: list[int] = times.timestamp[self.rows].tolist()
        self.ends: list[int] = times.end[self.rows].tolist()
        self.counts: list[int] = times.count[self.rows].tolist()
        self.moves = list(zip(self.ends, range(today_row + 1, self.rows.stop + 1), strict=True))
        # Odd bars before a break may both be cut at it.
        self.one_at_a_time = bool((np.diff(times.end[self.rows]) > 0).all())


class Subscription(NamedTuple):
    """A strategy's interest in one series; series of the same times have one ``times``."""

    on_bar: Callable[[Bar], Any]
    series: BarIntervalData
    times: SubscribedTimes


class SliceSubscription(NamedTuple):
    """A strategy's interest in the cross-sections of one interval."""

    on_slice: Callable[[CrossSection], Any]
    table: CrossSectionTable


class Stretch(NamedTuple):
    """Bars of series with the same times, one time after the other; bars are made when they are taken.

    Attributes:
        cursor: The cursor of the series.
        callbacks: Who gets each of the bars that close at one time.
        moves: The times, each with the position that the cursor then has.
        bars: At each of them the bars, ordered by symbol and subscription.
        one_at_a_time: Whether no two bars of a series close at the same time.
    """

    cursor: Cursor
    callbacks: Sequence[Callable[[Bar], Any]]
    moves: Sequence[tuple[int, int]]
    bars: Iterator[Sequence[Bar]]
    one_at_a_time: bool


class BarsAt(NamedTuple):
    """One time of a `Stretch`."""

    cursor: Cursor
    callbacks: Sequence[Callable[[Bar], Any]]
    move: tuple[int, int]
    bars: Sequence[Bar]


SliceEvent = tuple["Callable[[CrossSection], Any]", "CrossSection"]
"""Who gets a cross-section, and the cross-section."""


class Moment(NamedTuple):
    """A time at which more than bars is due, or the end of the session.

    Attributes:
        time_ns: The time, nanoseconds since 1970 UTC.
        bars: The bars that close, ordered by interval, symbol and subscription: smaller intervals first.
        scans: The scans that are due.
        slices: Who gets which cross-section: smaller intervals first.
    """

    time_ns: int
    bars: Sequence[BarsAt]
    scans: Sequence[Callable[[], None]]
    slices: Sequence[SliceEvent]


Plain = Union[Stretch, "Sequence[Sequence[BarsAt]]"]
"""What is due one after the other while there is nothing but bars: of one stretch, or of several, time by time."""


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Subscriptions of one interval that stand next to each other and whose series have the same times."""

    times: SubscribedTimes
    callbacks: tuple[Callable[[Bar], Any], ...]
    series: tuple[BarIntervalData, ...]

    def between(self, first: int, after: int) -> Stretch:
        """What is due from row ``first`` of today up to but without ``after``."""
        rows = slice(first, after)
        # Of all series the same: a list for each would take as much memory as the bars.
        when = self.times.starts[rows], self.times.ends[rows], self.times.counts[rows]
        columns = [tee(self._bars(member, rows, *when), len([*same])) for member, same in groupby(self.series)]
        bars = zip(*chain.from_iterable(columns), strict=True)
        return Stretch(self.times.cursor, self.callbacks, self.times.moves[rows], bars, self.times.one_at_a_time)

    def _bars(
        self, series: BarIntervalData, rows: slice, starts: list[int], ends: list[int], counts: list[int]
    ) -> Iterator[Bar]:
        """Today's bars of a series, one by one."""
        run, today = all_bars(series), self.times.rows
        columns = [c[today][rows].data for c in (run.open, run.high, run.low, run.close, run.volume)]
        fields = zip(repeat(series.symbol), repeat(series.interval), starts, ends, *columns, counts)
        # tuple.__new__ fills the named tuple without its Python-level constructor, which costs twice as much.
        return map(partial(tuple.__new__, Bar), fields)


def timetable(
    subscriptions: Sequence[Subscription],
    scans: Sequence[tuple[int, Callable[[], None]]],
    slices: Sequence[SliceSubscription],
    *,
    after_ns: int,
    last_ns: int,
) -> Iterator[tuple[Plain, Moment]]:
    """What is due in a session after ``after_ns``, in ascending time: stretches with nothing but bars, each with the
    moment that ends it. The last moment is the end of the session.

    Args:
        subscriptions: Who gets which bars.
        scans: When which scan is due, in ascending time.
        slices: Who gets which cross-sections, smaller intervals first.
        after_ns: Bars that closed by then are past.
        last_ns: The end of the session.
    """
    due: dict[int, list[Callable[[], None]]] = {last_ns: []}
    for time_ns, scan in scans:
        due.setdefault(time_ns, []).append(scan)
    crossing: dict[int, list[SliceEvent]] = {}
    for on_slice, table in slices:
        for time_ns, cross_section in table.moments(after_ns):
            crossing.setdefault(time_ns, []).append((on_slice, cross_section))
    groups = _groups(subscriptions)
    for time_ns in sorted({*due, *crossing}):
        plain = _plain(_stretches(groups, after_ns, time_ns - 1))
        closing = [bars for stretch in _stretches(groups, time_ns - 1, time_ns) for bars in _times_of(stretch)]
        yield plain, Moment(time_ns, closing, due.get(time_ns, ()), crossing.get(time_ns, ()))
        after_ns = time_ns


def _groups(subscriptions: Sequence[Subscription]) -> list[_Group]:
    """The subscriptions ordered by interval, symbol and their own order, neighbours with the same times together."""
    ordered = sorted(subscriptions, key=lambda s: (parse_interval(s.series.interval).seconds, s.series.symbol))
    groups = []
    for _, members in groupby(ordered, key=lambda s: id(s.times)):
        together = list(members)
        groups.append(_Group(together[0].times, tuple(s.on_bar for s in together), tuple(s.series for s in together)))
    return groups


def _stretches(groups: Sequence[_Group], after_ns: int, through_ns: int) -> list[Stretch]:
    """What is due after a time, up to and including another one."""
    found = []
    for group in groups:
        first, after = bisect_right(group.times.ends, after_ns), bisect_right(group.times.ends, through_ns)
        if first < after:
            found.append(group.between(first, after))
    return found


def _plain(stretches: Sequence[Stretch]) -> Plain:
    """All that is due at one time together, where that is more than one stretch has."""
    if len(stretches) == 1 and stretches[0].one_at_a_time:
        return stretches[0]
    by_time: dict[int, list[BarsAt]] = {}
    with no_garbage():
        for stretch in stretches:
            for bars in _times_of(stretch):
                by_time.setdefault(bars.move[0], []).append(bars)
    return [by_time[time_ns] for time_ns in sorted(by_time)]


def _times_of(stretch: Stretch) -> Iterator[BarsAt]:
    same = repeat(stretch.cursor), repeat(stretch.callbacks)
    return map(partial(tuple.__new__, BarsAt), zip(*same, stretch.moves, stretch.bars, strict=False))

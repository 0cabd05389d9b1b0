"""Replays one session's events in order: at one time all bars, then due scanners, then strategies.

Nothing is computed here: series and indicators were computed in bulk, and are revealed. Only bars that somebody
subscribed to become objects.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, repeat
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from openbell.bars import Bar
from openbell.interval import parse_interval
from openbell.session.series import whole_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from openbell.crosssection import CrossSection, CrossSectionTable
    from openbell.session import BarIntervalData

__all__ = ["BarEvent", "SliceSubscription", "SubscribedBars", "Subscription", "Timetable", "no_garbage", "timetable"]


@dataclass(frozen=True, slots=True, eq=False)
class SubscribedBars:
    """Today's bars of one series as the objects that subscribers get; made once a day and series."""

    series: BarIntervalData
    ends_ns: NDArray[np.int64]
    bars: list[Bar]

    @staticmethod
    def of(series: BarIntervalData, last_ns: int) -> SubscribedBars:
        """All bars of a series that close in today's session, up to ``last_ns``."""
        run = whole_run(series)
        rows = slice(series.today_row, int(run.end.searchsorted(last_ns, side="right")))
        columns = (run.timestamp, run.end, run.open, run.high, run.low, run.close, run.volume, run.count)
        # tuple.__new__ fills the named tuple without its Python-level constructor, which costs twice as much.
        fields = zip(repeat(series.symbol), repeat(series.interval), *(c[rows].tolist() for c in columns))
        return SubscribedBars(series, run.end[rows], list(map(partial(tuple.__new__, Bar), fields)))


class Subscription(NamedTuple):
    """A strategy's interest in one series."""

    on_bar: Callable[[Bar], Any]
    bars: SubscribedBars


class SliceSubscription(NamedTuple):
    """A strategy's interest in the cross-sections of one interval."""

    on_slice: Callable[[CrossSection], Any]
    table: CrossSectionTable


BarEvent = tuple["BarIntervalData", int, "Callable[[Bar], Any]", Bar]
"""A bar that closes: its series, the cursor that the series then has, who gets it, and the bar."""


SliceEvent = tuple["Callable[[CrossSection], Any]", "CrossSection"]
"""Who gets a cross-section, and the cross-section."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """All that is due in a session, by time; times are nanoseconds since 1970 UTC.

    Attributes:
        times: When something is due, in ascending time; the last one is the end of the session.
        bars: Per time, the bars that close, ordered by interval, symbol and subscription: smaller intervals first.
        scans: The scans that are due, by time.
        slices: Who gets which cross-section, by time: smaller intervals first.
    """

    times: list[int]
    bars: list[Sequence[BarEvent]]
    scans: Mapping[int, Sequence[Callable[[], None]]]
    slices: Mapping[int, Sequence[SliceEvent]]


def timetable(
    subscriptions: Sequence[Subscription],
    scans: Sequence[tuple[int, Callable[[], None]]],
    slices: Sequence[SliceSubscription],
    *,
    after_ns: int,
    last_ns: int,
) -> Timetable:
    """What is due in a session after ``after_ns``.

    Args:
        subscriptions: Who gets which bars.
        scans: When which scan is due, in ascending time.
        slices: Who gets which cross-sections, smaller intervals first.
        after_ns: Bars that closed by then are past.
        last_ns: The end of the session.
    """
    events, ends = _ordered_events(subscriptions, after_ns)
    firsts = np.flatnonzero(np.diff(ends, prepend=-1))
    bars = [events[first:after] for first, after in pairwise([*firsts.tolist(), len(events)])]
    by_time: dict[int, Sequence[BarEvent]] = dict(zip(ends[firsts].tolist(), bars, strict=True))
    due: dict[int, list[Callable[[], None]]] = {}
    for time_ns, scan in scans:
        due.setdefault(time_ns, []).append(scan)
    crossing: dict[int, list[SliceEvent]] = {}
    for on_slice, table in slices:
        for time_ns, cross_section in table.moments(after_ns):
            crossing.setdefault(time_ns, []).append((on_slice, cross_section))
    times = sorted({*by_time, *due, *crossing, last_ns})
    return Timetable(times, [by_time.get(time_ns, ()) for time_ns in times], due, crossing)


@contextmanager
def no_garbage() -> Iterator[None]:
    """Keep the garbage collector from looking for cycles while thousands of tuples of numbers are made: a third of the
    time of a session would go into that, and there are none.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _ordered_events(subscriptions: Sequence[Subscription], after_ns: int) -> tuple[list[BarEvent], NDArray[np.int64]]:
    """All events after ``after_ns`` in order, and their times (int64)."""
    events: list[BarEvent] = []
    keys = [np.empty((4, 0), np.int64)]
    symbols = {s: rank for rank, s in enumerate(sorted({sub.bars.series.symbol for sub in subscriptions}))}
    for number, (on_bar, subscribed) in enumerate(subscriptions):
        series = subscribed.series
        past = int(subscribed.ends_ns.searchsorted(after_ns, side="right"))
        ends = subscribed.ends_ns[past:]
        first_cursor = series.today_row + past + 1
        cursors = range(first_cursor, first_cursor + len(ends))
        events += zip(repeat(series), cursors, repeat(on_bar), subscribed.bars[past:])
        key = np.empty((4, len(ends)), np.int64)
        key[0], key[1], key[2] = number, symbols[series.symbol], parse_interval(series.interval).seconds
        key[3] = ends
        keys.append(key)
    ranks = np.concatenate(keys, axis=1)
    order = np.lexsort(ranks)
    return [events[place] for place in order.tolist()], ranks[3, order]

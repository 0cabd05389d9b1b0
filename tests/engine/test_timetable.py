"""The timetable of a session: every bar comes once to each of its subscribers, in order, whoever shares its times."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from openbell.engine.fast_path import BarRun
from openbell.engine.subscriptions import SliceSubscription, SubscribedTimes, Subscription
from openbell.engine.timetable import batches
from openbell.model.bars import Bar, Bars
from openbell.model.interval import parse_interval
from openbell.session import BarIntervalData, SessionData
from openbell.session.cross_section import CrossSection, CrossSectionTable
from openbell.session.cursor import Cursor
from openbell.session.series import cursor_of
from openbell.timing.clock import SimulatedClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.engine.event_batch import Batches, EventBatch

FIRST, LAST = 100, 130
TIMES = st.sets(st.integers(FIRST - 5, LAST), max_size=20).map(sorted)


class Drawn(NamedTuple):
    """Series by (symbol, interval), and who subscribes to which."""

    series: dict[tuple[str, str], BarIntervalData]
    subscriptions: list[Subscription]


@st.composite
def sessions(draw: st.DrawFn) -> Drawn:
    """A few series on even fewer runs of times, history included."""
    clock = SimulatedClock(FIRST)
    runs, series = [], {}
    for ends in draw(st.lists(TIMES, min_size=1, max_size=3)):
        end = np.array(ends, np.int64)
        prices = end + 0.5
        bars = Bars(end - 1, end, prices, prices, prices, prices, prices, np.ones(len(end), np.int32))
        runs.append((bars, Cursor(bars.times, clock)))
    for pair in draw(st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from(["1m", "5m", "7d", "1w"])))):
        run, cursor = draw(st.sampled_from(runs))
        today_row = int(run.end.searchsorted(FIRST, side="right"))
        series[pair] = BarIntervalData(*pair, base=None, bars=run, today_row=today_row, cursor=cursor)
    times: dict[Cursor, SubscribedTimes] = {}
    subscriptions = []
    for pair in draw(st.lists(st.sampled_from(list(series)), max_size=12) if series else st.just([])):
        cursor, today_row = cursor_of(series[pair]), series[pair].today_row
        known = times.setdefault(cursor, SubscribedTimes(cursor, today_row, LAST))
        subscriptions.append(Subscription(partial(tuple.__getitem__, (len(subscriptions),)), series[pair], known))
    return Drawn(series, subscriptions)


def each_batch(found: Batches) -> Iterator[EventBatch]:
    """All batches, those of runs of bars one by one."""
    for batch in found:
        if isinstance(batch, BarRun):
            yield from iter(batch.next_batch, None)
        else:
            yield batch


@given(drawn=sessions(), scans=st.lists(st.integers(FIRST, LAST)).map(sorted), after=st.integers(FIRST, LAST - 1))
def test_each_bar_comes_once_and_in_order(drawn: Drawn, scans: list[int], after: int) -> None:
    due: list[tuple[int, Any]] = [(time, f"scan at {time}") for time in scans if time > after]
    got: list[tuple[int, Any, Any]] = []
    scanned: list[Any] = []
    last_ns = after
    for batch in each_batch(batches(drawn.subscriptions, due, [], after_ns=after, last_ns=LAST)):
        assert batch.time_ns > last_ns
        last_ns = batch.time_ns
        for cursor, (time_ns, position) in batch.moves:
            assert time_ns == batch.time_ns
            assert position == int(cursor.times.end.searchsorted(time_ns, side="right"))
        got += [(batch.time_ns, callback, bar) for callback, bar in batch.bars]
        scanned += [(batch.time_ns, scan) for scan in batch.scans]
    assert last_ns == LAST
    assert scanned == due

    expected = []
    for number, (callback, series, _) in enumerate(drawn.subscriptions):
        for end in cursor_of(series).times.end.tolist():
            if after < end <= LAST:
                bar = Bar(series.symbol, series.interval, end - 1, end, *[end + 0.5] * 5, 1)
                seconds = parse_interval(series.interval).seconds
                expected.append((end, seconds, series.symbol, number, callback, bar))
    expected.sort(key=lambda event: event[:4])
    assert got == [(event[0], event[4], event[5]) for event in expected]


@given(drawn=sessions(), after=st.integers(FIRST, LAST - 1))
def test_slices_come_when_their_bars_close(drawn: Drawn, after: int) -> None:
    session_data = SessionData(date(2024, 6, 10))
    by_interval: dict[str, list[BarIntervalData]] = {}
    for pair in sorted(drawn.series):
        by_interval.setdefault(pair[1], []).append(drawn.series[pair])
    got: list[tuple[int, str, list[str]]] = []

    def on_slice(bars: CrossSection) -> None:
        got.append((bars.end, bars.interval, bars.symbols))

    tables = [CrossSectionTable(session_data, by_interval[i], LAST) for i in sorted(by_interval, key=parse_interval)]
    slices = [SliceSubscription(on_slice, table) for table in tables]
    for batch in each_batch(batches(drawn.subscriptions, [], slices, after_ns=after, last_ns=LAST)):
        for callback, cross_section in batch.slices:
            assert isinstance(cross_section, CrossSection)
            assert cross_section.end == batch.time_ns
            callback(cross_section)

    expected = []
    for end in range(after + 1, LAST + 1):
        for interval in sorted(by_interval, key=parse_interval):
            symbols = [s.symbol for s in by_interval[interval] if end in cursor_of(s).times.end]
            if symbols:
                expected.append((end, interval, symbols))
    assert got == expected


def test_bars_that_are_cut_at_the_same_close_come_together() -> None:
    start, end = np.array([100, 101, 102], np.int64), np.array([101, 103, 103], np.int64)
    prices = start + 0.5
    run = Bars(start, end, prices, prices, prices, prices, prices, np.ones(3, np.int32))
    cursor = Cursor(run.times, SimulatedClock(FIRST))
    series = BarIntervalData("A", "1m", base=None, bars=run, today_row=0, cursor=cursor)
    subscription = Subscription(str, series, SubscribedTimes(cursor, 0, LAST))

    found = [*batches([subscription], [], [], after_ns=FIRST, last_ns=LAST)]
    assert not any(isinstance(batch, BarRun) for batch in found)
    together = [batch for batch in each_batch(iter(found)) if batch.bars]
    assert [[bar.open for _, bar in batch.bars] for batch in together] == [[100.5], [101.5, 102.5]]
    assert [move for _, move in together[-1].moves] == [(103, 2), (103, 3)]

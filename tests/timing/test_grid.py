"""The bars that a calendar expects: they tile the trading segments, and groups are the same in every window."""

from __future__ import annotations

import itertools
import tracemalloc
import weakref
from datetime import date, timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.errors import IntervalError
from openbell.model.interval import Interval, parse_interval
from openbell.timing import SessionGrid, TimeManager
from openbell.timing.grid import date_of

EXCHANGES = ["XNYS", "XHKG", "XTKS", "XBOM", "XLON", "CMES", "24/7", "FOREX"]
INTRADAY = ["1m", "4m", "5m", "7m", "15m", "30m", "45m", "60m", "240m"]
GROUPED = ["1d", "1w", "2d", "5d", "2w"]
MINUTE_NS = 60_000_000_000
FIRST, LAST = date(1998, 1, 2), date(2026, 9, 1)


@cache
def manager(exchange: str) -> TimeManager:
    return TimeManager(exchange)


@st.composite
def windows(draw: st.DrawFn, longest: int = 40) -> tuple[TimeManager, date, date]:
    """A calendar and a window of up to ``longest`` days that may begin and end anywhere, also on a holiday."""
    first = draw(st.dates(FIRST, LAST))
    return manager(draw(st.sampled_from(EXCHANGES))), first, first + timedelta(days=draw(st.integers(0, longest)))


def naive_tiles(open_ns: int, close_ns: int, length_ns: int) -> list[tuple[int, int]]:
    starts = range(open_ns, close_ns, length_ns)
    return [(start, min(start + length_ns, close_ns)) for start in starts]


def naive_group(tm: TimeManager, interval: Interval, day: date) -> list[date]:
    """The sessions of the group that a session belongs to, counted session by session and week by week."""
    if interval.unit == "w":
        anchor = date(2000, 1, 3)
        monday = anchor + timedelta(weeks=(day - anchor).days // 7 // interval.count * interval.count)
        return tm.sessions(monday, monday + timedelta(days=7 * interval.count - 1))
    anchor = tm.first_session_on_or_after(date(2000, 1, 3))
    ordinal = len(tm.sessions(anchor, day)) - 1 if day >= anchor else -len(tm.sessions(day, anchor)) + 1
    around = tm.sessions(day - timedelta(days=40), day + timedelta(days=40))
    begin = around.index(day) - ordinal % interval.count
    return around[begin : begin + interval.count]


@given(windows(), st.sampled_from(INTRADAY))
def test_intraday_bars_tile_every_segment_exactly(window: tuple[TimeManager, date, date], interval: str) -> None:
    tm, first, last = window
    bars = tm.grid(first, last).expected_bars(parse_interval(interval))
    length_ns = parse_interval(interval).ns

    expected = [
        (start, end, position)
        for position, day in enumerate(tm.sessions(first, last))
        for segment in tm.session(day).segments
        for start, end in naive_tiles(segment.open_ns, segment.close_ns, length_ns)
    ]

    assert list(zip(bars.start_ns, bars.end_ns, bars.session, strict=True)) == expected


@given(windows(), st.sampled_from(INTRADAY + GROUPED))
def test_bars_ascend_without_overlap(window: tuple[TimeManager, date, date], interval: str) -> None:
    tm, first, last = window
    bars = tm.grid(first, last).expected_bars(parse_interval(interval))

    assert np.all(bars.start_ns < bars.end_ns)
    assert np.all(bars.end_ns[:-1] <= bars.start_ns[1:])
    for column in (bars.start_ns, bars.end_ns, bars.session, bars.sessions):
        assert column.dtype == np.int64
        assert len(column) == len(bars)
        assert not column.flags.writeable


@given(windows(), st.sampled_from(GROUPED))
def test_a_bar_of_sessions_is_its_whole_group_even_where_the_window_cuts_it(
    window: tuple[TimeManager, date, date], interval: str
) -> None:
    tm, first, last = window
    days = tm.sessions(first, last)
    bars = tm.grid(first, last).expected_bars(parse_interval(interval))

    groups = [list(g) for _, g in itertools.groupby(days, key=lambda d: naive_group(tm, parse_interval(interval), d))]
    wholes = [naive_group(tm, parse_interval(interval), group[0]) for group in groups]

    assert bars.start_ns.tolist() == [tm.session(whole[0]).open_ns for whole in wholes]
    assert bars.end_ns.tolist() == [tm.session(whole[-1]).close_ns for whole in wholes]
    assert bars.sessions.tolist() == [len(whole) for whole in wholes]
    assert bars.session.tolist() == [days.index(group[0]) for group in groups]


@given(windows(), st.integers(0, 10), st.integers(0, 10), st.sampled_from(INTRADAY + GROUPED))
def test_a_narrower_window_has_the_same_bars(
    window: tuple[TimeManager, date, date], before: int, after: int, interval: str
) -> None:
    tm, first, last = window
    wide = tm.grid(first - timedelta(days=before), last + timedelta(days=after)).expected_bars(parse_interval(interval))
    narrow = tm.grid(first, last).expected_bars(parse_interval(interval))

    position = np.searchsorted(wide.start_ns, narrow.start_ns)

    assert np.array_equal(wide.start_ns[position], narrow.start_ns)
    assert np.array_equal(wide.end_ns[position], narrow.end_ns)


@given(windows(12), st.integers(0, 3), st.sampled_from(INTRADAY))
def test_windows_that_move_on_day_by_day_have_the_bars_of_all_days(
    window: tuple[TimeManager, date, date], before: int, interval: str
) -> None:
    tm, first, last = window
    days = tm.sessions(first, last)
    bars_of_all = tm.grid(first, last).expected_bars(parse_interval(interval))

    for end in range(len(days)):
        begin = max(end - before, 0)
        bars = tm.grid(days[begin], days[end]).expected_bars(parse_interval(interval))

        rows = (bars_of_all.session >= begin) & (bars_of_all.session <= end)
        assert np.array_equal(bars.start_ns, bars_of_all.start_ns[rows])
        assert np.array_equal(bars.end_ns, bars_of_all.end_ns[rows])
        assert np.array_equal(bars.session, bars_of_all.session[rows] - begin)
        assert np.array_equal(bars.sessions, bars_of_all.sessions[rows])


@pytest.mark.parametrize("interval", ["1m", "1s"])
def test_a_window_without_sessions_has_no_bars_and_costs_nothing(interval: str) -> None:
    independence_day = date(2000, 7, 4)

    tracemalloc.start()
    bars = TimeManager("XNYS").grid(independence_day, independence_day).expected_bars(parse_interval(interval))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(bars) == 0
    assert peak < 10_000_000


@given(windows(), st.sampled_from(INTRADAY))
def test_bars_per_session_are_the_bars_counted(window: tuple[TimeManager, date, date], interval: str) -> None:
    tm, first, last = window
    grid = tm.grid(first, last)

    counted = np.bincount(grid.expected_bars(parse_interval(interval)).session, minlength=len(grid))

    assert grid.bars_per_session(parse_interval(interval)).tolist() == counted.tolist()


@given(windows(12), st.sampled_from([*INTRADAY, "1d", "1w", "3d"]))
def test_expected_counts_are_the_base_bars_within_each_bar(
    window: tuple[TimeManager, date, date], interval: str
) -> None:
    tm, first, last = window
    if not tm.sessions(first, last):
        return
    grid = tm.grid(*tm.widened(interval, first, last))
    bars = grid.expected_bars(parse_interval(interval))
    minutes = grid.expected_bars(parse_interval("1m")).start_ns

    within = np.searchsorted(minutes, bars.end_ns) - np.searchsorted(minutes, bars.start_ns)

    assert grid.expected_counts(parse_interval(interval), parse_interval("1m")).tolist() == within.tolist()


def test_expected_counts_of_a_week_are_whole_even_in_a_window_of_one_day() -> None:
    grid = manager("XNYS").grid(date(2024, 7, 3), date(2024, 7, 3))

    assert grid.expected_counts(parse_interval("1w"), parse_interval("1m")).tolist() == [390 + 390 + 210 + 390]
    assert grid.expected_counts(parse_interval("1w"), parse_interval("1d")).tolist() == [4]


def test_bars_of_sessions_are_not_counted_per_session() -> None:
    with pytest.raises(IntervalError, match="1w bars lie across whole sessions"):
        manager("XNYS").grid(date(2024, 7, 1), date(2024, 7, 3)).bars_per_session(parse_interval("1w"))


def test_a_week_is_not_closed_before_its_last_session() -> None:
    tm = manager("XNYS")

    for day in (date(2024, 7, 1), date(2024, 7, 3), date(2024, 7, 5)):
        bars = tm.grid(date(2024, 6, 28), day).expected_bars(parse_interval("1w"))

        assert bars.end_ns[-1] == tm.session(date(2024, 7, 5)).close_ns


def test_pairs_of_sessions_are_counted_from_2000_01_03_both_ways() -> None:
    tm = manager("XNYS")

    starts, ends = tm.expected_bar_times("2d", date(2000, 1, 4))
    assert (starts[0], ends[0]) == (tm.session(date(2000, 1, 3)).open_ns, tm.session(date(2000, 1, 4)).close_ns)

    starts, ends = tm.expected_bar_times("2d", date(1999, 12, 30))
    assert (starts[0], ends[0]) == (tm.session(date(1999, 12, 30)).open_ns, tm.session(date(1999, 12, 31)).close_ns)


@pytest.mark.parametrize("interval", [*INTRADAY, *GROUPED])
def test_a_window_without_sessions_has_no_bars(interval: str) -> None:
    grid = manager("XNYS").grid(date(2024, 7, 6), date(2024, 7, 7))

    assert len(grid) == 0
    assert len(grid.expected_bars(parse_interval(interval))) == 0


@pytest.mark.parametrize(
    ("interval", "bars", "last_start"),
    [("1m", 390, "15:59"), ("4m", 98, "15:58"), ("5m", 78, "15:55"), ("7m", 56, "15:55"), ("60m", 7, "15:30")],
)
def test_a_full_new_york_session(interval: str, bars: int, last_start: str) -> None:
    tm = manager("XNYS")
    starts, ends = tm.expected_bar_times(interval, date(2024, 7, 2))

    assert len(starts) == bars
    assert f"{tm.to_local(starts[0]):%H:%M}" == "09:30"
    assert ends[0] - starts[0] == parse_interval(interval).ns
    assert f"{tm.to_local(starts[-1]):%H:%M}" == last_start
    assert f"{tm.to_local(ends[-1]):%H:%M}" == "16:00"


@pytest.mark.parametrize(("interval", "bars"), [("1m", 210), ("5m", 42), ("60m", 4), ("1d", 1)])
def test_a_half_day_ends_at_13(interval: str, bars: int) -> None:
    tm = manager("XNYS")
    starts, ends = tm.expected_bar_times(interval, date(2024, 7, 3))

    assert len(starts) == bars
    assert f"{tm.to_local(ends[-1]):%H:%M}" == "13:00"


def test_hong_kong_bars_stop_for_lunch() -> None:
    tm = manager("XHKG")
    starts, ends = tm.expected_bar_times("60m", date(2024, 7, 2))

    assert [f"{tm.to_local(s):%H:%M}" for s in starts] == ["09:30", "10:30", "11:30", "13:00", "14:00", "15:00"]
    assert [f"{tm.to_local(e):%H:%M}" for e in ends] == ["10:30", "11:30", "12:00", "14:00", "15:00", "16:00"]


def test_segments_of_a_window_belong_to_its_own_sessions() -> None:
    tm = TimeManager("XNYS", session_hours="extended")
    grid: SessionGrid = tm.grid(date(2024, 7, 2), date(2024, 7, 3))

    assert [date_of(d) for d in grid.days] == [date(2024, 7, 2), date(2024, 7, 3)]
    assert grid.segment_session.tolist() == [0, 0, 0, 1, 1, 1]
    assert grid.segment_is_regular.tolist() == [False, True, False] * 2
    assert [(c - o) // MINUTE_NS for o, c in zip(grid.segment_open_ns, grid.segment_close_ns, strict=True)] == [
        *(330, 390, 240),
        *(330, 210, 240),
    ]
    assert grid.bars_per_session(parse_interval("1m")).tolist() == [390, 210]


def test_a_grid_keeps_the_bars_that_days_ask_for_again_but_not_those_of_seconds() -> None:
    """Grids are kept for a run; of each of its days, expected bars of seconds take more than a megabyte."""
    grid = manager("XNYS").grid(date(2024, 7, 1), date(2024, 7, 3))
    assert grid.expected_bars(parse_interval("1m")) is grid.expected_bars(parse_interval("1m"))
    seconds = grid.expected_bars(parse_interval("1s"))
    assert len(seconds) == 2 * 23_400 + 12_600
    start = weakref.ref(seconds.start_ns)
    del seconds
    assert start() is None

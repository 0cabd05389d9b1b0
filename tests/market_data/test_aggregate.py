"""Derived bars equal a naive group-by of their base bars, never mix sessions, and never change once closed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from how_many import examples
from openbell.errors import IntervalError
from openbell.market_data.aggregate import aggregate
from openbell.model.bars import COLUMNS, Bars
from openbell.model.interval import parse_interval
from openbell.timing.time_manager import TimeManager

if TYPE_CHECKING:
    from openbell.timing.grid import SessionGrid

XNYS = TimeManager("XNYS")
EXTENDED = TimeManager("XNYS", session_hours="extended")
XHKG = TimeManager("XHKG")
WEEK = (date(2024, 7, 1), date(2024, 7, 12))  # the half day of July 3, the holiday of the 4th, two weeks
GRIDS = [t.grid(*WEEK) for t in (XNYS, EXTENDED, XHKG)]
MINUTE, DAY = parse_interval("1m"), parse_interval("1d")


def minutes_of(grid: SessionGrid) -> np.ndarray:
    """Starts of all minutes in all segments, extended hours included."""
    segments = zip(grid.segment_open_ns, grid.segment_close_ns, strict=True)
    return np.concatenate([np.arange(opens, closes, MINUTE.ns) for opens, closes in segments])


def bars_at(starts: np.ndarray, seed: int = 0) -> Bars:
    rng = np.random.default_rng(seed)
    prices = np.round(rng.uniform(10, 20, (4, len(starts))), 2)
    low, high = prices.min(axis=0), prices.max(axis=0)
    volume = rng.integers(0, 1000, len(starts)).astype(float)
    return Bars(starts, starts + MINUTE.ns, prices[0], high, low, prices[1], volume, np.ones(len(starts), np.int32))


def sample(grid: SessionGrid, seed: int, share: float) -> Bars:
    starts = minutes_of(grid)
    return bars_at(starts[np.random.default_rng(seed).random(len(starts)) < share], seed)


def naive(bars: Bars, grid: SessionGrid, interval: str) -> list[tuple]:
    """Bar by bar, the way one would do it by hand."""
    wanted = parse_interval(interval)
    derived: dict[tuple, list] = {}
    for row in zip(
        *(getattr(bars, n).tolist() for n in ("timestamp", "open", "high", "low", "close", "volume")), strict=True
    ):
        at = row[0]
        for opens, closes, session, regular in zip(
            grid.segment_open_ns, grid.segment_close_ns, grid.segment_session, grid.segment_is_regular, strict=True
        ):
            if not opens <= at < closes:
                continue
            if wanted.is_intraday:
                start = int(opens + (at - opens) // wanted.ns * wanted.ns)
                key = (start, int(min(start + wanted.ns, closes)))
            elif not regular:
                continue
            elif wanted == DAY:
                key = (int(grid.open_ns[session]), int(grid.close_ns[session]))
            else:
                same = (grid.days + 3) // 7 == (grid.days[session] + 3) // 7
                key = (int(grid.open_ns[same][0]), int(grid.close_ns[same][-1]))
            derived.setdefault(key, []).append(row)
    return [
        (*key, r[0][1], max(x[2] for x in r), min(x[3] for x in r), r[-1][4], sum(x[5] for x in r), len(r))
        for key, r in derived.items()
    ]


def rows_of(bars: Bars) -> list[tuple]:
    return list(zip(*(getattr(bars, name).tolist() for name in COLUMNS), strict=True))


intervals = st.sampled_from(["2m", "4m", "5m", "7m", "15m", "60m", "90m", "1d", "1w"])


@settings(max_examples=examples(30))
@given(st.sampled_from(GRIDS), intervals, st.integers(0, 10**6), st.floats(0.005, 0.2))
def test_equals_a_naive_group_by(grid: SessionGrid, interval: str, seed: int, share: float) -> None:
    bars = sample(grid, seed, share)

    assert rows_of(aggregate(bars, grid, parse_interval(interval), base=MINUTE)) == naive(bars, grid, interval)


@settings(max_examples=examples(30))
@given(st.sampled_from(GRIDS), intervals, st.integers(0, 10**6), st.floats(0, 1))
def test_a_bar_that_has_closed_does_not_depend_on_what_comes_after(
    grid: SessionGrid, interval: str, seed: int, part: float
) -> None:
    bars = sample(grid, seed, 0.3)
    cut = int(part * len(bars))
    now = bars.timestamp[cut] if cut < len(bars) else np.iinfo(np.int64).max
    whole = rows_of(aggregate(bars, grid, parse_interval(interval), base=MINUTE))
    prefix = rows_of(aggregate(bars[:cut], grid, parse_interval(interval), base=MINUTE))

    assert [row for row in prefix if row[1] <= now] == [row for row in whole if row[1] <= now]


@settings(max_examples=examples(20))
@given(st.sampled_from(GRIDS), st.integers(0, 10**6), st.sampled_from([("5m", "15m"), ("5m", "1d"), ("1d", "1w")]))
def test_aggregating_twice_equals_once(grid: SessionGrid, seed: int, steps: tuple[str, str]) -> None:
    bars = sample(grid, seed, 0.3)
    first, second = (parse_interval(step) for step in steps)
    twice = aggregate(aggregate(bars, grid, first, base=MINUTE), grid, second, base=first)

    assert rows_of(twice) == rows_of(aggregate(bars, grid, second, base=MINUTE))


@pytest.mark.parametrize(
    ("interval", "day", "count", "first", "last"),
    [
        ("7m", date(2013, 10, 10), 56, ("09:30", "09:37"), ("15:55", "16:00")),
        ("4m", date(2013, 10, 10), 98, ("09:30", "09:34"), ("15:58", "16:00")),
        ("60m", date(2013, 10, 10), 7, ("09:30", "10:30"), ("15:30", "16:00")),
        ("5m", date(2024, 7, 3), 42, ("09:30", "09:35"), ("12:55", "13:00")),
        ("60m", date(2024, 7, 3), 4, ("09:30", "10:30"), ("12:30", "13:00")),
        ("1d", date(2024, 7, 3), 1, ("09:30", "13:00"), ("09:30", "13:00")),
    ],
)
def test_bars_of_new_york(interval: str, day: date, count: int, first: tuple[str, str], last: tuple[str, str]) -> None:
    grid = XNYS.grid(day, day)
    derived = aggregate(bars_at(minutes_of(grid)), grid, parse_interval(interval), base=MINUTE)

    def clock(row: int) -> tuple[str, str]:
        return tuple(f"{XNYS.to_local(ns):%H:%M}" for ns in (derived.timestamp[row], derived.end[row]))  # type: ignore[return-value]

    assert (len(derived), clock(0), clock(-1)) == (count, first, last)
    assert derived.count.sum() == len(minutes_of(grid))


def test_no_bar_lies_across_the_lunch_break() -> None:
    grid = XHKG.grid(date(2024, 7, 2), date(2024, 7, 2))
    derived = aggregate(bars_at(minutes_of(grid)), grid, parse_interval("60m"), base=MINUTE)

    assert [f"{XHKG.to_local(ns):%H:%M}" for ns in derived.end] == [
        "10:30",
        "11:30",
        "12:00",
        "14:00",
        "15:00",
        "16:00",
    ]


def test_a_week_that_is_not_over_ends_on_its_friday_all_the_same() -> None:
    grid = XNYS.grid(date(2024, 7, 8), date(2024, 7, 10))
    week = aggregate(bars_at(minutes_of(grid)), grid, parse_interval("1w"), base=MINUTE)

    assert (len(week), week.count[0]) == (1, 3 * 390)
    assert f"{XNYS.to_local(week.end[0]):%Y-%m-%d %H:%M}" == "2024-07-12 16:00"


def test_bars_with_too_few_base_bars_are_left_out() -> None:
    grid = XNYS.grid(date(2013, 10, 10), date(2013, 10, 10))
    starts = minutes_of(grid)
    bars = bars_at(np.delete(starts, [2, 11, 12, 389]))  # one of the first five, two of the third, the last minute

    def count(interval: str, least: float) -> int:
        return len(aggregate(bars, grid, parse_interval(interval), base=MINUTE, min_completeness=least))

    assert [count("5m", least) for least in (0.0, 0.6, 0.61, 0.8, 0.81, 1.0)] == [78, 78, 77, 77, 75, 75]
    assert [count("1d", least) for least in (0.98, 1.0)] == [1, 0]
    # The last bar of 7m is of five minutes: whole with five.
    assert len(aggregate(bars_at(starts), grid, parse_interval("7m"), base=MINUTE, min_completeness=1.0)) == 56


def test_no_bars_give_no_bars() -> None:
    grid = XNYS.grid(*WEEK)
    assert len(aggregate(Bars.empty(), grid, parse_interval("5m"), base=MINUTE)) == 0
    outside = bars_at(np.array([0, MINUTE.ns], np.int64))
    assert len(aggregate(outside, grid, parse_interval("1d"), base=MINUTE)) == 0


def test_what_cannot_be_derived_is_refused() -> None:
    grid = XNYS.grid(*WEEK)
    for interval, base in (("30s", "1m"), ("5m", "1d"), ("7m", "2m"), ("1d", "1w")):
        with pytest.raises(IntervalError):
            aggregate(Bars.empty(), grid, parse_interval(interval), base=parse_interval(base))

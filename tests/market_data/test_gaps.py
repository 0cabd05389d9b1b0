"""What stands in for missing bars follows from earlier ones alone, is marked, and leaves what is there as it is."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.market_data.aggregate import aggregate, as_inputs
from openbell.market_data.gap_filling import forward_filled, with_built
from openbell.model.bars import COLUMNS, Bars
from openbell.model.interval import parse_interval
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from openbell.timing.grid import SessionGrid

MINUTE, SECOND, DAY = parse_interval("1m"), parse_interval("1s"), parse_interval("1d")


@lru_cache
def grid_of(exchange: str = "XNYS", hours: str = "regular") -> SessionGrid:
    """Three sessions, of which the second is a half day in New York."""
    tm = TimeManager(exchange, session_hours=hours)  # type: ignore[arg-type]
    return tm.grid(date(2013, 11, 27), date(2013, 12, 2))


def bars_at(starts: np.ndarray, step_ns: int, seed: int = 0) -> Bars:
    dice = np.random.default_rng(seed)
    close = 100 + np.cumsum(dice.normal(0, 0.1, len(starts)))
    opens = close + dice.normal(0, 0.05, len(starts))
    return Bars(
        starts.astype(np.int64),
        (starts + step_ns).astype(np.int64),
        opens,
        np.maximum(opens, close) + 0.01,
        np.minimum(opens, close) - 0.01,
        close,
        dice.integers(1, 100, len(starts)).astype(np.float64),
        np.ones(len(starts), np.int32),
    )


def some_minutes(exchange: str, pattern: list[bool], seed: int) -> Bars:
    """Minutes of three sessions, of which a pattern that repeats is missing."""
    starts = grid_of(exchange).expected_bars(MINUTE).start_ns
    mask = np.resize(np.array([*pattern, False, True]), len(starts))
    return bars_at(starts[mask], MINUTE.ns, seed)


def same(one: Bars, other: Bars) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in COLUMNS)


patterns = st.lists(st.booleans(), min_size=1, max_size=400)
exchanges = st.sampled_from(["XNYS", "XHKG"])
seeds = st.integers(0, 5)


class TestForward:
    @given(patterns, exchanges, seeds)
    def test_real_bars_stay_as_they_are(self, pattern: list[bool], exchange: str, seed: int) -> None:
        bars = some_minutes(exchange, pattern, seed)

        filled = forward_filled(bars, grid_of(exchange), MINUTE)

        assert same(filled.take(filled.count > 0), bars)

    @given(patterns, exchanges, seeds)
    def test_a_synthetic_bar_repeats_the_close_before_it_and_is_marked(
        self, pattern: list[bool], exchange: str, seed: int
    ) -> None:
        filled = forward_filled(some_minutes(exchange, pattern, seed), grid_of(exchange), MINUTE)
        rows = np.flatnonzero(filled.count == 0)

        for name in ("open", "high", "low", "close"):
            assert np.array_equal(getattr(filled, name)[rows], filled.close[rows - 1])
        assert not filled.volume[rows].any()

    @given(patterns, exchanges, seeds)
    def test_it_lies_within_a_session_that_has_a_bar_before_it(
        self, pattern: list[bool], exchange: str, seed: int
    ) -> None:
        grid = grid_of(exchange)
        filled = forward_filled(some_minutes(exchange, pattern, seed), grid, MINUTE)
        rows = np.flatnonzero(filled.count == 0)
        day = np.searchsorted(grid.open_ns, filled.timestamp, side="right") - 1

        assert np.isin(filled.timestamp[rows], grid.expected_bars(MINUTE).start_ns).all()
        assert np.array_equal(day[rows], day[rows - 1])

    @given(patterns, exchanges, seeds)
    def test_after_its_first_bar_a_session_has_no_gap_left(self, pattern: list[bool], exchange: str, seed: int) -> None:
        bars = some_minutes(exchange, pattern, seed)
        grid = grid_of(exchange)
        filled = forward_filled(bars, grid, MINUTE)
        expected = grid.expected_bars(MINUTE)
        first = {int(s): int(expected.start_ns[expected.session == s].min()) for s in range(len(grid))}
        sessions = np.searchsorted(grid.open_ns, bars.timestamp, side="right") - 1
        since = np.array([bars.timestamp[sessions == s].min() if (sessions == s).any() else 2**62 for s in first])

        due = expected.start_ns[expected.start_ns >= since[expected.session]]

        assert np.array_equal(np.intersect1d(filled.timestamp, due), due)

    @given(patterns, exchanges, seeds, st.data())
    def test_what_is_filled_by_a_time_does_not_depend_on_what_comes_after(
        self, pattern: list[bool], exchange: str, seed: int, data: st.DataObject
    ) -> None:
        bars = some_minutes(exchange, pattern, seed)
        cut = data.draw(st.integers(0, len(bars)))
        until = int(bars.end[cut - 1]) if cut else 0

        part = forward_filled(bars[:cut], grid_of(exchange), MINUTE)
        whole = forward_filled(bars, grid_of(exchange), MINUTE)

        assert same(part[: int((part.end <= until).sum())], whole[: int((whole.end <= until).sum())])

    def test_a_day_is_never_filled(self) -> None:
        grid = grid_of()
        bars = bars_at(grid.open_ns[[0, 2]], 1)

        assert forward_filled(bars, grid, DAY) is bars

    def test_the_pre_market_counts_as_a_price_of_the_day(self) -> None:
        grid = grid_of("XNYS", "extended")
        early = bars_at(grid.open_ns[:1] - 60 * MINUTE.ns, MINUTE.ns)

        filled = forward_filled(early, grid, MINUTE)

        assert len(filled) == 391
        assert filled.timestamp[1] == grid.open_ns[0]

    def test_nothing_is_filled_when_nothing_is_missing(self) -> None:
        bars = bars_at(grid_of().expected_bars(MINUTE).start_ns, MINUTE.ns)

        assert forward_filled(bars, grid_of(), MINUTE) is bars
        assert not bars.times.has_synthetic


class TestBuilt:
    @pytest.mark.parametrize("missing", [1, 30, 390])
    def test_a_missing_minute_is_built_of_its_60_seconds(self, missing: int) -> None:
        grid = grid_of()
        seconds = bars_at(grid.expected_bars(SECOND).start_ns, SECOND.ns)
        minutes = aggregate(seconds, grid, MINUTE, base=SECOND)
        some = as_inputs(minutes[missing:])

        built = with_built(some, seconds, grid, MINUTE, SECOND)

        assert built.count[:missing].tolist() == [60] * missing
        assert set(built.count[missing:].tolist()) == {1}
        assert same(as_inputs(built), as_inputs(minutes))

    def test_a_minute_with_a_missing_second_is_not(self) -> None:
        grid = grid_of()
        seconds = bars_at(np.delete(grid.expected_bars(SECOND).start_ns, 61), SECOND.ns)

        built = with_built(Bars.empty(), seconds, grid, MINUTE, SECOND)

        assert len(built) == len(grid.expected_bars(MINUTE)) - 1
        assert grid.open_ns[0] + MINUTE.ns not in built.timestamp

    def test_a_day_is_built_of_all_its_minutes_also_of_a_half_day(self) -> None:
        grid = grid_of()
        minutes = bars_at(grid.expected_bars(MINUTE).start_ns, MINUTE.ns)

        built = with_built(Bars.empty(), minutes, grid, DAY, MINUTE)

        assert built.count.tolist() == [390, 210, 390]
        assert np.array_equal(built.timestamp, grid.open_ns)
        assert np.array_equal(built.end, grid.close_ns)

    def test_bars_that_are_there_are_never_replaced(self) -> None:
        grid = grid_of()
        days = bars_at(grid.open_ns, 1, seed=1)
        minutes = bars_at(grid.expected_bars(MINUTE).start_ns, MINUTE.ns, seed=2)

        assert with_built(days, minutes, grid, DAY, MINUTE) is days

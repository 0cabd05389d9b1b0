"""Checks set bars aside that contradict themselves, with the reason, and lose none."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from openbell.errors import BadBarsError
from openbell.model.interval import parse_interval
from openbell.store.check_bars import check_bars, require_good_bars
from openbell.store.layout import BAR_SCHEMA

START = datetime(2013, 10, 10, 13, 30, tzinfo=UTC)
GOOD = {"open": 10.0, "high": 11.0, "low": 9.0, "close": 10.5, "volume": 100.0}


def frame_of(rows: list[tuple[int | None, dict[str, float | None]]]) -> pl.DataFrame:
    data = [
        {"timestamp": None if minute is None else START + timedelta(minutes=minute), **GOOD, **changes}
        for minute, changes in rows
    ]
    return pl.DataFrame(data, schema=BAR_SCHEMA)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"high": 8.0}, "the high is below the low"),
        ({"open": 12.0}, "the open lies outside low to high"),
        ({"close": 8.0}, "the close lies outside low to high"),
        ({"low": -1.0}, "the low is negative"),
        ({"volume": -1.0}, "the volume is negative"),
        ({"open": None}, "the open is missing or not a number"),
        ({"close": math.nan}, "the close is missing or not a number"),
        ({"high": math.inf}, "the high is missing or not a number"),
        ({"volume": None}, "the volume is missing or not a number"),
    ],
)
def test_a_contradiction_is_set_aside_with_its_line_and_reason(changes: dict[str, float | None], reason: str) -> None:
    checked = check_bars(frame_of([(0, {}), (1, changes), (2, {})]))

    assert checked.bad.rows() == [(2, reason)]
    assert checked.good.height == 2
    with pytest.raises(BadBarsError, match=f"SPY 1m: 1 bad bars; the first is row 2: {reason}"):
        require_good_bars(frame_of([(0, {}), (1, changes)]), "SPY", parse_interval("1m"))


def test_rounding_noise_is_no_contradiction() -> None:
    assert check_bars(frame_of([(0, {"close": 11.0 * (1 + 1e-15)}), (1, {"open": 9.0 * (1 - 1e-15)})])).bad.is_empty()


def test_a_missing_time_is_set_aside() -> None:
    assert check_bars(frame_of([(0, {}), (None, {})])).bad.rows() == [(2, "the time is missing")]


def test_rows_out_of_order_are_sorted_and_counted() -> None:
    checked = check_bars(frame_of([(3, {}), (1, {}), (2, {}), (0, {})]))

    assert checked.unsorted == 2
    assert_frame_equal(checked.good, frame_of([(0, {}), (1, {}), (2, {}), (3, {})]))


def test_exact_repetitions_are_left_out_and_clashes_set_aside() -> None:
    checked = check_bars(frame_of([(0, {}), (0, {}), (1, {}), (1, {"close": 9.5}), (1, {}), (2, {})]))

    assert checked.duplicates == 1
    assert [line for line, _ in checked.bad.rows()] == [3, 4, 5]
    assert_frame_equal(checked.good, frame_of([(0, {}), (2, {})]))


def test_naive_times_are_refused() -> None:
    with pytest.raises(BadBarsError, match="naive"):
        check_bars(frame_of([(0, {})]).with_columns(pl.col("timestamp").dt.replace_time_zone(None)))


values = st.one_of(st.sampled_from([9.0, 10.0, 11.0]), st.sampled_from([None, math.nan, math.inf, -1.0]))
rows = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 6), st.none()),
        st.one_of(st.just({}), st.dictionaries(st.sampled_from(sorted(GOOD)), values, max_size=2)),
    ),
    max_size=20,
)


@given(rows)
def test_every_row_is_good_set_aside_or_a_repetition_and_what_is_good_is_sound(
    given_rows: list[tuple[int | None, dict[str, float | None]]],
) -> None:
    checked = check_bars(frame_of(given_rows))
    good = checked.good

    assert good.height + checked.bad.height + checked.duplicates == len(given_rows)
    assert good["timestamp"].is_sorted()
    assert good["timestamp"].n_unique() == good.height
    assert good.null_count().row(0) == (0,) * 6
    assert good.filter((pl.col("high") < pl.col("low")) | (pl.col("low") < 0) | (pl.col("volume") < 0)).is_empty()
    assert checked.bad["reason"].null_count() == 0
    assert check_bars(good).good.equals(good)

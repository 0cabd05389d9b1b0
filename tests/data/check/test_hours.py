"""Bars at the wrong time: outside the session, in another time zone, named by their end."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.check.made import DAY_NS, bars, frame_of, grid, series, starts_of
from openbell.data.check.hours import end_labels, outside_hours, wrong_time_zone

HOUR = 3_600_000_000_000


def moved(frame: pl.DataFrame, hours: float) -> pl.DataFrame:
    return frame.with_columns(pl.col("timestamp") + pl.duration(minutes=int(hours * 60)))


def test_regular_bars_have_no_finding() -> None:
    one = series(bars())

    assert [*outside_hours(one), *wrong_time_zone(one), *end_labels(one)] == []


def test_pre_market_and_post_market_bars_are_noted_only() -> None:
    early = frame_of(grid().open_ns[0] - np.arange(60, 0, -1) * 60_000_000_000)

    found = outside_hours(series(pl.concat([early, bars()])))

    assert [(f.kind, f.severity, f.bars) for f in found] == [("extended_hours", "note", 60)]


def test_without_extended_hours_in_the_calendar_everything_outside_is_in_doubt() -> None:
    early = frame_of(grid("XHKG").open_ns[0] - np.arange(60, 0, -1) * 60_000_000_000)

    found = outside_hours(series(pl.concat([early, bars(exchange="XHKG")]), exchange="XHKG"))

    assert [(f.kind, f.severity, f.bars) for f in found] == [("outside_hours", "doubt", 60)]
    assert "wrong time zone?" in found[0].text


@pytest.mark.parametrize(("strange", "asked"), [(57, False), (62, True)])
def test_from_5_percent_on_the_time_zone_is_asked_about(strange: int, asked: bool) -> None:
    night = frame_of(grid().open_ns[0] - 12 * HOUR + np.arange(strange) * 60_000_000_000)

    (found,) = outside_hours(series(pl.concat([night, bars()])))

    assert found.bars == strange
    assert ("wrong time zone?" in found.text) == asked


@given(st.sampled_from([-14, -9.5, -6, -5, -4, -1, 1, 1.5, 3, 5, 9]))
def test_times_in_another_zone_are_found_with_the_hours_they_are_off(hours: float) -> None:
    (found,) = wrong_time_zone(series(moved(bars(sessions=5), hours)))

    assert found.severity == "serious"
    assert f"moved by {-hours:+g} h it is 100 %" in found.text


def test_times_in_a_fixed_offset_are_found_in_the_half_of_the_year_that_they_are_wrong_in() -> None:
    starts = starts_of("1m", 60)
    winter = starts >= grid().open_ns[grid().open_ns % DAY_NS == 14.5 * HOUR][0]
    fixed = np.where(winter, starts, starts + HOUR)

    found = wrong_time_zone(series(frame_of(fixed)))

    assert len(found) == 1
    assert found[0].end_ns < starts[winter][0]
    assert "moved by -1 h" in found[0].text


def test_times_that_name_the_ends_of_bars_are_found() -> None:
    (found,) = end_labels(series(moved(bars(), 1 / 60)))

    assert found.severity == "serious"
    assert "--label end" in found.text


def test_dates_that_are_no_session_are_found() -> None:
    shifted = bars("1d", 20).with_columns(pl.col("timestamp") - pl.duration(days=1))

    (found,) = outside_hours(series(shifted, "1d"))

    assert found.bars == 5  # the Mondays' dates, and one after a holiday
    assert "dates one day off?" in found.text

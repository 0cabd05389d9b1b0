"""Bars at the wrong time: outside the session, in another time zone, named by their end."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.quality.calendar_fit import bars_on_closed_days
from openbell.quality.closed_days import closed_days
from openbell.quality.hours import outside_hours, wrong_labels, wrong_time_zone
from openbell.quality.peers import Peers
from openbell.timing.grid import date_of
from quality.made import DAY_NS, bars, frame_of, grid, series, starts_of

if TYPE_CHECKING:
    from openbell.quality.finding import Finding

HOUR = 3_600_000_000_000


def moved(frame: pl.DataFrame, hours: float) -> pl.DataFrame:
    return frame.with_columns(pl.col("timestamp") + pl.duration(minutes=int(hours * 60)))


def test_regular_bars_have_no_finding() -> None:
    one = series(bars())

    assert [*outside_hours(one), *wrong_time_zone(one), *wrong_labels(one)] == []


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
    (found,) = wrong_labels(series(moved(bars(), 1 / 60)))

    assert found.severity == "serious"
    assert "--label end" in found.text


def test_starts_that_were_imported_as_ends_are_found() -> None:
    early = moved(bars(), -1 / 60)
    (found,) = wrong_labels(series(early))

    assert (found.kind, found.severity) == ("wrong_label", "serious")
    assert "--label start" in found.text
    pre_market = [frame_of(day - np.arange(90, 1, -1) * 60_000_000_000) for day in grid().open_ns[:3]]
    assert wrong_labels(series(pl.concat([*pre_market, early], how="vertical_relaxed").sort("timestamp"))) == []


@pytest.mark.parametrize(("exchange", "found"), [("CMES", 1), ("FOREX", 1), ("XHKG", 1), ("24/7", 0)])
def test_where_sessions_meet_the_label_shows_after_a_pause(exchange: str, found: int) -> None:
    whole = bars(sessions=20, exchange=exchange)

    assert len(wrong_labels(series(moved(whole, 1 / 60), exchange=exchange))) == found
    assert wrong_labels(series(whole, exchange=exchange)) == []


def closed(frame: pl.DataFrame, interval: str = "1m", exchange: str = "XNYS", others: int = 0) -> list[Finding]:
    """What is found about a series beside two others, of which some have the same bars."""
    one = series(frame, interval, exchange=exchange)
    peers = Peers(one.grid, one.interval)
    for number in range(2):
        other = frame if number < others else bars(interval, exchange=exchange)
        peers.add(series(other, interval, exchange=exchange, symbol=f"OTHER{number}"))
    return closed_days(one, peers)


def test_dates_that_are_no_session_are_found() -> None:
    shifted = bars("1d", 20).with_columns(pl.col("timestamp") - pl.duration(days=1))

    (found,) = closed(shifted, "1d")

    assert found.bars == 5  # the Mondays' dates, and one after a holiday
    assert "25.0 % of the bars are of 5 days that the calendar calls closed" in found.text
    assert "dates one day off?" in found.text


def on_saturday(interval: str, exchange: str = "XNYS") -> pl.DataFrame:
    """60 sessions, and the last bars of Friday the 13th once more on Saturday."""
    frame = bars(interval, 60, exchange=exchange)
    friday = frame.filter(pl.col("timestamp").dt.date() == date(2013, 9, 13)).tail(10)
    return pl.concat([frame, moved(friday, 24).cast(frame.schema)])


@pytest.mark.parametrize("exchange", ["XNYS", "XHKG", "CMES", "XLON"])
@pytest.mark.parametrize(("interval", "count"), [("1m", 10), ("1d", 1)])
@pytest.mark.parametrize(
    ("others", "asked"),
    [
        (0, "and none of 2 other symbols has any: is the date wrong?"),
        (2, "and 2 of 2 other symbols have some, too: is the calendar wrong?"),
    ],
)
def test_bars_on_a_day_without_a_session_are_asked_about(
    exchange: str, interval: str, count: int, others: int, asked: str
) -> None:
    frame = on_saturday(interval, exchange)

    (found,) = closed(frame, interval, exchange, others)

    assert (found.kind, found.severity, found.bars, len(found.blamed)) == ("closed_day", "doubt", count, count)
    assert asked in found.text
    assert datetime.fromtimestamp(found.start_ns / 1e9, UTC).date() == date(2013, 9, 14)
    assert outside_hours(series(frame, interval, exchange=exchange)) == []


def test_bars_of_the_night_are_of_no_closed_day() -> None:
    night = frame_of(grid().close_ns[3] + 9 * HOUR + np.arange(20) * 60_000_000_000)
    weekend = frame_of(grid().close_ns[3] + 33 * HOUR + np.arange(20) * 60_000_000_000)
    frame = pl.concat([bars(sessions=9), night, weekend])

    assert closed(frame) == []
    assert [f.bars for f in outside_hours(series(frame))] == [40]


@given(st.sampled_from([date(2013, 11, 2), date(2013, 11, 3), date(2013, 11, 28), date(2013, 12, 25)]))
def test_closed_days_are_known_around_changes_of_the_clock_and_half_days(day: date) -> None:
    clock = datetime.combine(day, time(10), ZoneInfo("America/New_York"))
    strange = frame_of(int(clock.timestamp()) * 10**9 + np.arange(30) * 60_000_000_000)

    starts, days = bars_on_closed_days(series(pl.concat([bars(sessions=80), strange])))

    assert len(starts) == 30
    assert {date_of(found) for found in days} == {day}


def test_bars_after_an_early_close_are_of_a_session_day() -> None:
    """Hong Kong closes at noon on 2013-12-24; Christmas is closed."""
    afternoon = datetime(2013, 12, 24, 14, tzinfo=ZoneInfo("Asia/Hong_Kong"))
    late = frame_of(int(afternoon.timestamp()) * 10**9 + np.arange(30) * 60_000_000_000)
    frame = pl.concat([bars(sessions=79, exchange="XHKG"), late])

    assert closed(frame, exchange="XHKG") == []
    assert [f.bars for f in outside_hours(series(frame, exchange="XHKG"))] == [30]

"""The registry on real bars: SPY by day since 1998, and by minute in October 2013."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from each_indicator import each_of
from openbell import indicators
from openbell.indicators import IndicatorInputs
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from pathlib import Path

MINUTE = 60_000_000_000
DAYS = tuple(date(2013, 10, day) for day in (4, 7, 8, 9, 10, 11))
TOLERANCE = 1e-4


def rows_of(path: Path) -> list[list[str]]:
    with zipfile.ZipFile(path) as archive:
        return list(csv.reader(io.TextIOWrapper(archive.open(archive.namelist()[0]), "ascii")))


@pytest.fixture(scope="module")
def spy_daily(lean_dir: Path) -> IndicatorInputs:
    rows = rows_of(lean_dir / "equity" / "usa" / "daily" / "spy.zip")
    values = np.array([row[1:6] for row in rows], np.float64)
    prices = [np.ascontiguousarray(values[:, column]) / 10_000 for column in range(4)]
    number = np.arange(len(rows), dtype=np.int64)
    length = np.full(len(rows), 390 * MINUTE)
    return IndicatorInputs(*prices, np.ascontiguousarray(values[:, 4]), number, number * 0, length)


@pytest.fixture(scope="module")
def spy_minutes(lean_dir: Path) -> pl.DataFrame:
    """The regular minutes of six sessions, with times in New York."""
    folder, rows = lean_dir / "equity" / "usa" / "minute" / "spy", []
    for day in DAYS:
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("America/New_York"))
        for ms, *values in rows_of(folder / f"{day:%Y%m%d}_trade.zip"):
            at = midnight + timedelta(milliseconds=int(ms))
            if 570 <= at.hour * 60 + at.minute < 960:
                prices = [int(value) / 10_000 for value in values[:4]]
                rows.append([at.astimezone(UTC), *prices, float(values[4])])
    columns = ["timestamp", "open", "high", "low", "close", "volume"]
    return pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        pl.col("timestamp").dt.convert_time_zone("America/New_York")
    )


@each_of(n for n in indicators.names() if not indicators.get(n).intraday_only)
def test_on_real_days_it_is_ready_and_settled_as_it_says(name: str, spy_daily: IndicatorInputs) -> None:
    indicator = indicators.get(name)
    params = indicator.resolve()
    bars = replace(spy_daily, close=np.sin(spy_daily.close)) if name in ("acos", "asin") else spy_daily
    whole = indicator.compute(bars, params)
    ready = indicator.ready(bars, params)
    for column in whole.values():
        assert not np.isfinite(column[~ready]).any()
        assert np.isfinite(column[ready][100 if indicator.sparse else 0 :]).all()

    settling = indicator.settling(params)
    if settling is None:
        return
    needed = indicator.lookback(params).bars + settling
    for end in range(len(bars), needed, -450):
        settled = indicator.compute(bars[end - needed : end], params)
        for output, column in whole.items():
            size = max(abs(column[end - 1]), float(np.nanmedian(np.abs(column))))
            assert abs(settled[output][-1] - column[end - 1]) <= TOLERANCE * size, (end, output)


def test_on_real_minutes_vwap_ends_as_the_sessions_own(spy_minutes: pl.DataFrame) -> None:
    frame = spy_minutes.with_columns(indicators.compute("vwap", spy_minutes))
    day = pl.col("timestamp").dt.date()
    typical = (pl.col("high") + pl.col("low") + pl.col("close")) / 3
    expected = frame.group_by(day, maintain_order=True).agg((typical * pl.col("volume")).sum() / pl.col("volume").sum())
    found = frame.group_by(day, maintain_order=True).agg(pl.col("vwap").last())

    np.testing.assert_allclose(found["vwap"], expected[:, 1], rtol=1e-12)


def test_on_real_minutes_the_sessions_are_told_apart(spy_minutes: pl.DataFrame) -> None:
    manager = TimeManager("XNYS")
    prior = indicators.compute("prior_day", spy_minutes)
    opening = indicators.compute("opening_range", spy_minutes, minutes=30)
    friday = spy_minutes.filter(pl.col("timestamp").dt.date() == DAYS[0])
    monday = spy_minutes["timestamp"].dt.date() == DAYS[1]

    assert manager.session_before(DAYS[1]) == DAYS[0]
    assert prior.filter(~monday)[: len(friday)]["high"].is_nan().all()
    assert set(prior.filter(monday)["high"]) == {friday["high"].max()}
    assert set(prior.filter(monday)["close"]) == {friday["close"][-1]}
    assert opening.filter(monday)["high"].is_nan().sum() == 29
    assert set(opening.filter(monday)["high"].drop_nans()) == {spy_minutes.filter(monday)[:30]["high"].max()}

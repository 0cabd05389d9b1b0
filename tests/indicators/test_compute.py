"""`openbell.indicators.compute`: polars or pandas in, the same kind out, rows aligned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest
import talib

from openbell import indicators
from openbell.errors import BadBarsError, ConfigError, UnknownNameError

OPEN = datetime(2024, 7, 2, 13, 30, tzinfo=UTC)


def bars(days: int = 2, minutes: int = 30) -> pl.DataFrame:
    """Minute bars from the open of 2024-07-02 and of the half day after it."""
    random = np.random.default_rng(3)
    times = [OPEN + timedelta(days=day, minutes=minute) for day in range(days) for minute in range(minutes)]
    close = 100 + np.cumsum(random.normal(0, 0.1, len(times)))
    return pl.DataFrame({
        "timestamp": pl.Series(times, dtype=pl.Datetime("us", "UTC")),
        "open": close,
        "high": close + 0.1,
        "low": close - 0.1,
        "close": close,
        "volume": random.integers(1, 100, len(times)),
    })  # fmt: skip


def test_polars_in_polars_out() -> None:
    frame = bars()
    found = indicators.compute("sma", frame, period=5)

    assert isinstance(found, pl.DataFrame)
    assert found.columns == ["sma"]
    np.testing.assert_allclose(found["sma"], talib.SMA(frame["close"].to_numpy(), 5), rtol=1e-14)


def test_pandas_in_pandas_out_with_its_index() -> None:
    frame = bars().to_pandas().set_index("timestamp")
    found = indicators.compute("MACD", frame, fastperiod=3, slowperiod=6, signalperiod=2)

    assert isinstance(found, pd.DataFrame)
    assert list(found.columns) == ["macd", "macdsignal", "macdhist"]
    assert found.index.equals(frame.index)


def test_both_kinds_give_the_same_numbers() -> None:
    frame = bars()
    for name in ("vwap", "opening_range", "prior_day", "keltner", "obv"):
        polars = indicators.compute(name, frame)
        for pandas_frame in (frame.to_pandas(), frame.to_pandas().set_index("timestamp")):
            pandas = indicators.compute(name, pandas_frame)
            np.testing.assert_array_equal(polars.to_numpy(), pandas.to_numpy())


def test_sessions_are_told_by_the_exchanges_calendar() -> None:
    frame = bars()
    prior = indicators.compute("prior_day", frame)
    new_york = frame.with_columns(pl.col("timestamp").dt.convert_time_zone("America/New_York"))

    assert prior[:30]["high"].is_nan().all()
    assert set(prior[30:]["high"]) == {frame[:30]["high"].max()}
    assert indicators.compute("prior_day", new_york).equals(prior, null_equal=True)


def test_the_length_of_a_bar_is_its_end_the_interval_or_the_smallest_step() -> None:
    frame = bars().gather_every(5)
    ends = frame.with_columns(end=pl.col("timestamp") + timedelta(minutes=5))
    by_step = indicators.compute("opening_range", frame, minutes=10)["high"].is_nan().sum()

    assert by_step == 2
    assert indicators.compute("opening_range", ends, minutes=10)["high"].is_nan().sum() == 2
    tens = frame.gather_every(2)
    assert indicators.compute("opening_range", tens, minutes=10, interval="10m")["high"].is_nan().sum() == 0


@pytest.mark.parametrize("interval", ["20m", "60m"])
def test_an_opening_range_is_refused_on_bars_that_reach_beyond_its_minutes(interval: str) -> None:
    frame = bars().gather_every(10)

    with pytest.raises(ConfigError, match="first 30 minutes of a session, and bars of the frame begin in them"):
        indicators.compute("opening_range", frame, interval=interval)
    with pytest.raises(ConfigError, match=f"first 30 minutes of a session, and no {interval} bar ends with them"):
        indicators.get("opening_range").check_interval(interval, {"minutes": 30})


def test_no_rows_give_no_rows() -> None:
    for name in ("sma", "vwap", "opening_range", "gap_stats", "relative_volume", "swing_high", "cdldoji"):
        assert indicators.compute(name, bars()[:0]).height == 0


@pytest.mark.parametrize("name", ["sma", "vwap", "prior_day", "relative_volume", "high_low"])
def test_the_frame_is_left_as_it_was(name: str) -> None:
    frame = bars()
    indicators.compute(name, frame)

    assert frame.equals(bars())


def daily() -> pl.DataFrame:
    times = [datetime(2024, 7, day, tzinfo=UTC) for day in (1, 2, 3, 5)]
    return bars()[:4].with_columns(timestamp=pl.Series(times, dtype=pl.Datetime("us", "UTC")))


@pytest.mark.parametrize(
    ("frame", "name", "error", "message"),
    [
        (bars(), "smaa", UnknownNameError, "Did you mean 'sma'"),
        (bars().drop("volume"), "vwap", ConfigError, "vwap reads high, low, close, volume; the frame has no column"),
        (bars().drop("timestamp"), "vwap", ConfigError, "reads the column 'timestamp'; the frame has none"),
        (bars().drop("timestamp").to_pandas(), "vwap", ConfigError, "reads the column 'timestamp'; the frame has none"),
        (bars().with_columns(pl.col("timestamp").dt.replace_time_zone(None)), "vwap", BadBarsError, "has no time zone"),
        (bars().with_columns(timestamp=pl.lit(1)), "vwap", BadBarsError, "has no time zone"),
        (
            bars().to_pandas().assign(timestamp=pd.Timestamp(OPEN).tz_localize(None)),
            "vwap",
            BadBarsError,
            "no time zone",
        ),
        (bars().reverse(), "vwap", BadBarsError, "timestamp does not ascend at row 1"),
        (bars().reverse(), "sma", BadBarsError, "timestamp does not ascend at row 1"),
        (pl.concat([bars(), bars()]), "rsi", BadBarsError, "timestamp does not ascend at row"),
        (pl.concat([bars().head(3), bars().slice(2)]).to_pandas(), "ema", BadBarsError, "does not ascend at row 3"),
        *(
            (kind(bars().with_columns(timestamp=pl.col("timestamp").shift(shift))), name, BadBarsError, message)
            for kind in (pl.DataFrame, pl.DataFrame.to_pandas)
            for name in ("sma", "vwap", "histvol")
            for shift, message in ((1, "timestamp is missing in row 0"), (-1, "timestamp is missing in row"))
        ),
        (bars().with_columns(close=pl.lit(None, pl.Float64)), "sma", BadBarsError, "close is missing in row 0"),
        (bars().with_columns(close=pl.lit("x")), "sma", BadBarsError, "close holds String, not numbers"),
        (daily(), "vwap", ConfigError, "vwap needs intraday bars"),
        ([1.0, 2.0], "sma", ConfigError, "takes a polars or a pandas DataFrame, not list"),
        (bars()["close"], "sma", ConfigError, "takes a polars or a pandas DataFrame, not Series"),
    ],
)
def test_a_frame_that_does_not_serve_is_refused(
    frame: pl.DataFrame, name: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as raised:
        indicators.compute(name, frame)

    assert message in str(raised.value)


def test_daily_bars_are_sessions_of_their_own() -> None:
    frame = daily()
    found = indicators.compute("gap", frame)["gap"]

    assert indicators.compute("gap", frame.with_columns(pl.col("timestamp").dt.date()))["gap"].equals(found)
    np.testing.assert_allclose(found[1:], 100 * (frame["open"][1:].to_numpy() / frame["close"][:-1].to_numpy() - 1))


def a_year(frame: pl.DataFrame | pd.DataFrame, **given: object) -> float:
    """How many returns histvol takes for a year."""
    yearly = indicators.compute("histvol", frame, period=20, **given)["histvol"].to_numpy()[-1]
    daily = indicators.compute("histvol", frame, period=20, annual=1)["histvol"].to_numpy()[-1]
    return round((yearly / daily) ** 2, 6)


def test_histvol_takes_its_year_from_the_exchange_and_the_interval() -> None:
    frame, days = bars(days=1), daily_bars(40)

    assert a_year(frame) == 252 * 390
    assert a_year(frame, exchange="24/7") == 365 * 1440
    assert a_year(frame, interval="5m") == 252 * 78
    assert a_year(frame.drop("timestamp"), interval="1h") == 252 * 7
    assert a_year(frame.to_pandas().set_index("timestamp")) == 252 * 390
    assert a_year(days) == a_year(days.with_columns(pl.col("timestamp").dt.date())) == 252
    assert a_year(days, exchange="24/7") == 365
    assert a_year(daily_bars(400).gather_every(7)) == 52


def test_histvol_needs_no_time_zone_for_a_step() -> None:
    frame = bars(days=1)
    naive = frame.with_columns(pl.col("timestamp").dt.replace_time_zone(None))

    assert a_year(naive) == 252 * 390
    assert a_year(naive.to_pandas()) == 252 * 390


def test_rows_of_which_nothing_tells_the_interval_are_days_and_that_is_said() -> None:
    frame = bars(days=1).drop("timestamp")

    with pytest.warns(UserWarning, match="taken as days"):
        assert a_year(frame) == 252
    with pytest.warns(UserWarning, match="Give interval='5m'"):
        assert a_year(frame.to_pandas()) == 252


def daily_bars(days: int) -> pl.DataFrame:
    times = [datetime(2023, 1, 2, tzinfo=UTC) + timedelta(days=day) for day in range(days)]
    close = 100 + np.cumsum(np.random.default_rng(4).normal(0, 1, days))
    return pl.DataFrame({"timestamp": pl.Series(times, dtype=pl.Datetime("us", "UTC")), "close": close})

"""Keys name an indicator, all its parameters and an interval, and are read leniently."""

from __future__ import annotations

import pytest

from openbell.errors import ConfigError, IntervalError, UnknownNameError
from openbell.indicators import get, key, parse_key

MACD = {"fastperiod": 12, "slowperiod": 26, "signalperiod": 9}
BBANDS = {"timeperiod": 20, "nbdevup": 2.0, "nbdevdn": 2.0, "matype": 0}


@pytest.mark.parametrize(
    ("name", "params", "interval", "written"),
    [
        ("sma", {"timeperiod": 20}, "5m", "sma_20_5m"),
        ("SMA", {}, "5m", "sma_30_5m"),
        ("macd", MACD, "15m", "macd_12_26_9_15m"),
        ("bbands", {"timeperiod": 20, "nbdevup": 2.5}, "1h", "bbands_20_2.5_2_0_60m"),
        ("bbands", {"matype": "ema"}, "5m", "bbands_20_2_2_1_5m"),
        ("vwap", {}, "5m", "vwap_5m"),
        ("opening_range", {"minutes": 15}, "1m", "opening_range_15_1m"),
        ("linearreg_slope", {"timeperiod": 10}, "1d", "linearreg_slope_10_1d"),
    ],
)
def test_a_key_tells_all_parameters_in_order(name: str, params: dict, interval: str, written: str) -> None:
    assert key(name, params, interval) == written


@pytest.mark.parametrize(
    ("text", "name", "params", "interval"),
    [
        ("macd_15m", "macd", MACD, "15m"),
        ("macd_12_26_15m", "macd", MACD, "15m"),
        ("bbands_20_5m", "bbands", BBANDS, "5m"),
        ("BBANDS_20_2.5_1h", "bbands", BBANDS | {"nbdevup": 2.5}, "60m"),
        ("high_low_10_1d", "high_low", {"sessions": 10}, "1d"),
        ("linearreg_14_5m", "linearreg", {"timeperiod": 14}, "5m"),
        ("linearreg_slope_14_5m", "linearreg_slope", {"timeperiod": 14}, "5m"),
    ],
)
def test_parameters_at_the_end_of_a_key_may_be_missing(text: str, name: str, params: dict, interval: str) -> None:
    assert parse_key(text) == (name, params, interval)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("smaa_20_5m", UnknownNameError, "unknown indicator 'smaa'. Did you mean 'sma'"),
        ("sma", ConfigError, "write name_parameters_interval, for example sma_20_5m"),
        ("sma_20", IntervalError, "bad interval '20'"),
        ("sma_20_30_5m", ConfigError, "sma takes timeperiod, and 2 are given"),
        ("sma_x_5m", ConfigError, "timeperiod must be a number, not 'x'"),
        ("sma_0_5m", ConfigError, "timeperiod must be from 1 to 100000, not 0"),
    ],
)
def test_a_key_that_cannot_be_read_says_why(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message.replace(".", r"\.")):
        parse_key(text)


def test_period_fills_the_main_length() -> None:
    assert get("rsi").resolve(9) == {"timeperiod": 9}
    assert get("rsi").resolve(None, {"period": 9.0}) == {"timeperiod": 9}
    assert get("keltner").resolve(15)["period"] == 15
    assert get("opening_range").resolve(5) == {"minutes": 5}
    assert get("high_low").resolve(20) == {"sessions": 20}


@pytest.mark.parametrize(
    ("name", "period", "params", "message"),
    [
        ("sma", None, {"timeperiode": 5}, "indicator sma: unknown parameter 'timeperiode'. Did you mean 'timeperiod'?"),
        ("vwap", None, {"n": 5}, "unknown parameter 'n'. It takes no parameters."),
        ("vwap", 5, {}, "it takes no period"),
        ("macd", 5, {}, "period could mean several; give them by name in params: fastperiod, slowperiod, signalperiod"),
        ("sma", 5, {"timeperiod": 6}, "period and timeperiod are the same"),
        ("sma", 5, {"period": 6}, "period is given twice"),
        ("sma", 5.5, {}, "timeperiod must be a whole number, not 5.5"),
        ("sma", True, {}, "timeperiod must be a whole number, not True"),
        ("sma", None, {"timeperiod": "20"}, "timeperiod must be a whole number, not '20'"),
        ("bbands", None, {"nbdevup": float("nan")}, "nbdevup must be a real number"),
        ("bbands", None, {"matype": "emma"}, "matype has no choice 'emma'. Did you mean 'ema'"),
        ("keltner", None, {"multiplier": -1}, "multiplier must be 0 or more, not -1"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_by_name(name: str, period: float, params: dict, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        get(name).resolve(period, params)

    assert message in str(raised.value)


def test_parameters_that_do_not_go_together_are_refused() -> None:
    mavp = get("mavp")

    with pytest.raises(ConfigError, match="minperiod=30, maxperiod=10"):
        mavp.lookback(mavp.resolve(None, {"minperiod": 30, "maxperiod": 10}))


@pytest.mark.parametrize("tolerance", [0.0, 1.0, -1e-4, float("nan")])
def test_a_tolerance_lies_between_0_and_1(tolerance: float) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        get("ema").settling({"timeperiod": 10}, tolerance)


def test_settling_grows_as_the_tolerance_shrinks() -> None:
    for name in ("ema", "rsi", "adx", "macd", "t3", "kama", "ht_sine", "mama"):
        indicator = get(name)
        params = indicator.resolve()
        bars = [indicator.settling(params, tolerance) for tolerance in (1e-2, 1e-4, 1e-6)]

        assert bars == sorted(set(bars)), name
    # The memory of an exponential average over 10 bars falls below 1e-4 with the 46th bar: (9 / 11) ** 46 = 9.8e-5.
    assert get("ema").settling({"timeperiod": 10}) == 46


def test_intraday_indicators_refuse_daily_bars() -> None:
    get("vwap").check_interval("5m")
    get("sma").check_interval("1d")

    with pytest.raises(ConfigError, match="vwap needs intraday bars, and 1d bars are not"):
        get("vwap").check_interval("1d")

"""Every indicator against exact arithmetic, where running sums and thresholds go wrong.

The bars: stretches without trades, volumes of fractions and of zero, one of 1e15, a price that falls by nine orders
of magnitude, prices of 1e-9. What an indicator must be is worked out in fractions, from its own window alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from each_indicator import each_of
from hard_bars import BARS, KINDS, ROWS, SAMPLED, SPIKE
from openbell import indicators
from openbell.indicators.windows import means

Exact = list[Fraction]
Oracle = Callable[..., Any]

FEWER_SESSIONS = {name: {"sessions": 5} for name in ("high_low", "relative_volume", "gap_stats")}
"""Parameters where the default needs more sessions than there are."""


def mean(values: Exact) -> Fraction:
    return sum(values, Fraction()) / len(values)


def spread(values: Exact) -> Fraction:
    """The mean of squared deviations."""
    middle = mean(values)
    return mean([(v - middle) ** 2 for v in values])


def root(value: Fraction) -> float:
    """The square root, also of what is too small for a float."""
    scale = Fraction(2) ** 200
    return math.isqrt(int(value * scale * scale)) / float(scale)


def share(part: Fraction, whole: Fraction, otherwise: float = 0.0) -> Fraction | float:
    return part / whole if whole else otherwise


def moves(values: Exact) -> Exact:
    return [b - a for a, b in pairwise(values)]


def wma(values: Exact) -> Fraction:
    return sum((k * v for k, v in enumerate(values, 1)), Fraction()) / Fraction(len(values) * (len(values) + 1), 2)


def line(values: Exact) -> tuple[Fraction, Fraction]:
    """The first value and the slope of the line of least squares."""
    n, middle = len(values), Fraction(len(values) - 1, 2)
    slope = sum(((k - middle) * v for k, v in enumerate(values)), Fraction()) / Fraction(n * (n * n - 1), 12)
    return mean(values) - slope * middle, slope


def covariance(x: Exact, y: Exact) -> Fraction:
    middle, other = mean(x), mean(y)
    return mean([(a - middle) * (b - other) for a, b in zip(x, y, strict=True)])


def distance(values: Exact) -> Fraction:
    """The mean of absolute deviations."""
    middle = mean(values)
    return mean([abs(v - middle) for v in values])


def typical(rows: dict[str, Exact]) -> Exact:
    return [(h + low + c) / 3 for h, low, c in zip(rows["high"], rows["low"], rows["close"], strict=True)]


def money_flow(rows: dict[str, Exact], _p: Any) -> Any:
    price = typical(rows)
    flows = [(b - a, b * v) for (a, b), v in zip(pairwise(price), rows["volume"][1:], strict=True)]
    # Prices are decimals: a move below the precision of the numbers that hold them is none.
    real = [(step, flow) for step, flow in flows if abs(step) > Fraction(1, 10**14) * price[-1]]
    up = sum((flow for step, flow in real if step > 0), Fraction())
    return 100 * share(up, sum((flow for _, flow in real), Fraction()))


def chaikin(rows: dict[str, Exact], _p: Any) -> Any:
    places = [
        share(2 * c - h - low, h - low) for h, low, c in zip(rows["high"], rows["low"], rows["close"], strict=True)
    ]
    flow = sum((Fraction(p) * v for p, v in zip(places, rows["volume"], strict=True)), Fraction())
    return share(flow, sum(rows["volume"]))


def channel_index(rows: dict[str, Exact], _p: Any) -> Any:
    price = typical(rows)
    return share(price[-1] - mean(price), Fraction(15, 1000) * distance(price))


def ultimate(rows: dict[str, Exact], p: Any) -> Any:
    close = rows["close"]
    lows = [min(low, before) for low, before in zip(rows["low"][1:], close, strict=False)]
    ranges = [max(high, before) - low for high, before, low in zip(rows["high"][1:], close, lows, strict=False)]
    pressures = [c - low for c, low in zip(close[1:], lows, strict=True)]
    periods = (p["timeperiod1"], p["timeperiod2"], p["timeperiod3"])
    short, middle, long = (share(sum(pressures[-n:]), sum(ranges[-n:])) for n in periods)
    return 100 * (4 * short + 2 * middle + long) / 7


def vortex(rows: dict[str, Exact], _p: Any) -> Any:
    high, low, close = rows["high"], rows["low"], rows["close"]
    ranges = sum(max(h, c) - min(b, c) for h, b, c in zip(high[1:], low[1:], close, strict=False))
    return (
        share(sum(abs(a - b) for a, b in zip(high[1:], low, strict=False)), ranges),
        share(sum(abs(a - b) for a, b in zip(low[1:], high, strict=False)), ranges),
    )


def bollinger(rows: dict[str, Exact], p: Any) -> Any:
    middle, deviation = mean(rows["close"]), root(spread(rows["close"]))
    return middle + p["nbdevup"] * deviation, middle, middle - p["nbdevdn"] * deviation


def log_deviation(rows: dict[str, Exact], p: Any) -> Any:
    returns = [Fraction(math.log(b / a)) for a, b in pairwise(rows["close"])]
    n = p["period"]
    return 100 * root(spread(returns) * Fraction(n, n - 1) * 252)


def midprices(rows: dict[str, Exact]) -> Exact:
    return [(a + b) / 2 for a, b in zip(rows["high"], rows["low"], strict=True)]


def ranges_of(rows: dict[str, Exact]) -> Exact:
    return [a - b for a, b in zip(rows["high"], rows["low"], strict=True)]


def stochastic(rows: dict[str, Exact], last: int, period: int) -> Any:
    window = slice(last - period + 1, last + 1)
    low, high = min(rows["low"][window]), max(rows["high"][window])
    return 100 * Fraction(share(rows["close"][last] - low, high - low))


ORACLES: dict[str, Oracle] = {
    "sma": lambda r, _: mean(r["close"]),
    "ma": lambda r, _: mean(r["close"]),
    "sum": lambda r, _: sum(r["close"]),
    "wma": lambda r, _: wma(r["close"]),
    "trima": lambda r, p: mean(
        [mean(r["close"][k : k + p["timeperiod"] // 2]) for k in range(p["timeperiod"] // 2 + 1)]
    ),
    "avg_volume": lambda r, _: mean(r["volume"]),
    "avg_range": lambda r, _: mean(ranges_of(r)),
    "adr": lambda r, _: mean(ranges_of(r)),
    "volume_ratio": lambda r, _: share(r["volume"][-1], mean(r["volume"][:-1]), math.nan),
    "rvol": lambda r, _: share(r["volume"][-1], mean(r["volume"][:-1]), math.nan),
    "range_ratio": lambda r, _: share(ranges_of(r)[-1], mean(ranges_of(r)[:-1]), math.nan),
    "histvol": log_deviation,
    "var": lambda r, _: spread(r["close"]),
    "stddev": lambda r, _: root(spread(r["close"])),
    "avgdev": lambda r, _: distance(r["close"]),
    "bbands": bollinger,
    "correl": lambda r, _: share(
        covariance(r["high"], r["low"]), Fraction(root(spread(r["high"])) * root(spread(r["low"])))
    ),
    "linearreg": lambda r, p: line(r["close"])[0] + line(r["close"])[1] * (p["timeperiod"] - 1),
    "linearreg_intercept": lambda r, _: line(r["close"])[0],
    "linearreg_slope": lambda r, _: line(r["close"])[1],
    "linearreg_angle": lambda r, _: math.degrees(math.atan(line(r["close"])[1])),
    "tsf": lambda r, p: line(r["close"])[0] + line(r["close"])[1] * p["timeperiod"],
    "ao": lambda r, p: mean(midprices(r)[-p["fastperiod"] :]) - mean(midprices(r)),
    "qstick": lambda r, _: mean([c - o for o, c in zip(r["open"], r["close"], strict=True)]),
    "dpo": lambda r, p: r["close"][-1 - (p["timeperiod"] // 2 + 1)] - mean(r["close"][-p["timeperiod"] :]),
    "vwma": lambda r, _: share(
        sum(c * v for c, v in zip(r["close"], r["volume"], strict=True)), sum(r["volume"]), math.nan
    ),
    "cmf": chaikin,
    "mfi": money_flow,
    "cci": channel_index,
    "ultosc": ultimate,
    "vortex": vortex,
    "cmou": lambda r, _: 100 * share(sum(moves(r["close"])), sum(map(abs, moves(r["close"])))),
    "er": lambda r, _: share(abs(sum(moves(r["close"]))), sum(map(abs, moves(r["close"]))), 1.0),
    "vhf": lambda r, p: share(
        max(r["close"][-p["timeperiod"] :]) - min(r["close"][-p["timeperiod"] :]), sum(map(abs, moves(r["close"])))
    ),
    "imi": lambda r, _: (
        100
        * share(
            sum(max(c - o, 0) for o, c in zip(r["open"], r["close"], strict=True)),
            sum(abs(c - o) for o, c in zip(r["open"], r["close"], strict=True)),
            0.5,
        )
    ),
    "stochf": lambda r, p: (
        stochastic(r, len(r["close"]) - 1, p["fastk_period"]),
        mean([stochastic(r, len(r["close"]) - 1 - k, p["fastk_period"]) for k in range(p["fastd_period"])]),
    ),
}
"""What the value at the last of exactly as many rows as the lookback asks for is, by output."""

SIZES: dict[str, float] = {
    # Differences of prices and of shares come from numbers of the size of prices, of which a bit may be lost.
    **dict.fromkeys(("linearreg_slope", "linearreg_angle", "ao", "qstick", "dpo", "avg_range", "adr"), 1.0),
    **dict.fromkeys(("stddev", "avgdev", "histvol", "var"), 1.0),
}
"""Indicators whose rounding is measured against the size of prices, and not against their own."""


@cache
def exact_column(kind: str, column: str) -> Exact:
    return [Fraction(value) for value in getattr(BARS[kind], column).tolist()]


def windows_of(kind: str, name: str, last: int, length: int) -> dict[str, Exact]:
    rows = slice(last + 1 - length, last + 1)
    return {column: exact_column(kind, column)[rows] for column in indicators.get(name).inputs}


def assert_right(got: float, exact: Any, size: float, where: object) -> None:
    wanted = float(exact)
    if math.isnan(wanted):
        assert math.isnan(got), (where, got)
        return
    assert got == pytest.approx(wanted, rel=1e-9, abs=1e-13 * size), (where, got, wanted)


@pytest.mark.parametrize("kind", KINDS)
@each_of(ORACLES)
def test_it_is_what_fractions_say(name: str, kind: str) -> None:
    indicator, inputs = indicators.get(name), BARS[kind]
    params = indicator.resolve()
    values = indicator.compute(inputs, params)
    length = indicator.lookback(params).bars
    for last in SAMPLED:
        rows = windows_of(kind, name, last, length)
        exact = ORACLES[name](rows, params)
        price = float(max((max(column) for key, column in rows.items() if key != "volume"), default=0))
        for column, one in zip(values.values(), exact if isinstance(exact, tuple) else (exact,), strict=True):
            assert_right(float(column[last]), one, SIZES.get(name, 0.0) * price, (kind, last))


WINDOWED = [
    name
    for name in indicators.names()
    if not indicators.get(name).session_aware and indicators.get(name).settling(indicators.get(name).resolve()) == 0
]


@pytest.mark.parametrize("kind", KINDS)
@each_of(WINDOWED)
def test_what_forgets_at_once_is_to_the_bit_what_its_own_window_makes_it(name: str, kind: str) -> None:
    indicator, inputs = indicators.get(name), BARS[kind]
    if name in ("acos", "asin"):
        inputs = replace(inputs, close=np.sin(inputs.close))
    params = indicator.resolve()
    values = indicator.compute(inputs, params)
    length = indicator.lookback(params).bars
    for last in SAMPLED:
        alone = indicator.compute(inputs[last + 1 - length : last + 1], params)
        for output, column in alone.items():
            assert np.array_equal(column[-1], values[output][last], equal_nan=True), (kind, last, output)


@each_of(n for n in indicators.names() if "volume" in indicators.get(n).inputs)
def test_one_absurd_volume_leaves_no_trace(name: str) -> None:
    indicator, inputs = indicators.get(name), BARS["an absurd volume"]
    params = indicator.resolve(None, FEWER_SESSIONS.get(name))
    settling = indicator.settling(params, 1e-25)
    if settling is None:
        return  # it counts from the first bar for good
    usual = inputs.volume.copy()
    usual[SPIKE] = 20.125
    sane = indicator.compute(replace(inputs, volume=usual), params)
    need = indicator.lookback(params)
    past = SPIKE + max(need.bars + settling, 78 * (need.sessions + 2))

    for output, column in indicator.compute(inputs, params).items():
        assert past < ROWS - 100
        np.testing.assert_allclose(column[past:], sane[output][past:], rtol=1e-9)


@each_of(indicators.names())
def test_prices_may_be_of_any_size(name: str) -> None:
    """A power of two moves no digit, so that values are the same to the bit, or by that power."""
    indicator, inputs = indicators.get(name), BARS["without trades"]
    if indicator.group.startswith("Math") or name in ("linearreg_angle", "cumsum"):
        return  # they are not of prices, or an angle of them
    params = indicator.resolve(None, FEWER_SESSIONS.get(name))
    # Candles compare decimals, which a power of two would take apart.
    power = 1e-11 if name.startswith("cdl") else 2.0**-37
    prices = {c: getattr(inputs, c) * power for c in ("open", "high", "low", "close")}
    small = indicator.compute(replace(inputs, **prices), params)
    for output, column in indicator.compute(inputs, params).items():
        scaled = [small[output] * power**-degree for degree in (0, 1, 2, -1)]
        assert any(np.array_equal(one, column, equal_nan=True) for one in scaled), output


@pytest.mark.parametrize("period", [1, 2, 20, 333, 9_000])
def test_a_mean_is_the_same_to_the_bit_wherever_the_column_begins(period: int) -> None:
    column = np.random.default_rng(5).normal(100, 1, 20_000)
    found = means(column, period)

    assert np.isnan(found[: period - 1]).all()
    for last in {period - 1, period, 8_191 + period, 8_192 + period, 16_384, 19_999} - set(range(period - 1)):
        if last < len(column):
            window = column[last + 1 - period : last + 1]
            assert found[last] == means(window, period)[-1]
            assert found[last] == pytest.approx(math.fsum(window) / period, rel=1e-15 * 8)

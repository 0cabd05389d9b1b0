"""Recursive and cumulative indicators against their definitions in 60 digits, on bars where rounding goes wrong.

The bars are those of `hard_bars`. A recursion in fractions grows by a factor of digits a row, so that decimals of 60
digits stand in for them. Where a definition begins does not matter: values are compared when that no longer shows, but
for those that count from the first bar for good.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, getcontext
from functools import cache
from itertools import accumulate
from typing import Any

import numpy as np
import pytest
import talib

import exact_cycles
from each_indicator import each_of
from hard_bars import BARS, KINDS, SAMPLED
from openbell import indicators

getcontext().prec = 60
D = Decimal
Column = list[Decimal]
ZERO, ONE, HALF = D(0), D(1), D(50)
FORGOTTEN = 1e-14


def ratio(part: Decimal, whole: Decimal, otherwise: Decimal = ZERO) -> Decimal:
    return part / whole if whole else otherwise


def smoothed(column: Column, share: Decimal) -> Column:
    return list(accumulate(column, lambda last, value: last + (value - last) * share))


def ema(column: Column, period: int) -> Column:
    return smoothed(column, D(2) / (period + 1))


def rma(column: Column, period: int) -> Column:
    return smoothed(column, ONE / period)


def minus(a: Column, b: Column) -> Column:
    return [x - y for x, y in zip(a, b, strict=True)]


def over(a: Column, b: Column, otherwise: Decimal = ZERO) -> Column:
    return [ratio(x, y, otherwise) for x, y in zip(a, b, strict=True)]


def before(column: Column, rows: int = 1) -> Column:
    return column[:1] * min(rows, len(column)) + column[: len(column) - rows]


def sums(column: Column, period: int) -> Column:
    totals = list(accumulate(column))
    return minus(totals, [ZERO] * min(period, len(column)) + totals[: len(column) - period])


def means(column: Column, period: int) -> Column:
    return [total / period for total in sums(column, period)]


def highest(column: Column, period: int) -> Column:
    return [max(column[max(0, row - period + 1) : row + 1]) for row in range(len(column))]


def lowest(column: Column, period: int) -> Column:
    return [min(column[max(0, row - period + 1) : row + 1]) for row in range(len(column))]


def true_range(r: dict[str, Column]) -> Column:
    past = before(r["close"])
    return [max(h, c) - min(low, c) for h, low, c in zip(r["high"], r["low"], past, strict=True)]


def gains(column: Column) -> tuple[Column, Column]:
    steps = minus(column, before(column))
    return [max(step, ZERO) for step in steps], [max(-step, ZERO) for step in steps]


def strength(column: Column, period: int, flat: Decimal = HALF) -> Column:
    up, down = (rma(part, period) for part in gains(column))
    return [100 * u / (u + d) if u + d else flat for u, d in zip(up, down, strict=True)]


def directional(r: dict[str, Column]) -> tuple[Column, Column]:
    ups, downs = minus(r["high"], before(r["high"])), minus(before(r["low"]), r["low"])
    pairs = list(zip(ups, downs, strict=True))
    return [u if u > d and u > 0 else ZERO for u, d in pairs], [d if d > u and d > 0 else ZERO for u, d in pairs]


def directional_index(r: dict[str, Column], period: int) -> tuple[Column, Column]:
    ranges = rma(true_range(r), period)
    plus, less = (over([100 * v for v in rma(moves, period)], ranges) for moves in directional(r))
    return plus, less


def dx(r: dict[str, Column], period: int) -> Column:
    plus, less = directional_index(r, period)
    return [100 * ratio(abs(p - m), p + m) for p, m in zip(plus, less, strict=True)]


def adxr(r: dict[str, Column], p: Any) -> Column:
    adx = rma(dx(r, p["timeperiod"]), p["timeperiod"])
    return [(a + b) / 2 for a, b in zip(adx, before(adx, p["timeperiod"] - 1), strict=True)]


def chaikin_volatility(r: dict[str, Column], p: Any) -> Column:
    spread = ema(minus(r["high"], r["low"]), p["timeperiod"])
    return [100 * (ratio(a, b, ONE) - 1) for a, b in zip(spread, before(spread, p["rocperiod"]), strict=True)]


def typical(r: dict[str, Column]) -> Column:
    return [(h + low + c) / 3 for h, low, c in zip(r["high"], r["low"], r["close"], strict=True)]


def dema(column: Column, period: int) -> Column:
    once = ema(column, period)
    return minus([2 * v for v in once], ema(once, period))


def tema(column: Column, period: int) -> Column:
    once = ema(column, period)
    twice = ema(once, period)
    return [3 * (a - b) + c for a, b, c in zip(once, twice, ema(twice, period), strict=True)]


def t3(r: dict[str, Column], p: Any) -> Column:
    layers, v = [r["close"]], D(p["vfactor"])
    for _ in range(6):
        layers.append(ema(layers[-1], p["timeperiod"]))
    shares = (-(v**3), 3 * v**2 * (1 + v), -3 * v * (1 + v) ** 2, (1 + v) ** 3)
    return [
        sum((s * c for s, c in zip(shares, row, strict=True)), ZERO)
        for row in zip(layers[6], layers[5], layers[4], layers[3], strict=True)
    ]


def trix(r: dict[str, Column], p: Any) -> Column:
    third = r["close"]
    for _ in range(3):
        third = ema(third, p["timeperiod"])
    return [100 * (v / w - 1) for v, w in zip(third, before(third), strict=True)]


def macd(column: Column, fast: Column, slow: Column, signal: int) -> tuple[Column, ...]:
    line = minus(fast, slow)
    average = ema(line, signal)
    return line, average, minus(line, average)


def flow(r: dict[str, Column]) -> Column:
    return [
        ratio((c - low) - (h - c), h - low) * v
        for h, low, c, v in zip(r["high"], r["low"], r["close"], r["volume"], strict=True)
    ]


def adosc(r: dict[str, Column], p: Any) -> Column:
    line = list(accumulate(flow(r)))
    return minus(ema(line, p["fastperiod"]), ema(line, p["slowperiod"]))


def kama(r: dict[str, Column], p: Any) -> Column:
    close, n = r["close"], p["timeperiod"]
    moved = sums([abs(v) for v in minus(close, before(close))], n)
    efficiency = over([abs(v) for v in minus(close, before(close, n))], moved, ONE)
    shares = [(e * (D(2) / 3 - D(2) / 31) + D(2) / 31) ** 2 for e in efficiency]
    found = [close[0]]
    for price, share in zip(close[1:], shares[1:], strict=True):
        found.append(found[-1] + (price - found[-1]) * share)
    return found


def heikin(r: dict[str, Column], _p: Any) -> tuple[Column, ...]:
    close = [sum(row) / 4 for row in zip(r["open"], r["high"], r["low"], r["close"], strict=True)]
    opened = [(r["open"][0] + r["close"][0]) / 2]
    for last in close[:-1]:
        opened.append((opened[-1] + last) / 2)
    high = [max(row) for row in zip(r["high"], opened, close, strict=True)]
    low = [min(row) for row in zip(r["low"], opened, close, strict=True)]
    return opened, high, low, close


def channel(middle: Column, width: Column) -> tuple[Column, ...]:
    return [m + w for m, w in zip(middle, width, strict=True)], middle, minus(middle, width)


def stochastic(high: Column, low: Column, close: Column, period: int) -> Column:
    tops, bottoms = highest(high, period), lowest(low, period)
    return [100 * ratio(c - b, t - b) for c, t, b in zip(close, tops, bottoms, strict=True)]


def kdj(r: dict[str, Column], p: Any) -> tuple[Column, ...]:
    k = rma(stochastic(r["high"], r["low"], r["close"], p["fastk_period"]), p["slowk_period"])
    d = rma(k, p["slowd_period"])
    return k, d, [3 * a - 2 * b for a, b in zip(k, d, strict=True)]


def stochrsi(r: dict[str, Column], p: Any) -> tuple[Column, ...]:
    rsi = strength(r["close"], p["timeperiod"])
    tops, bottoms = highest(rsi, p["fastk_period"]), lowest(rsi, p["fastk_period"])
    # A width of nothing but rounding is none.
    fast = [
        100 * (c - b) / (t - b) if t - b > D(1) / 10**9 else ZERO for c, t, b in zip(rsi, tops, bottoms, strict=True)
    ]
    return fast, means(fast, p["fastd_period"])


def massi(r: dict[str, Column], p: Any) -> Column:
    once = ema(minus(r["high"], r["low"]), p["fastperiod"])
    return sums(over(once, ema(once, p["fastperiod"]), ONE), p["slowperiod"])


def rvi(r: dict[str, Column], p: Any) -> Column:
    close, n = r["close"], p["stddevperiod"]
    middle = [close[max(0, row - n + 1) : row + 1] for row in range(len(close))]
    spread = [(sum((v - sum(w) / len(w)) ** 2 for v in w) / len(w)).sqrt() for w in middle]
    steps = minus(close, before(close))
    up = rma([s if v > 0 else ZERO for s, v in zip(spread, steps, strict=True)], p["timeperiod"])
    down = rma([s if v < 0 else ZERO for s, v in zip(spread, steps, strict=True)], p["timeperiod"])
    return [100 * ratio(u, u + d, D("0.5")) for u, d in zip(up, down, strict=True)]


def smi(r: dict[str, Column], p: Any) -> tuple[Column, ...]:
    tops, bottoms = highest(r["high"], p["timeperiod"]), lowest(r["low"], p["timeperiod"])
    distance = [c - (t + b) / 2 for c, t, b in zip(r["close"], tops, bottoms, strict=True)]
    width = minus(tops, bottoms)
    for period in (p["slowperiod"], p["fastperiod"]):
        distance, width = ema(distance, period), ema(width, period)
    line = [100 * ratio(d, w / 2) for d, w in zip(distance, width, strict=True)]
    return line, ema(line, p["signalperiod"])


def tsi(r: dict[str, Column], p: Any) -> Column:
    steps = minus(r["close"], before(r["close"]))
    sizes = [abs(v) for v in steps]
    for period in (p["firstperiod"], p["secondperiod"]):
        steps, sizes = ema(steps, period), ema(sizes, period)
    return [100 * v for v in over(steps, sizes)]


def zlema(r: dict[str, Column], p: Any) -> Column:
    close, lag = r["close"], (p["timeperiod"] - 1) // 2
    return ema([2 * a - b for a, b in zip(close, before(close, lag), strict=True)], p["timeperiod"])


def on_balance(r: dict[str, Column], _p: Any) -> Column:
    total = [r["volume"][0]]
    for a, b, v in zip(r["close"], r["close"][1:], r["volume"][1:], strict=False):
        total.append(total[-1] + (v if b > a else -v if b < a else ZERO))
    return total


def price_volume(r: dict[str, Column], _p: Any) -> Column:
    steps = [v * (b / a - 1) for a, b, v in zip(before(r["close"]), r["close"], r["volume"], strict=True)]
    return list(accumulate(steps))


def by_volume(higher: bool) -> Oracle:
    def index(r: dict[str, Column], _p: Any) -> Column:
        found = [D(1000)]
        rows = zip(r["close"], r["close"][1:], r["volume"], r["volume"][1:], strict=False)
        for a, b, past, now in rows:
            found.append(found[-1] * (b / a if (now > past if higher else now < past) else ONE))
        return found

    return index


def williams(r: dict[str, Column], _p: Any) -> Column:
    past = before(r["close"])
    steps = [
        ZERO if c == p else c - min(low, p) if c > p else c - max(h, p)
        for h, low, c, p in zip(r["high"], r["low"], r["close"], past, strict=True)
    ]
    return list(accumulate(steps))


def volume_weighted(r: dict[str, Column], _p: Any) -> Column:
    traded = [(h + low + c) / 3 * v for h, low, c, v in zip(r["high"], r["low"], r["close"], r["volume"], strict=True)]
    return over(list(accumulate(traded)), list(accumulate(r["volume"])))


def swing(column: str, sign: int) -> Oracle:
    def last_swing(r: dict[str, Column], p: Any) -> Column:
        values, n, found, last = [sign * v for v in r[column]], p["period"], [], D("NaN")
        for row in range(len(values)):
            middle = row - n
            if middle >= n:
                value = values[middle]
                if value >= max(values[middle - n : middle]) and value > max(values[middle + 1 : row + 1]):
                    last = sign * value
            found.append(last)
        return found

    return last_swing


def supertrend(r: dict[str, Column], p: Any) -> tuple[Column, ...]:
    width = [D(p["multiplier"]) * v for v in rma(true_range(r), p["timeperiod"])]
    lines, trends = [], []
    upper = lower = ZERO
    trend, close = ONE, r["close"]
    for row, (h, low, w) in enumerate(zip(r["high"], r["low"], width, strict=True)):
        middle, last = (h + low) / 2, close[row - 1] if row else close[0]
        upper = middle + w if not row or middle + w < upper or last > upper else upper
        lower = middle - w if not row or middle - w > lower or last < lower else lower
        trend = ONE if close[row] > upper else -ONE if close[row] < lower else trend
        lines.append(lower if trend > 0 else upper)
        trends.append(trend)
    return lines, trends


def parabolic(r: dict[str, Column], step: float, most: float) -> Column:
    """Stops of Wilder's, beginning long unless the second bar falls by more than it rises."""
    return [abs(v) for v in stops(r["high"], r["low"], D(step), D(most))]


def signed_parabolic(r: dict[str, Column], p: Any) -> Column:
    """Stops below zero while short, with the default steps of both sides."""
    return stops(r["high"], r["low"], D(p["accelerationinitlong"]), D(p["accelerationmaxlong"]))


def stops(high: Column, low: Column, step: Decimal, most: Decimal) -> Column:
    """Stops, below zero while short: prices are turned around then, so that both sides are a long."""

    def turned(row: int) -> tuple[Decimal, Decimal]:
        return (high[row], low[row]) if side > 0 else (-low[row], -high[row])

    side = -1 if low[0] - low[1] > max(high[1] - high[0], ZERO) else 1
    stop, best, speed = turned(0)[1], turned(1)[0], step
    found = [ZERO]
    for row in range(1, len(high)):
        reversed_now = turned(row)[1] <= stop
        if reversed_now:
            side, stop, speed = -side, -best, step
        top, bottom = turned(row)
        bottom = min(bottom, turned(max(row - 1, 1))[1])
        if reversed_now:
            stop, best = min(stop, bottom), top
        found.append(stop)
        if top > best:
            best, speed = top, min(speed + step, most)
        stop = min(stop + speed * (best - stop), bottom)
    return found


Oracle = Callable[[dict[str, Column], Any], Any]

ORACLES: dict[str, Oracle] = {
    "ad": lambda r, _: list(accumulate(flow(r))),
    "adosc": adosc,
    "adx": lambda r, p: rma(dx(r, p["timeperiod"]), p["timeperiod"]),
    "adxr": adxr,
    "apo": lambda r, p: minus(ema(r["close"], p["fastperiod"]), ema(r["close"], p["slowperiod"])),
    "atr": lambda r, p: rma(true_range(r), p["timeperiod"]),
    "cmo": lambda r, p: [2 * v - 100 for v in strength(r["close"], p["timeperiod"])],
    "cumsum": lambda r, _: list(accumulate(r["close"])),
    "cvi": chaikin_volatility,
    "dema": lambda r, p: dema(r["close"], p["timeperiod"]),
    "dx": lambda r, p: dx(r, p["timeperiod"]),
    "efi": lambda r, p: ema(
        [s * v for s, v in zip(minus(r["close"], before(r["close"])), r["volume"], strict=True)], p["timeperiod"]
    ),
    "ema": lambda r, p: ema(r["close"], p["timeperiod"]),
    "eri": lambda r, p: tuple(minus(r[side], ema(r["close"], p["timeperiod"])) for side in ("high", "low")),
    "ha": heikin,
    "kama": kama,
    "kc": lambda r, p: channel(
        ema(typical(r), p["timeperiod"]), [D(p["nbdev"]) * v for v in rma(true_range(r), p["atrperiod"])]
    ),
    "kdj": kdj,
    "supertrend": supertrend,
    "swing_high": swing("high", 1),
    "swing_low": swing("low", -1),
    "keltner": lambda r, p: channel(
        ema(r["close"], p["period"]), [D(p["multiplier"]) * v for v in rma(true_range(r), p["atr_period"])]
    ),
    "macd": lambda r, p: macd(
        r["close"], ema(r["close"], p["fastperiod"]), ema(r["close"], p["slowperiod"]), p["signalperiod"]
    ),
    "macdfix": lambda r, p: macd(
        r["close"], smoothed(r["close"], D("0.15")), smoothed(r["close"], D("0.075")), p["signalperiod"]
    ),
    "massi": massi,
    "minus_di": lambda r, p: directional_index(r, p["timeperiod"])[1],
    "minus_dm": lambda r, p: [p["timeperiod"] * v for v in rma(directional(r)[1], p["timeperiod"])],
    "natr": lambda r, p: [100 * v / c for v, c in zip(rma(true_range(r), p["timeperiod"]), r["close"], strict=True)],
    "nvi": by_volume(higher=False),
    "obv": on_balance,
    "plus_di": lambda r, p: directional_index(r, p["timeperiod"])[0],
    "plus_dm": lambda r, p: [p["timeperiod"] * v for v in rma(directional(r)[0], p["timeperiod"])],
    "ppo": lambda r, p: [
        100 * (a / b - 1)
        for a, b in zip(ema(r["close"], p["fastperiod"]), ema(r["close"], p["slowperiod"]), strict=True)
    ],
    "pvi": by_volume(higher=True),
    "pvo": lambda r, p: [
        100 * (ratio(a, b, ONE) - 1)
        for a, b in zip(ema(r["volume"], p["fastperiod"]), ema(r["volume"], p["slowperiod"]), strict=True)
    ],
    "pvt": price_volume,
    "rma": lambda r, p: rma(r["close"], p["timeperiod"]),
    "rsi": lambda r, p: strength(r["close"], p["timeperiod"]),
    "rvi": rvi,
    "smi": smi,
    "stochrsi": stochrsi,
    "t3": t3,
    "tema": lambda r, p: tema(r["close"], p["timeperiod"]),
    "trix": trix,
    "tsi": tsi,
    "vwap_cumulative": volume_weighted,
    "wad": williams,
    "zlema": zlema,
    "sar": lambda r, p: parabolic(r, p["acceleration"], p["maximum"]),
    "sarext": signed_parabolic,
    **exact_cycles.ORACLES,
}
"""What the columns are, from the first row on, by output."""


OF_PRICES = {"apo", "eri", "macd", "macdfix", "trix", "dema", "tema", "t3", "zlema"}
"""Indicators whose rounding is measured against the size of prices, and not against their own."""
ILL_CONDITIONED = {"stochrsi": 1e5}
"""By how much less exactly those are known that divide a difference of nearly equal numbers by another."""
OF_PHASES = ("ht_dcphase", "ht_sine", "ht_trendmode")
"""Those that need seconds of arctangents and sines in decimals."""
EXTREMES: dict[str, tuple[Callable[[Column], Decimal], ...]] = {
    "maxindex": (max,),
    "minindex": (min,),
    "minmaxindex": (min, max),
}
"""Rows of extremes, counted from the first bar; of equal ones any."""


def test_every_recursive_indicator_has_a_definition_here() -> None:
    found = map(indicators.get, indicators.names())
    recursive = {one.name for one in found if not one.session_aware and one.settling(one.resolve()) != 0}
    assert recursive == ORACLES.keys() | EXTREMES.keys()


@cache
def exact_column(kind: str, column: str) -> Column:
    return [D(value) for value in getattr(BARS[kind], column).tolist()]


def rows_of(kind: str, name: str) -> dict[str, Column]:
    return {column: exact_column(kind, column) for column in indicators.get(name).inputs}


@pytest.mark.parametrize("kind", KINDS)
@each_of(name for name in ORACLES if name not in OF_PHASES)
def test_it_is_what_its_definition_says(name: str, kind: str) -> None:
    assert_as_defined(name, kind)


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", OF_PHASES)
def test_it_is_what_its_long_definition_says(name: str, kind: str) -> None:
    assert_as_defined(name, kind)


def assert_as_defined(name: str, kind: str) -> None:
    indicator, inputs = indicators.get(name), BARS[kind]
    params = indicator.resolve()
    values = indicator.compute(inputs, params)
    exact = ORACLES[name](rows_of(kind, name), params)
    settling = indicator.settling(params, FORGOTTEN)
    first = indicator.lookback(params).bars + (settling or 0) + 10
    price = max(float(getattr(inputs, name).max()) for name in ("high", "close"))
    for (output, column), wanted in zip(values.items(), exact if isinstance(exact, tuple) else (exact,), strict=True):
        for row in SAMPLED:
            if row >= first:
                size = float(max(abs(v) for v in wanted[max(0, row - 60) : row + 1]))
                size *= ILL_CONDITIONED.get(name, 1.0)
                rounding = max(1e-11 * size, 1e-13 * price if name in OF_PRICES else 0.0)
                assert column[row] == pytest.approx(float(wanted[row]), rel=1e-9, abs=rounding, nan_ok=True), (
                    output,
                    row,
                )


@pytest.mark.parametrize("kind", KINDS)
@each_of(EXTREMES)
def test_the_row_of_an_extreme_is_one_that_has_it(name: str, kind: str) -> None:
    indicator, inputs = indicators.get(name), BARS[kind]
    params = indicator.resolve()
    close, period = rows_of(kind, name)["close"], params["timeperiod"]
    for column, pick in zip(indicator.compute(inputs, params).values(), EXTREMES[name], strict=True):
        for row in SAMPLED:
            found = int(column[row])
            assert row - period < found <= row
            assert close[found] == pick(close[row - period + 1 : row + 1])


@pytest.mark.parametrize(
    "name", ["HT_DCPERIOD", "HT_DCPHASE", "HT_PHASOR", "HT_SINE", "HT_TRENDLINE", "HT_TRENDMODE", "MAMA"]
)
def test_the_dominant_cycle_is_talibs_from_the_first_row_on_where_prices_move(name: str) -> None:
    inputs, indicator = BARS["an absurd volume"], indicators.get(name)
    own = list(indicator.compute(inputs, indicator.resolve()).values())
    theirs = getattr(talib, name.upper())(inputs.close)
    for column, other in zip(own, theirs if isinstance(theirs, tuple) else [theirs], strict=True):
        known = slice(indicator.lookback(indicator.resolve()).bars - 1, None)
        np.testing.assert_allclose(column[known], other[known], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["sma", "ema", "wma", "dema", "tema", "trima", "kama", "mama", "hma", "zlema", "rma"])
def test_an_average_by_its_type_is_the_indicator_of_that_name(name: str, kind: str) -> None:
    """So that what holds for the one holds for all that take a type, and also where their columns begin late."""
    average, indicator = indicators.get("ma"), indicators.get(name)
    params = average.resolve(20, {"matype": name})
    (by_type,) = average.compute(BARS[kind], params).values()
    first, *_ = indicator.compute(BARS[kind], indicator.resolve(None if name == "mama" else 20)).values()
    settled = average.lookback(params).bars + (average.settling(params, FORGOTTEN) or 0)
    np.testing.assert_allclose(by_type[settled:], first[settled:], rtol=1e-12)

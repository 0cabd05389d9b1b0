"""TA-Lib's functions of the dominant cycle by their definitions, in decimals.

The definitions are John Ehlers' (Rocket Science for Traders, 2001), with the constants of
https://ta-lib.org/functions/. They begin with the first bar.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import cache, wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

DIGITS = 34
D = Decimal
Column = list[Decimal]
ZERO = D(0)
TINY = D(10) ** -DIGITS


def arctangent(value: Decimal) -> Decimal:
    if abs(value) > 1:
        return (PI / 2 if value > 0 else -PI / 2) - arctangent(1 / value)
    for _ in range(6):  # halves the angle
        value = value / (1 + (1 + value * value).sqrt())
    total, power, n = value, value, 1
    while abs(power) > TINY * abs(value):
        power *= -value * value
        n += 2
        total += power / n
    return total * 64


def sine(angle: Decimal) -> Decimal:
    angle %= 2 * PI
    total = term = angle
    n = 1
    while abs(term) > TINY:
        n += 2
        term *= -angle * angle / (n * (n - 1))
        total += term
    return total


PI = 4 * arctangent(D(1))
DEGREES = 180 / PI


def once(definition: Callable[[Column], Any]) -> Callable[[Column], Any]:
    """Work a definition out one time for each column."""
    found: dict[tuple[Decimal, ...], Any] = {}

    @wraps(definition)
    def worked_out(price: Column) -> Any:
        key = tuple(price)
        if key not in found:
            with localcontext(prec=DIGITS):
                found[key] = definition(price)
        return found[key]

    return worked_out


@once
def cycle(price: Column) -> tuple[Column, Column, Column, Column]:
    """Return smoothed prices, both components and the smoothed period."""
    smooth: Column = []
    trend: Column = []
    phased: Column = []
    ahead: Column = []
    periods: Column = []
    i2 = q2 = re = im = period = smoothed = ZERO

    def at(column: Column, back: int) -> Decimal:
        return column[-1 - back] if back < len(column) else ZERO

    def transform(column: Column) -> Decimal:
        far, near = at(column, 0) - at(column, 6), at(column, 2) - at(column, 4)
        return (D("0.0962") * far + D("0.5769") * near) * (D("0.075") * period + D("0.54"))

    for row in range(len(price)):
        smooth.append(sum(w * price[max(row - n, 0)] for n, w in enumerate((4, 3, 2, 1))) / 10)
        trend.append(transform(smooth))
        ahead.append(transform(trend))
        phased.append(at(trend, 3))
        last_i, last_q, last = i2, q2, period
        i2 = D("0.2") * (phased[-1] - transform(ahead)) + D("0.8") * last_i
        q2 = D("0.2") * (ahead[-1] + transform(phased)) + D("0.8") * last_q
        re = D("0.2") * (i2 * last_i + q2 * last_q) + D("0.8") * re
        im = D("0.2") * (i2 * last_q - q2 * last_i) + D("0.8") * im
        if re and im:
            period = 360 / (arctangent(im / re) * DEGREES)
        period = max(min(period, D("1.5") * last), D("0.67") * last)
        period = D("0.2") * min(max(period, D(6)), D(50)) + D("0.8") * last
        smoothed = D("0.33") * period + D("0.67") * smoothed
        periods.append(smoothed)
    return smooth, phased, ahead, periods


def whole(period: Decimal) -> int:
    return int(period + D("0.5"))


@cache
def turns(bars: int) -> list[tuple[Decimal, Decimal]]:
    return [(sine(2 * PI * n / bars), sine(2 * PI * n / bars + PI / 2)) for n in range(bars)]


@once
def phases(price: Column) -> Column:
    smooth, _, _, periods = cycle(price)
    found: Column = []
    for row, period in enumerate(periods):
        window = smooth[row::-1][: whole(period)]
        # Sines add up to nothing over a cycle, so that a level of prices has no part in the sums.
        moves = [(s, c, v - smooth[row]) for (s, c), v in zip(turns(whole(period)), window, strict=False)]
        real, imaginary = sum(s * v for s, _, v in moves), sum(c * v for _, c, v in moves)
        if not real and not imaginary:
            found.append(found[-1] if found else ZERO)
            continue
        phase = arctangent(real / imaginary) * DEGREES + 90 + 360 / period + (180 if imaginary < 0 else 0)
        found.append(phase - 360 if phase > 315 else phase)
    return found


@once
def sines(price: Column) -> tuple[Column, Column]:
    found = phases(price)
    return [sine(v / DEGREES) for v in found], [sine((v + 45) / DEGREES) for v in found]


@once
def trend_line(price: Column) -> Column:
    averages = []
    for row, period in enumerate(cycle(price)[3]):
        window = price[max(0, row - max(whole(period), 1) + 1) : row + 1]
        averages.append(sum(window) / len(window))
    return [sum(w * averages[max(row - n, 0)] for n, w in enumerate((4, 3, 2, 1))) / 10 for row in range(len(price))]


def trend_mode(price: Column) -> Column:
    smooth, _, _, periods = cycle(price)
    (sine_, lead), phase, line = sines(price), phases(price), trend_line(price)
    found, days = [], 0
    for row in range(len(price)):
        gap, past = sine_[row] - lead[row], sine_[row - 1] - lead[row - 1]
        crossed = (gap > 0 >= past) or (gap < 0 <= past)
        days = 1 if crossed else days + 1
        step, usual = phase[row] - phase[row - 1], 360 / periods[row]
        cyclic = crossed or days < periods[row] / 2 or D("0.67") * usual < step < D("1.5") * usual
        far = abs(smooth[row] / line[row] - 1) >= D("0.015")
        found.append(D(far or not cyclic))
    return found


def mama(price: Column, fast: Decimal, slow: Decimal) -> tuple[Column, Column]:
    _, phased, ahead, _ = cycle(price)
    value = follower = price[0]
    last, values, followers = ZERO, [], []
    for p, i, q in zip(price, phased, ahead, strict=True):
        phase = arctangent(q / i) * DEGREES if i else ZERO
        share = max(fast / max(last - phase, D(1)), slow)
        last = phase
        value += (p - value) * share
        follower += (value - follower) * share / 2
        values.append(value)
        followers.append(follower)
    return values, followers


def mavp(price: Column, shortest: int, longest: int) -> Column:
    found = []
    for row, period in enumerate(cycle(price)[3]):
        window = price[max(0, row - min(max(int(period), shortest), longest) + 1) : row + 1]
        found.append(sum(window) / len(window))
    return found


ORACLES: dict[str, Callable[[dict[str, Column], Any], Any]] = {
    "ht_dcperiod": lambda r, _: cycle(r["close"])[3],
    "ht_dcphase": lambda r, _: phases(r["close"]),
    "ht_phasor": lambda r, _: cycle(r["close"])[1:3],
    "ht_sine": lambda r, _: sines(r["close"]),
    "ht_trendline": lambda r, _: trend_line(r["close"]),
    "ht_trendmode": lambda r, _: trend_mode(r["close"]),
    "mama": lambda r, p: mama(r["close"], D(p["fastlimit"]), D(p["slowlimit"])),
    "mavp": lambda r, p: mavp(r["close"], p["minperiod"], p["maxperiod"]),
}
"""What the columns are, from the first row on, by output."""

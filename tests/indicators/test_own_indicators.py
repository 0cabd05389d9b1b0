"""openbell's own indicators, and some of TA-Lib's, equal to definitions spelled out bar by bar."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from how_many import examples
from openbell import indicators
from openbell.indicators import IndicatorInputs

MINUTE = 60_000_000_000
Rows = list[dict[str, float]]


@st.composite
def sessions_of_bars(draw: st.DrawFn) -> IndicatorInputs:
    """Up to 9 sessions of up to 12 five-minute bars each, some bars missing; prices in cents, volumes may be 0."""
    session, slot = [], []
    for number in range(draw(st.integers(1, 9))):
        slots = sorted(draw(st.sets(st.integers(0, 11), min_size=1)))
        session += [number] * len(slots)
        slot += slots
    rows = len(slot)
    # Drawn as bytes, in one go: 500 numbers drawn one by one take longer than all that is tested with them.
    drawn = np.frombuffer(draw(st.binary(min_size=5 * rows, max_size=5 * rows)), np.uint8).reshape(rows, 5)
    prices = (5_000 + drawn[:, :4].astype(np.int64) * 200 // 255) / 100
    volume = drawn[:, 4] % 10
    offset = np.array(slot, np.int64) * 5 * MINUTE
    return IndicatorInputs(
        open=np.ascontiguousarray(prices[:, 0]),
        high=prices.max(axis=1),
        low=prices.min(axis=1),
        close=np.ascontiguousarray(prices[:, 1]),
        volume=volume.astype(np.float64),
        session=np.array(session, np.int64) + 700,
        offset_ns=offset,
        end_offset_ns=offset + 5 * MINUTE,
    )


def compute(name: str, bars: IndicatorInputs, **params: Any) -> dict[str, np.ndarray]:
    indicator = indicators.get(name)
    return indicator.compute(bars, indicator.resolve(None, params))


def rows_of(bars: IndicatorInputs) -> Rows:
    names = ("open", "high", "low", "close", "volume", "session", "offset_ns", "end_offset_ns")
    return [dict(zip(names, values, strict=True)) for values in zip(*(getattr(bars, n) for n in names), strict=True)]


def by_row(bars: IndicatorInputs, value: Any) -> np.ndarray:
    """``value(rows so far)`` at each row."""
    rows = rows_of(bars)
    return np.array([value(rows[: n + 1]) for n in range(len(rows))], np.float64)


def of_today(rows: Rows) -> Rows:
    return [row for row in rows if row["session"] == rows[-1]["session"]]


def sessions_before(rows: Rows) -> list[Rows]:
    earlier = sorted({row["session"] for row in rows} - {rows[-1]["session"]})
    return [[row for row in rows if row["session"] == number] for number in earlier]


def mean(values: Any) -> float:
    values = list(values)
    return sum(values) / len(values) if values else math.nan


def assert_equal(actual: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-9, equal_nan=True)


@settings(max_examples=examples(20))
@given(sessions_of_bars())
def test_vwap_is_turnover_over_volume_since_the_open(bars: IndicatorInputs) -> None:
    def vwap(rows: Rows) -> float:
        today = of_today(rows)
        typical = [(r["high"] + r["low"] + r["close"]) / 3 for r in today]
        traded = sum(r["volume"] for r in today)
        turnover = sum(t * r["volume"] for t, r in zip(typical, today, strict=True))
        return turnover / traded if traded else mean(typical)

    assert_equal(compute("vwap", bars)["value"], by_row(bars, vwap))


@settings(max_examples=examples(20))
@given(sessions_of_bars())
def test_twap_is_the_mean_of_the_bars_since_the_open(bars: IndicatorInputs) -> None:
    def twap(rows: Rows) -> float:
        return mean((r["open"] + r["high"] + r["low"] + r["close"]) / 4 for r in of_today(rows))

    assert_equal(compute("twap", bars)["value"], by_row(bars, twap))


@settings(max_examples=examples(20))
@given(sessions_of_bars())
def test_session_high_low_begins_afresh_at_each_open(bars: IndicatorInputs) -> None:
    found = compute("session_high_low", bars)

    assert_equal(found["high"], by_row(bars, lambda rows: max(r["high"] for r in of_today(rows))))
    assert_equal(found["low"], by_row(bars, lambda rows: min(r["low"] for r in of_today(rows))))


@settings(max_examples=examples(20))
@given(sessions_of_bars(), st.sampled_from([1, 5, 7, 15, 30, 59]))
def test_opening_range_is_told_only_when_its_minutes_are_over(bars: IndicatorInputs, minutes: int) -> None:
    def high(rows: Rows) -> float:
        within = [r["high"] for r in of_today(rows) if r["offset_ns"] < minutes * MINUTE]
        return max(within) if within and rows[-1]["end_offset_ns"] >= minutes * MINUTE else math.nan

    assert_equal(compute("opening_range", bars, minutes=minutes)["high"], by_row(bars, high))


@settings(max_examples=examples(20))
@given(sessions_of_bars())
def test_prior_day_and_what_is_made_of_it(bars: IndicatorInputs) -> None:
    def prior(field: str, of: Any) -> np.ndarray:
        def value(rows: Rows) -> float:
            before = sessions_before(rows)
            return of([r[field] for r in before[-1]]) if before else math.nan

        return by_row(bars, value)

    high, low, close = prior("high", max), prior("low", min), prior("close", lambda values: values[-1])
    found, pivots = compute("prior_day", bars), compute("pivot_points", bars)
    pivot = (high + low + close) / 3
    opened = by_row(bars, lambda rows: of_today(rows)[0]["open"])

    assert_equal(found["high"], high)
    assert_equal(found["low"], low)
    assert_equal(found["close"], close)
    assert_equal(pivots["pivot"], pivot)
    assert_equal(pivots["r1"] + pivots["s1"], 4 * pivot - high - low)
    assert_equal(pivots["r2"] - pivots["s2"], 2 * (high - low))
    assert_equal(pivots["r3"] - pivots["r1"], high - low)
    assert_equal(compute("gap", bars)["value"], 100 * (opened - close) / close)


@settings(max_examples=examples(20))
@given(sessions_of_bars(), st.integers(1, 4))
def test_gap_stats_count_the_complete_sessions_before(bars: IndicatorInputs, sessions: int) -> None:
    def gaps(rows: Rows) -> list[tuple[float, bool]]:
        days = sessions_before(rows)
        pairs = list(pairwise(days))[-sessions:]
        if len(pairs) < sessions:
            return []
        closes = [(before[-1]["close"], day) for before, day in pairs]
        return [
            (
                100 * (day[0]["open"] / close - 1),
                min(r["low"] for r in day) <= close <= max(r["high"] for r in day),
            )
            for close, day in closes
        ]

    found = compute("gap_stats", bars, sessions=sessions)

    assert_equal(found["mean"], by_row(bars, lambda rows: mean(g for g, _ in gaps(rows))))
    assert_equal(found["mean_size"], by_row(bars, lambda rows: mean(abs(g) for g, _ in gaps(rows))))
    assert_equal(found["up_share"], by_row(bars, lambda rows: mean(g > 0 for g, _ in gaps(rows))))
    assert_equal(found["filled_share"], by_row(bars, lambda rows: mean(f for _, f in gaps(rows))))


@settings(max_examples=examples(20))
@given(sessions_of_bars(), st.integers(1, 5))
def test_high_low_reaches_over_sessions_with_this_one_among_them(bars: IndicatorInputs, sessions: int) -> None:
    def highest(rows: Rows) -> float:
        before = sessions_before(rows)
        if len(before) < sessions - 1:
            return math.nan
        days = [*before[len(before) - sessions + 1 :], of_today(rows)]
        return max(r["high"] for day in days for r in day)

    assert_equal(compute("high_low", bars, sessions=sessions)["high"], by_row(bars, highest))


@settings(max_examples=examples(20))
@given(sessions_of_bars(), st.integers(1, 4))
def test_relative_volume_compares_with_the_same_time_of_day(bars: IndicatorInputs, sessions: int) -> None:
    def relative(rows: Rows) -> float:
        before = sessions_before(rows)[-sessions:]
        if len(before) < sessions:
            return math.nan
        usual = mean(r["volume"] for day in before for r in day if r["offset_ns"] == rows[-1]["offset_ns"])
        return rows[-1]["volume"] / usual if usual > 0 else math.nan

    assert_equal(compute("relative_volume", bars, sessions=sessions)["value"], by_row(bars, relative))


@settings(max_examples=examples(20))
@given(sessions_of_bars(), st.integers(1, 4))
def test_swings_are_stamped_when_they_are_confirmed(bars: IndicatorInputs, period: int) -> None:
    def swing_high(rows: Rows) -> float:
        highs = [r["high"] for r in rows]
        for row in range(len(highs) - period - 1, period - 1, -1):
            before, after = highs[row - period : row], highs[row + 1 : row + period + 1]
            if max(before) <= highs[row] > max(after):
                return highs[row]
        return math.nan

    mirrored = IndicatorInputs(
        *(getattr(bars, n) for n in ("open", "high")),
        low=-bars.high,
        close=bars.close,
        volume=bars.volume,
        session=bars.session,
        offset_ns=bars.offset_ns,
        end_offset_ns=bars.end_offset_ns,
    )

    assert_equal(compute("swing_high", bars, period=period)["value"], by_row(bars, swing_high))
    assert_equal(compute("swing_low", mirrored, period=period)["value"], -by_row(bars, swing_high))


@settings(max_examples=examples(20))
@given(sessions_of_bars(), st.integers(2, 6))
def test_ratios_compare_with_the_bars_before(bars: IndicatorInputs, period: int) -> None:
    def volume_ratio(rows: Rows) -> float:
        before = [r["volume"] for r in rows[-period - 1 : -1]]
        return rows[-1]["volume"] / mean(before) if len(before) == period and sum(before) else math.nan

    ranges = bars.high - bars.low
    found = compute("range_ratio", bars, period=period)["value"][period:]
    usual = compute("avg_range", bars, period=period)["value"][period - 1 : -1]

    assert_equal(compute("volume_ratio", bars, period=period)["value"], by_row(bars, volume_ratio))
    moved = usual > 1e-6
    assert_equal((found * usual)[moved], ranges[period:][moved])


@settings(max_examples=examples(20))
@given(sessions_of_bars(), st.integers(2, 6))
def test_histvol_is_the_deviation_of_a_sample_over_a_year(bars: IndicatorInputs, period: int) -> None:
    returns = np.diff(np.log(bars.close))
    expected = np.full(len(bars), np.nan)
    for row in range(period, len(bars)):
        expected[row] = 100 * np.std(returns[row - period : row], ddof=1) * math.sqrt(252)

    found = compute("histvol", bars, period=period)["value"]

    assert_equal(found, expected)


@settings(max_examples=examples(20))
@given(sessions_of_bars(), st.integers(2, 9))
def test_donchian_is_the_highest_high_and_lowest_low(bars: IndicatorInputs, period: int) -> None:
    def over(rows: Rows, field: str, of: Any) -> float:
        return of(r[field] for r in rows[-period:]) if len(rows) >= period else math.nan

    found = compute("donchian", bars, timeperiod=period)

    assert_equal(found["upperband"], by_row(bars, lambda rows: over(rows, "high", max)))
    assert_equal(found["lowerband"], by_row(bars, lambda rows: over(rows, "low", min)))
    assert_equal(found["middleband"], (found["upperband"] + found["lowerband"]) / 2)


@settings(max_examples=examples(20))
@given(sessions_of_bars(), st.integers(2, 16))
def test_hma_is_hulls_average(bars: IndicatorInputs, period: int) -> None:
    def wma(values: np.ndarray, n: int) -> np.ndarray:
        weights = np.arange(1, n + 1)
        result = np.full(len(values), np.nan)
        for row in range(n - 1, len(values)):
            result[row] = (values[row - n + 1 : row + 1] * weights).sum() / weights.sum()
        return result

    raw = 2 * wma(bars.close, period // 2) - wma(bars.close, period)

    np.testing.assert_allclose(
        compute("hma", bars, timeperiod=period)["value"], wma(raw, math.isqrt(period)), rtol=1e-9
    )


@settings(max_examples=examples(20))
@given(sessions_of_bars(), st.integers(2, 5), st.sampled_from([0.5, 1.0, 3.0]))
def test_supertrend_ratchets_until_the_close_crosses_it(bars: IndicatorInputs, period: int, multiplier: float) -> None:
    found = compute("supertrend", bars, timeperiod=period, multiplier=multiplier)
    width = multiplier * compute("atr", bars, timeperiod=period)["value"]
    middle, close = (bars.high + bars.low) / 2, bars.close
    below, above, up = middle - width, middle + width, found["trend"] == 1
    for row in range(period + 1, len(bars)):
        if close[row - 1] >= below[row - 1]:
            below[row] = max(below[row], below[row - 1])
        if close[row - 1] <= above[row - 1]:
            above[row] = min(above[row], above[row - 1])
        up[row] = close[row] >= below[row] if up[row - 1] else close[row] > above[row]

    assert_equal(found["supertrend"], np.where(up, below, above))
    assert_equal(found["trend"][period:], np.where(up, 1, -1)[period:])


@settings(max_examples=examples(20))
@given(sessions_of_bars(), st.integers(2, 6), st.integers(1, 6))
def test_keltner_is_an_average_of_closes_with_true_ranges_around(
    bars: IndicatorInputs, period: int, atr_period: int
) -> None:
    found = compute("keltner", bars, period=period, atr_period=atr_period, multiplier=1.5)
    ready = slice(max(period - 1, atr_period), None)
    average = compute("ema", bars, timeperiod=period)["value"][ready]
    ranges = compute("atr", bars, timeperiod=atr_period)["value"][ready]

    assert_equal(found["middleband"][ready], average)
    assert_equal(found["upperband"][ready], average + 1.5 * ranges)
    assert_equal(found["lowerband"][ready], average - 1.5 * ranges)


@settings(max_examples=examples(20))
@given(sessions_of_bars())
def test_pvt_adds_volume_by_relative_change(bars: IndicatorInputs) -> None:
    change = np.diff(bars.close) / bars.close[:-1]

    assert_equal(compute("pvt", bars)["value"], np.cumsum(np.concatenate([[0.0], change * bars.volume[1:]])))


def test_mavp_takes_its_periods_from_the_dominant_cycle(five_minutes: IndicatorInputs) -> None:
    bars = five_minutes[:300]
    cycle = compute("ht_dcperiod", bars)["value"]
    found = compute("mavp", bars, minperiod=5, maxperiod=25)["value"]
    row = 200
    period = int(min(max(cycle[row], 5), 25))

    assert found[row] == pytest.approx(compute("sma", bars, timeperiod=period)["value"][row], rel=1e-12)


def test_before_the_open_there_is_no_opening_range_and_vwap_counts_from_the_first_bar() -> None:
    offset = np.array([-60, -30, 0, 5], np.int64) * MINUTE
    price = np.array([10.0, 11.0, 12.0, 13.0])
    bars = IndicatorInputs(price, price, price, price, np.ones(4), np.zeros(4, np.int64), offset, offset + 5 * MINUTE)

    np.testing.assert_array_equal(compute("opening_range", bars, minutes=10)["high"], [np.nan, np.nan, np.nan, 13.0])
    np.testing.assert_array_equal(compute("vwap", bars)["value"], [10.0, 10.5, 11.0, 11.5])


def test_a_symbol_that_trades_later_than_the_first_minutes_has_no_opening_range() -> None:
    """As a symbol of New York on a calendar of London."""
    offset = np.arange(390, 510, 5, dtype=np.int64) * MINUTE
    price = np.linspace(10.0, 11.0, len(offset))
    session = np.zeros(len(offset), np.int64)
    bars = IndicatorInputs(price, price, price, price, np.ones(len(offset)), session, offset, offset + 5 * MINUTE)

    assert np.isnan(compute("opening_range", bars, minutes=30)["high"]).all()

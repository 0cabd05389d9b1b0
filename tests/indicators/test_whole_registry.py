"""What every indicator of the registry promises, plug-ins included: readiness, causality, settling, outputs, keys.

And that many symbols at once have, to the bit, the values of each by itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from each_indicator import each_of
from openbell import indicators
from openbell.indicators.inputs import StackedInputs
from openbell.model.bars import PRICE_COLUMNS

if TYPE_CHECKING:
    from openbell.indicators import Indicator, IndicatorInputs

TOLERANCE = 1e-4
NAMES = indicators.names()
FEWER_SESSIONS = {"high_low": {"sessions": 12}}
"""Parameters where the default needs more sessions than the data has."""


def suited(name: str, inputs: IndicatorInputs) -> IndicatorInputs:
    """The inputs, brought to where the formula is defined: arc functions take values from -1 to 1."""
    if name in ("acos", "asin"):
        return replace(inputs, close=np.sin(inputs.close))
    return inputs


def variations(indicator: Indicator, seed: int, count: int) -> list[dict[str, Any]]:
    """The default parameters, and others drawn from what the indicator takes."""
    random = np.random.default_rng(seed)
    drawn = [indicator.resolve(None, FEWER_SESSIONS.get(indicator.name))]
    while indicator.parameters and len(drawn) <= count:
        params = {}
        for p in indicator.parameters:
            if p.choices:
                params[p.name] = int(random.integers(0, 14))
            elif p.type is int:
                params[p.name] = int(random.integers(p.minimum or 0, 24))
            else:
                # Acceleration and the like at their defaults or beside: far off, prices run away from the bars.
                params[p.name] = p.default
        if indicator.name == "mavp":
            params["minperiod"], params["maxperiod"] = sorted((params["minperiod"], params["maxperiod"]))
        drawn.append(indicator.resolve(None, params))
    return drawn


def same(left: np.ndarray, right: np.ndarray) -> bool:
    """Bit for bit, with NaN where there is NaN."""
    return left.tobytes() == right.tobytes() or bool(np.array_equal(left, right, equal_nan=True))


@each_of(name for name in NAMES if not indicators.get(name).intraday_only)
def test_it_is_ready_with_its_lookback_and_not_one_bar_before(name: str, daily: IndicatorInputs) -> None:
    indicator = indicators.get(name)
    for params in variations(indicator, seed=1, count=3):
        needed = indicator.lookback(params).bars
        bars = suited(name, daily)[2000 : 2000 + needed]
        if indicator.sparse:
            peak = np.abs(np.arange(needed) - needed // 2, dtype=np.float64)
            bars = replace(bars, high=200 - peak, low=100 + peak)
        before = indicator.compute(bars[: needed - 1], params)
        enough = indicator.compute(bars, params)

        assert all(np.isnan(column).all() for column in before.values()), params
        assert all(np.isfinite(column[-1]) for column in enough.values()), params
        assert indicator.ready(bars, params).tolist() == [False] * (needed - 1) + [True]


class TestEveryIndicator:
    @each_of(NAMES)
    def test_over_any_number_of_bars_it_gives_as_many_values(self, name: str, five_minutes: IndicatorInputs) -> None:
        indicator = indicators.get(name)
        params = indicator.resolve()
        for rows in range(min(indicator.lookback(params).bars, 60) + 1):
            columns = indicator.compute(suited(name, five_minutes)[:rows], params)
            assert [len(column) for column in columns.values()] == [rows] * len(columns)

    @each_of(NAMES)
    def test_within_sessions_it_has_a_value_exactly_where_it_is_ready(
        self, name: str, five_minutes: IndicatorInputs
    ) -> None:
        indicator = indicators.get(name)
        params = indicator.resolve(None, FEWER_SESSIONS.get(name))
        bars = suited(name, five_minutes)[:3000]
        ready = indicator.ready(bars, params)

        assert ready.any()
        for column in indicator.compute(bars, params).values():
            if indicator.sparse:
                assert not np.isfinite(column[~ready]).any()
                assert np.isfinite(column[ready][100:]).all()
            else:
                np.testing.assert_array_equal(np.isfinite(column), ready)

    @each_of(NAMES)
    def test_what_it_computes_on_a_prefix_is_the_prefix_of_the_whole(
        self, name: str, five_minutes: IndicatorInputs
    ) -> None:
        indicator = indicators.get(name)
        lengths = np.random.default_rng(7).integers(2, 2500, 12).tolist()
        for params in variations(indicator, seed=2, count=2):
            bars = suited(name, five_minutes)[:2500]
            whole = indicator.compute(bars, params)
            needed = indicator.lookback(params).bars
            for length in (0, 1, max(needed - 1, 0), needed, needed + 1, *lengths):
                for output, column in indicator.compute(bars[:length], params).items():
                    assert same(column, whole[output][:length]), (params, length, output)

    @each_of(NAMES)
    def test_settled_it_is_within_the_tolerance_of_ten_times_the_history(
        self, name: str, five_minutes: IndicatorInputs, daily: IndicatorInputs
    ) -> None:
        indicator = indicators.get(name)
        params = indicator.resolve(None, FEWER_SESSIONS.get(name))
        settling = indicator.settling(params, TOLERANCE)
        if settling is None:
            self._assert_its_beginning_shows_for_ever(indicator, suited(name, five_minutes))
            return
        need = indicator.lookback(params)
        bars = suited(name, five_minutes)
        ends = np.random.default_rng(11).integers(20_000, len(bars), 8).tolist()
        for end in ends:
            if indicator.session_aware:
                short, long = (self._begin_of_session(bars, end, n * need.sessions + n - 1) for n in (1, 10))
            else:
                short, long = end - (need.bars + settling), end - 10 * (need.bars + settling)
            near = indicator.compute(bars[max(short, 0) : end], params)
            far = indicator.compute(bars[max(long, 0) : end], params)
            for output, column in far.items():
                # Where an oscillator crosses zero there is no relative error; there its usual size is meant.
                size = max(abs(column[-1]), float(np.nanmedian(np.abs(column))))
                assert abs(near[output][-1] - column[-1]) <= TOLERANCE * size, (end, output)

    @staticmethod
    def _begin_of_session(bars: IndicatorInputs, end: int, sessions_before: int) -> int:
        return int(np.searchsorted(bars.session, bars.session[end - 1] - sessions_before))

    @staticmethod
    def _assert_its_beginning_shows_for_ever(indicator: Indicator, bars: IndicatorInputs) -> None:
        params = indicator.resolve()
        early = indicator.compute(bars[:20_000], params)
        late = indicator.compute(bars[10_000:20_000], params)

        assert any(early[output][-1] != late[output][-1] for output in early)

    @each_of(NAMES)
    def test_its_outputs_are_float_columns_of_the_length_of_the_bars(
        self, name: str, five_minutes: IndicatorInputs
    ) -> None:
        indicator = indicators.get(name)
        params = indicator.resolve()
        computed = indicator.compute(five_minutes[:50], params)

        assert tuple(computed) == indicator.outputs(params)
        assert len(computed) > 1 or tuple(computed) == ("value",)
        assert {(column.dtype.name, column.shape) for column in computed.values()} == {("float64", (50,))}

    @each_of(NAMES)
    def test_it_reads_only_the_inputs_that_it_names(self, name: str, five_minutes: IndicatorInputs) -> None:
        indicator = indicators.get(name)
        params = indicator.resolve(None, FEWER_SESSIONS.get(name))
        bars = suited(name, five_minutes)[:1500]
        others = {column: np.empty(0) for column in PRICE_COLUMNS if column not in indicator.inputs}

        bare = indicator.compute(replace(bars, **others), params)

        assert all(same(column, bare[output]) for output, column in indicator.compute(bars, params).items())

    @each_of(NAMES)
    def test_its_key_names_it_and_all_its_parameters(self, name: str) -> None:
        indicator = indicators.get(name)
        for params in variations(indicator, seed=3, count=3):
            key = indicators.key(name, params, "5m")

            assert key.startswith(name)
            assert indicators.parse_key(key) == (name, params, "5m")
            assert indicators.parse_key(f"{name}_15m") == (name, indicator.resolve(), "15m")

    @each_of(NAMES)
    def test_it_says_what_it_is(self, name: str) -> None:
        indicator = indicators.get(name.upper())

        assert indicator.name == name == name.lower()
        assert indicator.title
        assert indicator.group
        assert indicator.about
        assert indicator.inputs
        assert set(indicator.inputs) <= set(PRICE_COLUMNS)
        assert all(p.read(p.default, name) == p.default for p in indicator.parameters)


def test_talibs_whole_list_is_there() -> None:
    import talib

    listed = {name.lower() for name in talib.get_functions()}

    assert len(listed) > 150
    assert listed <= set(NAMES)
    assert "vwap_cumulative" in NAMES, "TA-Lib's own vwap, which is not anchored to the session"


def test_what_talib_lacks_is_there() -> None:
    assert {
        *("vwap", "twap", "opening_range", "prior_day", "gap", "session_high_low", "relative_volume", "pivot_points"),
        *("donchian", "keltner", "hma", "supertrend", "swing_high", "swing_low", "avg_volume", "avg_range"),
        *("volume_ratio", "range_ratio", "gap_stats", "high_low", "histvol", "pvt"),
    } <= set(NAMES)


def test_every_function_that_talib_calls_unstable_has_a_settling_length() -> None:
    from talib import abstract, get_functions

    def flags(function: str) -> str:
        return " ".join(abstract.Function(function).function_flags)

    unstable = [f.lower() for f in get_functions() if "unstable period" in flags(f)]

    assert len(unstable) > 15
    assert [name for name in unstable if indicators.get(name).settling(indicators.get(name).resolve()) == 0] == []


@pytest.mark.parametrize(
    "name",
    ["ad", "obv", "pvt", "nvi", "pvi", "wad", "cumsum", "vwap_cumulative", "maxindex", "minindex", "minmaxindex"],
)
def test_cumulative_ones_say_that_they_never_settle(name: str) -> None:
    indicator = indicators.get(name)

    assert indicator.settling(indicator.resolve()) is None


STACKED_ROWS = 400


def symbols_at_one_time(bars: IndicatorInputs) -> list[IndicatorInputs]:
    """The prices of five stretches at the times of the first: as they are, in cents, and without any trade."""
    times = bars[:STACKED_ROWS]
    found = []
    for number in range(5):
        prices = bars[number * STACKED_ROWS : (number + 1) * STACKED_ROWS]
        one = replace(prices, session=times.session, offset_ns=times.offset_ns, end_offset_ns=times.end_offset_ns)
        if number in (1, 3):
            cents = {name: np.round(getattr(one, name), 2) for name in ("open", "high", "low", "close")}
            one = replace(one, **cents)
        elif number == 2:
            flat = np.full(STACKED_ROWS, 100.0)
            one = replace(one, open=flat, high=flat, low=flat, close=flat, volume=np.zeros(STACKED_ROWS))
        found.append(one)
    return found


@each_of(NAMES)
def test_symbols_that_are_computed_together_have_the_values_of_each_alone(
    name: str, five_minutes: IndicatorInputs
) -> None:
    indicator = indicators.get(name)
    together = StackedInputs(symbols_at_one_time(suited(name, five_minutes)))
    for params in variations(indicator, seed=5, count=2):
        found = together.compute(indicator, params)

        for place, inputs in enumerate(together.symbols):
            for output, column in indicator.compute(inputs, params).items():
                assert found[output][place].tobytes() == column.tobytes(), (params, place, output)


@pytest.mark.parametrize("name", ["roc", "ln", "rsi", "sma"])
def test_a_symbol_with_prices_below_zero_changes_no_other(name: str, five_minutes: IndicatorInputs) -> None:
    indicator = indicators.get(name)
    params, symbols = indicator.resolve(), symbols_at_one_time(five_minutes)
    fallen = np.array(symbols[1].close)
    fallen[100:110] -= 300.0
    symbols[1] = replace(symbols[1], close=fallen)

    found = StackedInputs(symbols).compute(indicator, params)

    for place, inputs in enumerate(symbols):
        for output, column in indicator.compute(inputs, params).items():
            assert found[output][place].tobytes() == column.tobytes(), (place, output)

"""Whoever adds an indicator gets its values, or the reason why it was refused, in every place where it is missed."""

from __future__ import annotations

import math
import operator
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from openbell.components.context import SessionContext
from openbell.config import IndicatorConfig
from openbell.errors import ComponentError, ConfigError, DataError
from openbell.testing import advance, probe_strategy
from probes import engine, prepared

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openbell.engine.system import SystemManager

SMA5 = IndicatorConfig("sma", period=20, interval="5m")
MACD = IndicatorConfig("macd", interval="5m")
LONG = IndicatorConfig("sma", period=9000, interval="1m")
NEEDS = "needs 9000 bars of 1m, has "


def context_of(system: SystemManager) -> SessionContext:
    return SessionContext(system.coordinator.provisioner, system.time_manager, source="strategy", owner="strategy Test")


@pytest.fixture
def system(minute_store: Path) -> SystemManager:
    return prepared(minute_store)


def test_what_was_added_reads_the_indicator_as_it_changes(system: SystemManager) -> None:
    context = context_of(system)
    added = context.add_indicator("AIG", SMA5)
    assert added
    assert (added.symbol, added.key, added.reason) == ("AIG", "sma_20_5m", "")

    for clock in ("10:00", "11:30"):
        advance(system, clock)
        data = context.indicator("AIG", "sma_20_5m")
        assert (added.value, added.valid, added.settled) == (data.value, True, True)
        assert added.values.tobytes() == data.values.tobytes()

    context.add_indicator("AIG", IndicatorConfig("sma", period=300, interval="5m"))
    assert context.indicator("AIG", "sma_20_5m") is not data, "the series reaches further back now"
    assert added.value == data.value

    context.remove_symbol("AIG")
    with pytest.raises(DataError, match="sma_20_5m of AIG was added, and has been removed since"):
        _ = added.value


def test_several_are_one_result_per_symbol_and_read_one_by_one(system: SystemManager) -> None:
    context = context_of(system)
    added = context.add_indicators(["AIG", "NOPE"], [SMA5, MACD])
    assert {symbol: bool(one) for symbol, one in added.items()} == {"AIG": True, "NOPE": False}

    average, macd = added["AIG"]
    assert (average.key, macd.key) == ("sma_20_5m", "macd_12_26_9_5m")
    assert isinstance(average.value, float)
    assert macd.value == context.indicator("AIG", "macd_5m").value
    assert macd.output("macdsignal").tobytes() == context.indicator("AIG", "macd_5m").output("macdsignal").tobytes()
    with pytest.raises(ConfigError, match="that of sma_20_5m, macd_12_26_9_5m; take one of it"):
        _ = added["AIG"].value
    assert "no bars of NOPE" in added["NOPE"].reason


def test_what_was_refused_says_why_wherever_it_is_missed(
    system: SystemManager, capsys: pytest.CaptureFixture[str]
) -> None:
    context = context_of(system)
    added = context.add_indicator("AIG", LONG)

    assert not added
    assert not added.valid
    assert not added.settled
    assert NEEDS in added.reason
    assert "refused" in repr(added)
    for read in (lambda: added.value, lambda: added.values, lambda: context.indicator("AIG", "sma_9000_1m")):
        with pytest.raises(DataError, match=NEEDS):
            read()
    with pytest.raises(DataError, match=r"no 1m bars of AIG .* strategy Test asked for it at 09:30:00 and was refused"):
        context.bars("AIG", "1m")
    log = capsys.readouterr().err
    assert "warning" in log
    assert NEEDS in log


@pytest.mark.parametrize(
    ("ask", "read"),
    [
        (lambda c: c.add_symbol("NOPE"), lambda c: c.bars("NOPE", "5m")),
        (lambda c: c.add_symbol("NOPE"), lambda c: c.indicator("NOPE", "rsi_14_1m")),
        (lambda c: c.add_symbols(["NOPE"])["NOPE"], lambda c: c.bars("NOPE", "1m")),
        (lambda c: c.add_bar("NOPE", "15m"), lambda c: c.bars("NOPE", "15m")),
        (lambda c: c.add_indicator("AIG", LONG), lambda c: c.indicator("AIG", "sma_9000_1m")),
        (lambda c: c.session_data.add_indicator_unified("AIG", LONG), lambda c: c.indicator("AIG", "sma_9000_1m")),
        (lambda c: c.session_data.add_bar_unified("NOPE", "15m"), lambda c: c.bars("NOPE", "15m")),
    ],
)
def test_any_refused_addition_is_named_with_its_reason(
    system: SystemManager, ask: Callable[[SessionContext], bool], read: Callable[[SessionContext], object]
) -> None:
    context = context_of(system)
    assert not ask(context)
    with pytest.raises(DataError, match=r"at 09:30:00 and was refused: .*(needs 9000 bars|no bars of NOPE)"):
        read(context)


def test_a_config_symbol_that_was_dropped_is_named_with_its_reason(minute_store: Path) -> None:
    context = context_of(prepared(minute_store, symbols=["SPY", "NOPE"]))
    with pytest.raises(DataError, match=r"config asked for it at 09:30:00 and was refused: .* no bars of NOPE"):
        context.bars("NOPE", "5m")


def test_an_addition_that_succeeds_later_is_no_longer_called_refused(system: SystemManager) -> None:
    context = context_of(system)
    assert not context.add_indicators(["AIG"], [SMA5, LONG])["AIG"]
    assert context.add_indicator("AIG", SMA5)
    context.remove_symbol("AIG")

    with pytest.raises(DataError, match=r"Add it with context\.add_indicator"):
        context.indicator("AIG", "sma_20_5m")
    with pytest.raises(DataError, match=NEEDS):
        context.indicator("AIG", "sma_9000_1m")


def test_a_strategy_that_reads_what_was_refused_dies_with_the_reason(minute_store: Path) -> None:
    strategy = probe_strategy(
        subscriptions=[("SPY", "1m")],
        setup=lambda self: self.context.add_indicator("SPY", LONG),
        on_bar=lambda self, bar: self.context.indicator("SPY", "sma_9000_1m").value,
    )
    with pytest.raises(ComponentError, match=f"asked for it at 09:30:00 and was refused: SPY sma_9000_1m {NEEDS}"):
        engine(minute_store, strategies=[strategy]).run()


NUMBERS = (5, 5.0, np.float64(5), np.int64(5), np.array([1.0, 2.0]))
PAIRS: tuple[Any, ...] = (
    *(operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne),
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow),
)


@pytest.mark.parametrize("config", [SMA5, LONG])
def test_used_as_a_number_it_says_to_use_its_value(system: SystemManager, config: IndicatorConfig) -> None:
    context = context_of(system)
    added = context.add_indicator("SPY", config)
    items: list[Any] = [added, context.indicator("SPY", "sma_20_5m")] if added else [added]
    for item in items:
        for use, number in product(PAIRS, NUMBERS):
            for pair in ((item, number), (number, item)):
                with pytest.raises(TypeError, match=r"use \.value"):
                    use(*pair)
        for one in (float, int, abs, round, math.isnan, operator.neg):
            with pytest.raises(TypeError, match=r"use \.value"):
                one(item)
        with pytest.raises(TypeError, match=r"use \.value"):
            operator.lt(item, item)
        assert operator.eq(item, item)
        assert item not in ("sma_20_5m", None)
        assert {item: 1}[item] == 1


def test_the_unified_additions_of_the_specification_return_plain_truth(system: SystemManager) -> None:
    data = system.session_data
    assert data.add_indicator_unified("AIG", SMA5) is True
    assert data.add_indicator_unified("AIG", LONG) is False
    assert data.add_bar_unified("AIG", "15m") is True


@pytest.mark.parametrize("use", [np.asarray, np.array, np.isnan, lambda one: f"{one:.2f}", lambda one: np.add(one, 1)])
def test_neither_numpy_nor_a_format_takes_it_for_a_number(system: SystemManager, use: Any) -> None:
    context = context_of(system)
    for one in (context.add_indicator("AIG", SMA5), context.indicator("AIG", "sma_20_5m")):
        with pytest.raises(TypeError, match=r"use \.value|__array_ufunc__"):
            use(one)
        assert f"{one}" == str(one)

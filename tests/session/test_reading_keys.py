"""Indicators are read by their keys in one way everywhere, and a misspelt key never reads as one that is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openbell.components.context import SessionContext
from openbell.config import IndicatorConfig
from openbell.errors import ConfigError, DataError
from openbell.testing import probe_strategy
from probes import engine, local_time, prepared

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.engine.system import SystemManager

SPELLINGS = ("macd_12_26_9_15m", "macd_15m", "macd_12_15m", "MACD_12_26_15m", " macd_15m ", "macd_12_26_9_900s")


@pytest.fixture
def context(minute_store: Path) -> SessionContext:
    system: SystemManager = prepared(minute_store)
    made = SessionContext(system.coordinator.provisioner, system.time_manager, source="strategy", owner="strategy T")
    assert made.add_indicator("SPY", IndicatorConfig("macd", interval="15m"))
    return made


@pytest.mark.parametrize("key", SPELLINGS)
def test_trailing_parameters_case_and_equal_intervals_may_be_written_otherwise(
    context: SessionContext, key: str
) -> None:
    data = context.session_data.current["SPY"].indicators["macd_12_26_9_15m"]
    assert context.indicator("SPY", key) is data
    assert context.session_data.get_indicator("SPY", key) is data


@pytest.mark.parametrize("symbol", ["SPY", "AIG", "NOPE"])
@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("madc_15m", "unknown indicator 'madc'.* Did you mean .*'macd'"),
        ("macd_15n", "15n"),
        ("macd_1_2_3_4_15m", "takes fastperiod, slowperiod, signalperiod, and 4 are given"),
        ("macd_x_15m", "must be a number"),
        ("macd", "bad indicator key 'macd'"),
    ],
)
def test_a_typo_raises_whatever_it_is_read_by(context: SessionContext, symbol: str, key: str, words: str) -> None:
    for read in (context.indicator, context.session_data.get_indicator):
        with pytest.raises(ConfigError, match=words):
            read(symbol, key)


def test_a_right_key_of_what_is_not_there_is_none_or_an_error_that_has_the_nearest_symbol(
    context: SessionContext,
) -> None:
    assert context.session_data.get_indicator("SPY", "macd_5m") is None
    assert context.session_data.get_indicator("NOPE", "macd_15m") is None
    with pytest.raises(DataError, match=r"no indicator macd_15m of SYP \(it has nothing\. Did you mean 'SPY'\?\)"):
        context.indicator("SYP", "macd_15m")


def test_a_cross_section_reads_the_same_keys(minute_store: Path) -> None:
    seen: list[Any] = []

    def on_slice(self: Any, bars: Any) -> None:
        if local_time(self.context) == "15:00":
            seen.extend(bars.indicator(key).tobytes() for key in SPELLINGS)
            for key in ("madc_15m", "macd_15n"):
                with pytest.raises(ConfigError):
                    bars.indicator(key)

    strategy = probe_strategy(
        setup=lambda self: self.context.add_indicator("SPY", IndicatorConfig("macd", interval="15m")),
        subscriptions=[("SPY", "15m")],
        on_slice=on_slice,
    )
    engine(minute_store, strategies=[strategy]).run()
    assert len(seen) == len(SPELLINGS)
    assert len(set(seen)) == 1

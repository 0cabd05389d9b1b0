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


READINGS: dict[str, Any] = {
    "bars": lambda c, s: c.bars(s, "1m"),
    "indicator": lambda c, s: c.indicator(s, "macd_15m"),
    "get_symbol_data": lambda c, s: c.session_data.get_symbol_data(s),
    "get_bars": lambda c, s: c.session_data.get_bars(s, "1m"),
    "get_indicator": lambda c, s: c.session_data.get_indicator(s, "macd_15m"),
}


@pytest.mark.parametrize("symbol", [None, ["SPY"], ("SPY",), 1, ""], ids=repr)
@pytest.mark.parametrize("way", READINGS)
def test_what_is_no_symbol_is_read_nowhere(context: SessionContext, way: str, symbol: Any) -> None:
    with pytest.raises(ConfigError, match="a symbol is a text such as 'SPY', not"):
        READINGS[way](context, symbol)


@pytest.mark.parametrize("key", [None, ["macd_15m"], 5, "", "macd", "macd_", "sma_20", "sma_20_5x"], ids=repr)
def test_what_is_no_key_is_said_to_be_none(context: SessionContext, key: Any) -> None:
    for read in (context.indicator, context.session_data.get_indicator):
        with pytest.raises(ConfigError, match="bad indicator key"):
            read("SPY", key)


@pytest.mark.parametrize("interval", [None, ["1m"], 5, "", "5x"], ids=repr)
def test_what_is_no_interval_is_said_to_be_none(context: SessionContext, interval: Any) -> None:
    for read in (context.bars, context.session_data.get_bars, context.add_bar):
        with pytest.raises(ConfigError, match="bad interval"):
            read("SPY", interval)


def test_a_misspelt_output_raises_with_the_nearest(context: SessionContext) -> None:
    with pytest.raises(ConfigError, match=r"macd_12_26_9_15m.*unknown output 'macdhst'.*Did you mean 'macdhist'"):
        context.indicator("SPY", "macd_15m").output("macdhst")


def test_a_cross_section_says_why_an_indicator_was_refused(minute_store: Path) -> None:
    found: list[str] = []

    def look(self: Any, bars: Any) -> None:
        for key in ("sma_9999_5m", "rsi_5m"):
            with pytest.raises(DataError) as error:
                bars.indicator(key)
            found.append(str(error.value))
        with pytest.raises(ConfigError, match="bad indicator key"):
            bars.indicator(None)

    strategy = probe_strategy(
        subscriptions=[("SPY", "5m")],
        setup=lambda self: self.context.add_indicator("SPY", IndicatorConfig("sma", period=9999, interval="5m")),
        on_slice=look,
    )
    engine(minute_store, strategies=[strategy]).run()
    assert (
        "no symbol of this cross-section of 5m bars has sma_9999_5m. strategy SliceProbeStrategy asked for it"
        in found[0]
    )
    assert "needs 9999 bars of 5m" in found[0]
    assert found[1].endswith("has rsi_5m. Add it first.")


@pytest.mark.parametrize(
    ("depth", "text"), [({"bars": None}, "bars=None"), ({"bars": 10**30}, "1,000,000,000 or less")]
)
def test_depths_that_cannot_be_are_refused(context: SessionContext, depth: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        context.add_bar("SPY", "5m", **depth)

"""Symbols that need the same are made together as a block, and nobody can tell."""

from __future__ import annotations

from threading import Barrier, Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from made_bars import made_store
from openbell import indicators
from openbell.config import IndicatorConfig
from openbell.errors import ProvisioningError
from openbell.provisioning import RULES, Addition
from openbell.session.series import cursor_of
from openbell.testing import advance
from probes import engine, prepared, strategy_at, visible

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.indicators import IndicatorInputs

SYMBOLS = ("ALL1", "ALL2", "ALL3", "NOON", "LATE", "HOLE", "HALF")
INDICATORS_OF_ALL = [
    {"name": "sma", "period": 20, "interval": "5m"},
    {"name": "ema", "period": 10, "interval": "1m"},
    {"name": "macd", "interval": "5m"},
    {"name": "vwap", "interval": "1m"},
    {"name": "prior_day", "interval": "5m"},
    {"name": "atr", "period": 5, "interval": "1d"},
]
NS_PER_MINUTE = 60_000_000_000


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three symbols with all bars, and others without those of noon, of the first week, of a day, and every other."""

    def keep(symbol: str, interval: str, start_ns: int) -> bool:
        day, minute = str(np.datetime64(start_ns, "ns"))[:10], start_ns // NS_PER_MINUTE
        if interval == "1d":
            return symbol != "LATE" or day >= "2024-03-07"
        return {
            "NOON": not 16 * 60 <= minute % 1440 < 17 * 60,
            "LATE": day >= "2024-03-07",
            "HOLE": day != "2024-03-12",
            "HALF": minute % 2 == 0,
        }.get(symbol, True)

    return made_store(tmp_path_factory.mktemp("blocks") / "store", SYMBOLS, "2024-03-01", "2024-03-14", keep=keep)


def config(*symbols: str, **more: Any) -> dict[str, Any]:
    days = "2024-03-14"
    return {"symbols": symbols, "days": days, "trailing": {"1m": 3}, "indicators": INDICATORS_OF_ALL, **more}


@pytest.mark.parametrize("clock", ["09:30", "12:30", "16:00"])
@pytest.mark.parametrize("keys", [{}, {"gap_policy": "forward"}, {"on_shortfall": "warm"}])
def test_each_symbol_is_what_it_is_alone(store: Path, clock: str, keys: dict[str, Any]) -> None:
    together = prepared(store, **config(*SYMBOLS, **keys))
    advance(together, clock)
    for symbol in together.session_data.symbols:
        alone = prepared(store, **config(symbol, **keys))
        advance(alone, clock)

        assert visible(together.session_data.get_symbol_data(symbol)) == visible(
            alone.session_data.get_symbol_data(symbol)
        )


def test_the_results_of_a_day_are_what_the_session_shows_at_its_close(store: Path) -> None:
    system = engine(store, **config(*SYMBOLS, on_shortfall="warm"))

    day = system.run().days[0]

    assert list(day.symbols) == list(system.session_data.symbols)
    for symbol, result in day.symbols.items():
        data = system.session_data.get_symbol_data(symbol)
        assert data is not None
        assert result.base_interval == data.base_interval
        for interval, series in data.bars.items():
            found = result.bars[interval]
            assert (found.historical_rows, found.session_rows) == (len(series.history), len(series.today))
            assert (found.quality, found.gaps, found.partial_rows) == (series.quality, series.gaps, series.partial)
        for key, indicator in data.indicators.items():
            one = result.indicators[key]
            assert (one.value, one.valid, one.settled) == (indicator.value, indicator.valid, indicator.settled)
            assert (one.lookback, one.warmup_bars) == (indicator.lookback, indicator.warmup_bars)


def test_an_indicator_that_fails_on_one_symbol_is_missing_there_alone(store: Path) -> None:
    seen = prepared(store, **config("ALL2")).session_data.get_bars("ALL2", "1m")
    assert seen is not None
    price = seen.history.close[-1]

    @indicators.register("picky", title="Picky", inputs=["close"], lookback=1)
    def picky(inputs: IndicatorInputs, params: object) -> np.ndarray[Any, Any]:
        if (inputs.close == price).any():
            raise ValueError("not this one")
        return inputs.close * 2.0

    try:
        provisioner = prepared(store, **config("HALF")).coordinator.provisioner
        details = {
            "indicator_config": IndicatorConfig("picky", interval="1m"),
            "more": (IndicatorConfig("vwap", interval="1m"),),
        }
        others = [symbol for symbol in SYMBOLS if symbol != "HALF"]
        records = provisioner.add(Addition("indicator", symbol, "strategy", details=details) for symbol in others)
    finally:
        indicators.REGISTRY.remove("picky")

    assert [record.symbol for record in records if not record.ok] == ["ALL2"]
    assert records[1].errors == ("register_indicator failed: ValueError: not this one",)
    assert [step.name for step in records[1].steps][-1] == "register_indicator"
    held = provisioner.context.session_data
    assert held.get_symbol_data("ALL2") is None
    assert {"picky_1m", "vwap_1m"} <= set(held.get_symbol_data("ALL1").indicators)


@pytest.mark.parametrize("symbols", [("ALL1",), ("ALL1", "ALL2", "ALL3")])
@pytest.mark.parametrize("made", [np.array([42.0]), 1j], ids=["one value", "complex"])
def test_what_is_no_column_is_refused_alone_and_in_a_block(store: Path, symbols: tuple[str, ...], made: Any) -> None:
    @indicators.register("odd", title="Odd", inputs=["close"], lookback=1)
    def odd(inputs: IndicatorInputs, params: object) -> np.ndarray[Any, Any]:
        return made if isinstance(made, np.ndarray) else inputs.close * made

    try:
        with pytest.raises(ProvisioningError, match=r"odd computed its value of 1,560 bars as .* of shape"):
            prepared(store, **config(*symbols) | {"indicators": [{"name": "odd", "interval": "1m"}]})
    finally:
        indicators.REGISTRY.remove("odd")


@pytest.mark.parametrize("symbols", [("ALL1",), ("ALL1", "ALL2", "ALL3")])
def test_whole_numbers_are_values_alone_and_in_a_block(store: Path, symbols: tuple[str, ...]) -> None:
    @indicators.register("whole", title="Whole", inputs=["close"], lookback=1)
    def whole(inputs: IndicatorInputs, params: object) -> np.ndarray[Any, Any]:
        return inputs.close.astype(np.int64)

    try:
        system = prepared(store, **config(*symbols) | {"indicators": [{"name": "whole", "interval": "1m"}]})
    finally:
        indicators.REGISTRY.remove("whole")

    data = system.session_data.get_symbol_data("ALL1")
    assert data is not None
    assert isinstance(data.indicators["whole_1m"].value, float)


def test_a_rule_that_refuses_one_symbol_refuses_no_other(store: Path) -> None:
    with RULES.temporarily("not_noon", lambda evidence, context: "no" if evidence.symbol == "ALL2" else None):
        system = prepared(store, **config("ALL1", "ALL2", "ALL3"))

    assert system.session_data.symbols == ("ALL1", "ALL3")
    assert system.coordinator.dropped == {"ALL2": ("no",)}


def test_what_is_read_twice_is_one_object_in_all_threads(store: Path) -> None:
    system = prepared(store, **config("ALL1", "ALL2", "ALL3"))
    data = system.session_data.get_symbol_data("ALL2")
    assert data is not None
    barrier, seen = Barrier(8), []

    def read() -> None:
        barrier.wait()
        seen.append([*data.bars.values(), *data.indicators.values()])

    threads = [Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(seen) == 8
    for objects in seen:
        assert all(one is other for one, other in zip(objects, seen[0], strict=True))
    assert all(indicator.series is data.bars[indicator.series.interval] for indicator in data.indicators.values())


def test_the_entries_of_a_symbol_are_a_read_only_mapping(store: Path) -> None:
    system = prepared(store, **config("ALL1", "ALL2"))
    data = system.session_data.get_symbol_data("ALL1")
    assert data is not None

    assert list(data.bars) == ["1m", "5m", "1d"]
    assert "5m" in data.bars
    assert "7m" not in data.bars
    assert data.bars.get("7m") is None
    with pytest.raises(KeyError):
        data.bars["7m"]
    with pytest.raises(TypeError):
        data.bars["7m"] = data.bars["5m"]  # type: ignore[index]
    assert dict(data.bars) == data.bars
    for entries in (data.bars, data.indicators):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            entries.__reduce_ex__(4)


def test_a_symbol_of_a_block_takes_further_additions_and_gives_them_up(store: Path) -> None:
    def add(context: Any) -> None:
        assert context.add_indicator("ALL2", IndicatorConfig("rsi", period=14, interval="5m"))
        assert context.add_bar("ALL2", "15m")

    system = engine(store, **config("ALL1", "ALL2", "ALL3"), strategies=[strategy_at("11:00", add, watch="ALL1")])

    system.run()

    assert "rsi_14_5m" in system.session_data.get_symbol_data("ALL2").indicators
    assert "15m" in system.session_data.get_symbol_data("ALL2").bars
    assert "rsi_14_5m" not in system.session_data.get_symbol_data("ALL1").indicators


def test_symbols_whose_history_becomes_deeper_still_share_their_times(store: Path) -> None:
    system = prepared(store, symbols=SYMBOLS, days="2024-03-14", streams=["1m", "5m"])
    deeper = IndicatorConfig("sma", period=200, interval="5m")
    added = system.coordinator.provisioner.add(
        [Addition("indicator", symbol, "strategy", details={"indicator_config": deeper}) for symbol in SYMBOLS]
    )

    assert all("load_historical" in [step.name for step in record.steps] for record in added if record.ok)
    sharing = [
        (symbol, id(cursor_of(series)))
        for symbol in ("ALL1", "ALL2", "ALL3", "NOON")
        if (series := system.session_data.get_bars(symbol, "5m")) is not None
    ]
    assert [one for _, one in sharing[:3]] == [sharing[0][1]] * 3, "one cursor moves all of them"
    assert sharing[3][1] != sharing[0][1]

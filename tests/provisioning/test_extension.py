"""Operations, sources, validation rules and steps: one of each from outside the package, added in one place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from openbell import indicators
from openbell.compat.requirements import analyze_requirements
from openbell.config import IndicatorConfig
from openbell.errors import ConfigError, UnknownNameError
from openbell.model.interval import parse_interval
from openbell.provisioning import (
    OPERATIONS,
    RULES,
    SOURCES,
    STEPS,
    Addition,
    Evidence,
    Needs,
    ProvisioningContext,
    Source,
    StepWork,
)
from openbell.testing import advance
from probes import engine, execute, journal, prepared, steps, strategy_at

if TYPE_CHECKING:
    from pathlib import Path


def pair(addition: Addition, context: ProvisioningContext, *, interval: str, tag: str) -> Needs:
    """An operation: bars of one interval, with a note that a step of its own leaves on the symbol."""
    base = context.base_of(addition.symbol, interval)
    bars = Needs.of_bars(parse_interval(interval), base, f"the pair {tag} reads it")
    return bars | Needs(steps=(Tag(tag),), reason=f"one leg of {tag}")


@dataclass(frozen=True)
class Tag:
    """A step with a value that is part of its name."""

    tag: str

    @property
    def name(self) -> str:
        return f"tag_{self.tag}"

    def carry_out(self, work: StepWork) -> None:
        work.draft.locks["hedger"] = f"a leg of {self.tag}"


def no_penny_stocks(evidence: Evidence, context: ProvisioningContext) -> str | None:
    """A rule that looks at the data: at yesterday's close."""
    if evidence.symbol not in context.data_manager.symbols():
        return None
    market = context.market(evidence.symbol)
    yesterday = market.time_manager.session_before(market.day)
    last = context.data_manager.load_historical_bars(evidence.symbol, "1d", yesterday, yesterday)
    return f"{evidence.symbol} trades at {last.close[-1]:.2f}, below 20" if last.close[-1] < 20 else None


def test_one_of_each_from_outside_works_together(minute_store: Path) -> None:
    system = prepared(minute_store)
    add = system.coordinator.provisioner.provision
    details = {"interval": "15m", "tag": "banks"}
    with (
        OPERATIONS.temporarily("pair", pair),
        SOURCES.temporarily("hedger", Source("hedger", "the hedger asked for it")),
        RULES.temporarily("no_penny_stocks", no_penny_stocks),
    ):
        done = add([Addition("pair", symbol, "hedger", details=details) for symbol in ("AIG", "BAC")])

    assert done == [True, False]
    aig = system.session_data.get_symbol_data("AIG")
    assert aig is not None
    assert (aig.added_by, aig.auto_provisioned, aig.locked) == ("hedger", True, "a leg of banks")
    assert list(aig.bars) == ["1m", "15m"]
    assert system.session_data.get_symbol_data("BAC") is None
    first, second = system.coordinator.journal.records[-2:]
    assert (first.operation_type, first.source, first.reason) == ("pair", "hedger", "one leg of banks")
    assert [s.name for s in first.steps][-1] == "tag_banks"
    assert second.errors == ("BAC trades at 13.84, below 20",)


def test_a_source_from_outside_asks_for_whole_symbols_and_indicators(minute_store: Path) -> None:
    with SOURCES.temporarily("rebalancer", Source("rebalancer", "the rebalancer asked for it")):
        system = prepared(minute_store)
        assert system.coordinator.add_symbol("AIG", added_by="rebalancer")
        assert system.session_data.add_indicator_unified("BAC", IndicatorConfig("sma", period=5), source="rebalancer")

    data = system.session_data.current
    assert [data[s].added_by for s in ("AIG", "BAC")] == ["rebalancer", "rebalancer"]
    assert [data[s].meets_session_config_requirements for s in ("AIG", "BAC")] == [True, False]


def test_a_rule_from_outside_drops_a_config_symbol(minute_store: Path) -> None:
    with RULES.temporarily("no_penny_stocks", no_penny_stocks):
        day = engine(minute_store, symbols=["SPY", "BAC"]).run()["days"][0]

    assert day["dropped"] == {"BAC": ["BAC trades at 13.84, below 20"]}
    assert list(day["symbols"]) == ["SPY"]


def test_a_rule_from_outside_refuses_in_mid_session(minute_store: Path) -> None:
    done: list[bool] = []
    with RULES.temporarily("no_penny_stocks", no_penny_stocks):
        strategies = [strategy_at("10:30", lambda c: done.extend([c.add_symbol("BAC"), c.add_symbol("AIG")]))]
        day = engine(minute_store, strategies=strategies).run()["days"][0]

    assert done == [False, True]
    assert journal(day, "BAC")[0]["errors"] == ["BAC trades at 13.84, below 20"]


def test_a_rule_that_raises_refuses_by_its_name(minute_store: Path) -> None:
    def broken(evidence: Evidence, context: ProvisioningContext) -> str | None:
        raise ZeroDivisionError("no volume")

    system = prepared(minute_store)
    with RULES.temporarily("liquid", broken):
        assert not system.coordinator.add_symbol("BAC")

    assert system.session_data.get_symbol_data("BAC") is None
    assert system.coordinator.journal.records[-1].errors == ("the rule liquid failed: ZeroDivisionError: no volume",)


def test_an_operation_that_raises_is_in_the_journal(minute_store: Path) -> None:
    def broken(addition: Addition, context: ProvisioningContext) -> Needs:
        raise ZeroDivisionError("no volume")

    system = prepared(minute_store)
    with OPERATIONS.temporarily("broken", broken), pytest.raises(ZeroDivisionError):
        system.coordinator.provisioner.provision([Addition("broken", "BAC", "strategy")])

    record = system.coordinator.journal.records[-1]
    assert (record.operation_type, record.ok, record.errors) == ("broken", False, ("ZeroDivisionError: no volume",))


def test_details_of_a_wrong_type_are_refused_and_journaled(minute_store: Path) -> None:
    system = prepared(minute_store)
    data: Any = system.session_data
    for days in ("3", 2.5, None, True):
        with pytest.raises(ConfigError, match="days is a whole number of sessions"):
            data.add_bar_unified("BAC", "5m", days=days)
        assert "days=" in system.coordinator.journal.records[-1].errors[0]
    with pytest.raises(ConfigError, match="an indicator is added by its config"):
        data.add_indicator_unified("BAC", {"name": "sma"})
    assert "not by {'name': 'sma'}" in system.coordinator.journal.records[-1].errors[0]
    assert data.add_bar_unified("BAC", "5m", days=np.int64(2))


def test_a_step_from_outside_runs_where_a_requirement_names_it(minute_store: Path) -> None:
    system = prepared(minute_store)
    req = analyze_requirements("symbol", "AIG", "strategy", system.session_data, system.coordinator)
    req.provisioning_steps.append("tag_alone")
    with STEPS.temporarily("tag_", Tag):
        assert execute(system, req)

    data = system.session_data.get_symbol_data("AIG")
    assert data is not None
    assert data.locked == "a leg of alone"


def test_what_is_not_registered_is_refused_by_name(minute_store: Path) -> None:
    system = prepared(minute_store)

    def ask(operation: str, source: str) -> Any:
        return analyze_requirements(operation, "AIG", source, system.session_data, system.coordinator)

    with pytest.raises(UnknownNameError, match=r"unknown operation 'symbols'.*'symbol'"):
        ask("symbols", "config")
    with pytest.raises(UnknownNameError, match=r"unknown source 'scaner'.*'scanner'"):
        ask("symbol", "scaner")
    with pytest.raises(ConfigError, match="registered already"), STEPS.temporarily("create_symbol", Tag):
        pass


def test_built_in_steps_are_told_by_name(minute_store: Path) -> None:
    day = engine(minute_store, indicators=[{"name": "sma", "period": 5}]).run()["days"][0]
    known = STEPS.names()
    for name in steps(journal(day, "SPY")[0]):
        assert any(name == k or (k.endswith("_") and name.startswith(k)) for k in known)


def both(addition: Addition, context: ProvisioningContext, *, interval: str) -> Needs:
    """An operation made of others: two intervals with history, and an indicator on one of them."""
    sma = IndicatorConfig("sma", period=5, interval="5m")
    return (
        OPERATIONS.get("bar")(addition, context, interval=interval, days=2)
        | OPERATIONS.get("bar")(addition, context, interval="1d", days=10)
        | OPERATIONS.get("indicator")(addition, context, indicator_config=sma)
    )


def test_an_operation_may_be_made_of_others(minute_store: Path) -> None:
    system = prepared(minute_store)
    with OPERATIONS.temporarily("both", both):
        for symbol in ("AIG", "BAC"):
            addition = Addition("both", symbol, "strategy", details={"interval": "15m"})
            assert system.coordinator.provisioner.provision([addition]) == [True]

            data = system.session_data.get_symbol_data(symbol)
            assert data is not None
            assert list(data.bars) == ["1m", "5m", "15m", "1d"]
            assert list(data.indicators) == ["sma_5_5m"]
            assert len(data.bars["15m"].history) == 2 * 26
            assert len(data.bars["1d"].history) == 10


def test_an_operation_may_deepen_what_another_asks_for(minute_store: Path) -> None:
    def deep(addition: Addition, context: ProvisioningContext) -> Needs:
        return OPERATIONS.get("bar")(addition, context, interval="1d") | month(addition, context)

    system = prepared(minute_store)
    with OPERATIONS.temporarily("deep", deep):
        req = analyze_requirements("deep", "AIG", "strategy", system.session_data, system.coordinator)
        assert (req.needs_historical, req.historical_bars) == (True, 30)
        assert system.coordinator.provisioner.provision([Addition("deep", "AIG", "strategy")]) == [True]
    series = system.session_data.get_bars("AIG", "1d")
    assert series is not None
    assert len(series.history) == 30


def month(addition: Addition, context: ProvisioningContext) -> Needs:
    """An operation: a month of daily bars."""
    day = parse_interval("1d")
    return Needs.of_bars(day, day, "the month is taken from it", bars=30)


def test_an_operation_gets_bars_that_are_there_without_history(minute_store: Path) -> None:
    system = prepared(minute_store)
    assert system.session_data.add_bar_unified("AIG", "1d")
    with OPERATIONS.temporarily("month", month):
        assert system.coordinator.provisioner.provision([Addition("month", "AIG", "strategy")]) == [True]
    series = system.session_data.get_bars("AIG", "1d")
    assert series is not None
    assert len(series.history) == 30


def test_a_kernel_from_outside_cannot_change_what_other_symbols_read(minute_store: Path) -> None:
    system = prepared(minute_store)
    for name in ("session", "offset_ns", "end_offset_ns", "close"):

        def careless(inputs: Any, params: Any, name: str = name) -> Any:
            getattr(inputs, name)[:] = 0
            return inputs.close

        indicators.register(f"careless_{name}", title="Careless", inputs=["close"], lookback=1)(careless)
        try:
            config = IndicatorConfig(f"careless_{name}", interval="1m")
            assert not system.session_data.add_indicator_unified("AIG", config)
        finally:
            indicators.REGISTRY.remove(f"careless_{name}")
        assert "read-only" in system.coordinator.journal.records[-1].errors[0]


def test_an_indicator_that_takes_the_name_of_another_is_computed_by_its_own_kernel(minute_store: Path) -> None:
    config = IndicatorConfig("renewed", interval="1m")
    for column in ("close", "volume"):
        kernel = partial(lambda inputs, params, column: getattr(inputs, column), column=column)
        indicators.register("renewed", title="Renewed", inputs=[column], lookback=1)(kernel)
        try:
            system = prepared(minute_store)
            assert system.session_data.add_indicator_unified("SPY", config)
        finally:
            indicators.REGISTRY.remove("renewed")
        advance(system, "10:00")
        data = system.session_data.current["SPY"]
        assert data.indicators["renewed_1m"].value == getattr(data.bars["1m"], column)[-1]

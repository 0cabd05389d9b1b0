"""What is asked about a symbol is answered as it is, whatever is loaded and by whom; what cannot be one is named."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from openbell import RULES, SOURCES, STEPS, Source
from openbell.compat.requirements import ProvisioningRequirements, analyze_requirements
from openbell.components.context import SessionContext
from openbell.config import IndicatorConfig
from openbell.engine.observer import RunReporter
from openbell.errors import ConfigError
from openbell.provisioning import Addition
from probes import engine, execute, prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from openbell.engine.system import SystemManager
    from openbell.provisioning.context import ProvisioningContext
    from openbell.provisioning.validation import Evidence


@pytest.fixture
def system(minute_store: Path) -> SystemManager:
    return prepared(minute_store, trailing={"1m": 1}, indicators=[{"name": "rsi", "interval": "5m"}])


@pytest.fixture
def risk() -> Iterator[None]:
    for name in ("risk", "risk desk"):
        SOURCES.add(name, Source(name, f"the {name} asked for it"))
    yield
    for name in ("risk", "risk desk"):
        SOURCES.remove(name)


@pytest.mark.parametrize(("period", "interval"), [(20, "5m"), (20, "1m"), (9000, "1m"), (20, "1d"), (5000, "1d")])
def test_sessions_of_history_are_counted_whether_or_not_the_store_has_them(
    system: SystemManager, period: int, interval: str
) -> None:
    req = analyze_requirements(
        "indicator", "AIG", "strategy", system.session_data, system.coordinator,
        indicator_config=IndicatorConfig("sma", period=period, interval=interval),
    )  # fmt: skip
    assert req.historical_bars == period
    least = {"5m": 1, "1m": -(-period // 390), "1d": period}[interval]
    assert least <= req.historical_days <= least + 1


def test_the_coordinator_unlocks_what_any_strategy_has_locked(system: SystemManager) -> None:
    p, coordinator = system.coordinator.provisioner, system.coordinator
    for owner in ("strategy A", "strategy B", "scanner C"):
        p.lock_symbol("SPY", reason=f"of {owner}", source=owner.split()[0], owner=owner)

    assert coordinator.unlock_symbol("SPY")
    assert list(system.session_data.current["SPY"].locks) == ["scanner C"]
    assert not coordinator.unlock_symbol("SPY")
    assert coordinator.unlock_symbol("SPY", unlocked_by="scanner")
    assert system.session_data.current["SPY"].locked == ""
    assert coordinator.lock_symbol("SPY", "by hand")
    assert coordinator.unlock_symbol("SPY")


@pytest.mark.usefixtures("risk")
def test_a_source_is_not_another_one_that_begins_with_its_name(system: SystemManager) -> None:
    p = system.coordinator.provisioner
    p.provision([Addition("bar", "AIG", "risk desk", details={"interval": "5m"})])
    p.provision([Addition("bar", "BAC", "risk desk", "risk desk of London", details={"interval": "5m"})])

    assert p.remove_symbols(["AIG", "BAC"], source="risk") == [False, False]
    p.lock_symbol("AIG", reason="", source="risk desk")
    assert not p.unlock_symbol("AIG", source="risk")
    assert p.unlock_symbol("AIG", source="risk desk")
    assert p.remove_symbols(["AIG", "BAC"], source="risk desk") == [True, True]


def test_a_symbol_that_a_step_made_for_nobody_in_particular_can_be_removed(system: SystemManager) -> None:
    req = ProvisioningRequirements(symbol="AIG", source="scanner", provisioning_steps=["create_symbol"])
    assert execute(system, req)
    assert "create_symbol" in STEPS
    assert not system.coordinator.remove_symbol("AIG", removed_by="strategy")

    assert system.coordinator.remove_symbol("AIG", removed_by="scanner")
    assert system.session_data.get_symbol_data("AIG") is None


@pytest.mark.parametrize("symbol", [None, ["AIG"], 5, "", b"AIG"], ids=repr)
@pytest.mark.parametrize(
    "use",
    [
        lambda c, s: c.add_symbol(s),
        lambda c, s: c.add_symbols([s]),
        lambda c, s: c.add_bar(s, "5m"),
        lambda c, s: c.add_indicator(s, IndicatorConfig("sma", period=5, interval="5m")),
        lambda c, s: c.remove_symbol(s),
        lambda c, s: c.lock_symbol(s),
        lambda c, s: c.unlock_symbol(s),
        lambda c, s: c.session_data.add_bar_unified(s, "5m"),
    ],
)
def test_what_cannot_be_a_symbol_is_named(
    system: SystemManager, use: Callable[[Any, Any], object], symbol: Any
) -> None:
    context = SessionContext(
        system.coordinator.provisioner, system.time_manager, source="strategy", owner="strategy Test"
    )
    with pytest.raises(ConfigError, match="a symbol is a text such as 'SPY', not "):
        use(context, symbol)
    with pytest.raises(ConfigError, match="takes a list of symbols, not None"):
        context.add_symbols(None)  # type: ignore[arg-type]


def test_nobody_comes_between_the_analysis_of_config_symbols_and_their_addition(minute_store: Path) -> None:
    system = engine(minute_store)
    threads: list[threading.Thread] = []

    def rule(evidence: Evidence, context: ProvisioningContext) -> None:
        if evidence.addition.source == "config":
            threads.append(threading.Thread(target=context.session_data.add_bar_unified, args=("AIG", "5m")))
            threads[-1].start()

    RULES.add("meanwhile", rule)
    try:
        for _ in range(5):
            system.coordinator.begin_run(RunReporter())
            system.coordinator.prepare_day(system.coordinator.days[0])
            threads[-1].join()
            assert [record.symbol for record in system.coordinator.journal.records] == ["SPY", "AIG"]
    finally:
        RULES.remove("meanwhile")

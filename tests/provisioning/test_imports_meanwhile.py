"""What is imported while a session runs is there for the next addition, however that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from made_bars import made_store
from openbell.compat.requirements import analyze_requirements
from openbell.config import IndicatorConfig
from probes import engine, execute, prepared, strategy_at

if TYPE_CHECKING:
    from pathlib import Path

DAYS = ("2024-06-03", "2024-06-10")
CONFIGS = [IndicatorConfig("vwap", interval="5m"), IndicatorConfig("sma", period=5, interval="5m")]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return made_store(tmp_path / "store", ["SPY"], *DAYS)


@pytest.mark.parametrize("config", CONFIGS, ids=["vwap", "sma"])
def test_a_new_symbol_may_be_analysed_first_and_added_then(store: Path, config: IndicatorConfig) -> None:
    system = prepared(store, days=DAYS[1])
    made_store(store, ["NEW"], *DAYS)
    asked: Any = {"indicator_config": config, "session_coordinator": system.coordinator}
    req = analyze_requirements("indicator", "NEW", "strategy", system.session_data, **asked)
    assert req.can_proceed
    assert execute(system, req)


def test_a_new_symbol_is_there_for_a_strategy(store: Path) -> None:
    done: list[bool] = []

    def add(context: Any) -> None:
        done.append(context.add_symbol("NEW"))
        made_store(store, ["NEW"], *DAYS)
        done.append(context.add_symbol("NEW"))
        done.append(bool(context.add_indicator("NEW", CONFIGS[0])))

    engine(store, days=DAYS[1], strategies=[strategy_at("10:30", add)]).run()
    assert done == [False, True, True]


def test_a_second_plan_sees_it(store: Path) -> None:
    system = engine(store, days=DAYS[1], symbols=["SPY", "NEW"])
    assert [not plan.proof.errors for plan in system.coordinator.plan_config_symbols()] == [True, False]
    made_store(store, ["NEW"], *DAYS)
    assert [not plan.proof.errors for plan in system.coordinator.plan_config_symbols()] == [True, True]


def test_more_history_is_there_for_a_deeper_addition(store: Path) -> None:
    system = prepared(store, days=DAYS[1])
    assert system.session_data.add_bar_unified("SPY", "1d", days=2)
    made_store(store, ["SPY"], "2024-05-20", "2024-05-31")
    assert system.session_data.add_bar_unified("SPY", "1d", days=12)
    series = system.session_data.get_bars("SPY", "1d")
    assert series is not None
    assert len(series.history) == 12

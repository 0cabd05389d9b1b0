"""The engine takes its store, its data manager and its clock from outside."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from openbell import BarStore, SystemManager, load_config
from openbell.errors import ConfigError
from openbell.timing.clock import SimulatedClock
from probes import config_of

if TYPE_CHECKING:
    from pathlib import Path

    from openbell import RunResult

KEYS: dict[str, Any] = {
    "symbols": ["SPY", "IBM"],
    "trailing": {"5m": 1, "1d": 20},
    "indicators": [{"name": "sma", "period": 20, "interval": "5m"}],
}
OTHER = {**KEYS, "streams": ["1m", "15m"], "indicators": [{"name": "rsi", "period": 14, "interval": "15m"}]}
DAYS = ("2013-10-09", "2013-10-11")


def system(store: Any = None, keys: Any = KEYS, **more: Any) -> SystemManager:
    return SystemManager(load_config(config_of(days=DAYS, **keys)), store=store, **more)


def symbols(result: RunResult) -> list[Any]:
    return [day["symbols"] for day in result["days"]]


def test_a_store_may_be_given_open(minute_store: Path) -> None:
    assert symbols(system(BarStore.open(minute_store)).run()) == symbols(system(minute_store).run())


def test_two_systems_on_one_data_manager_have_the_results_that_they_have_alone(minute_store: Path) -> None:
    alone = [symbols(system(minute_store, keys).run()) for keys in (KEYS, OTHER)]
    first = system(minute_store)
    second = system(data_manager=first.data_manager, keys=OTHER)

    assert [symbols(first.run()), symbols(second.run())] == alone


def test_so_have_systems_that_run_at_the_same_time(minute_store: Path) -> None:
    alone = {name: symbols(system(minute_store, keys).run()) for name, keys in (("one", KEYS), ("other", OTHER))}
    shared = system(minute_store).data_manager
    results: dict[str, list[Any]] = {}

    def run(name: str, keys: Any) -> None:
        results[name] = symbols(system(data_manager=shared, keys=keys).run())

    threads = [Thread(target=run, args=item) for item in (("one", KEYS), ("other", OTHER))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == alone


def test_a_data_manager_of_other_bars_is_refused_with_the_difference(minute_store: Path) -> None:
    shared = system(minute_store).data_manager

    config = config_of(days=DAYS, adjustment="raw")
    config["session_data_config"]["historical"]["gap_fill"] = True

    with pytest.raises(ConfigError, match=r"adjustment 'split', not 'raw'; historical.gap_fill False, not True"):
        SystemManager(load_config(config), data_manager=shared)


def test_a_store_beside_a_data_manager_is_refused(minute_store: Path) -> None:
    with pytest.raises(TypeError, match="not both"):
        system(minute_store, data_manager=system(minute_store).data_manager)


def test_the_clock_is_the_one_that_was_given(minute_store: Path) -> None:
    clock = SimulatedClock()
    run = system(minute_store, clock=clock)

    run.run()

    assert clock.now_ns == run.time_manager.session(run.session_data.session_date).last_ns

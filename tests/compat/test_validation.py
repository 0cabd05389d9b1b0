"""Validation says the same of a symbol whether or not it is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from probes import prepared

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.engine.system import SystemManager


@pytest.fixture
def system(minute_store: Path) -> SystemManager:
    return prepared(minute_store, trailing={"1m": 1}, indicators=[{"name": "rsi", "interval": "5m"}])


def test_validation_says_the_same_of_a_symbol_before_and_after_it_is_loaded(system: SystemManager) -> None:
    coordinator = system.coordinator
    before = coordinator._validate_symbol_for_loading("AIG")
    assert coordinator.add_symbol("AIG")

    assert coordinator._validate_symbol_for_loading("AIG") == before
    assert (before.can_proceed, before.has_historical_data, before.has_parquet_data) == (True, True, True)
    assert coordinator._validate_symbol_for_loading("SPY").has_historical_data
    assert not coordinator._validate_symbol_for_loading("NOPE").data_source_available

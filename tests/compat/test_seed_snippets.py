"""The specification's own test snippets (phases 5a to 5d), run as they are written, on a small store of its symbols.

What the snippets leave open is given here: ``session_data``, ``coordinator``, ``system_manager`` and ``sma_config``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from made_bars import made_store
from openbell.compat.requirements import ProvisioningRequirements, analyze_requirements
from openbell.config import IndicatorConfig
from openbell.testing import advance
from probes import engine

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.engine.coordinator import SessionCoordinator
    from openbell.engine.system import SystemManager
    from openbell.session import SessionData, SymbolSessionData


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    symbols = ("AAPL", "RIVN", "TSLA", "MSFT")
    return made_store(tmp_path_factory.mktemp("seed"), symbols, "2024-05-20", "2024-06-07")


@pytest.fixture
def system_manager(store: Path) -> SystemManager:
    return engine(
        store,
        symbols=["AAPL", "RIVN", "BADTICKER"],
        days="2024-06-07",
        trailing={"1m": 3, "5m": 3},
        indicators=[{"name": "ema", "period": 9, "interval": "5m"}],
    )


@pytest.fixture
def coordinator(system_manager: SystemManager) -> SessionCoordinator:
    return system_manager.coordinator


@pytest.fixture
def session_data(coordinator: SessionCoordinator) -> SessionData:
    return coordinator.session_data


@pytest.fixture
def sma_config() -> IndicatorConfig:
    return IndicatorConfig("sma", period=20, interval="5m")


def loaded(session_data: SessionData, symbol: str) -> SymbolSessionData:
    found = session_data.get_symbol_data(symbol)
    assert found is not None
    return found


def test_5a_requirement_analysis_standalone(
    session_data: SessionData,
    coordinator: SessionCoordinator,
    system_manager: SystemManager,
    sma_config: IndicatorConfig,
) -> None:
    req = analyze_requirements(
        operation_type="indicator",
        symbol="AAPL",
        source="scanner",
        session_data=session_data,
        session_coordinator=coordinator,
        indicator_config=sma_config,
        system_manager=system_manager,
    )

    assert req.required_intervals == ["1m", "5m"]  # Base + derived
    assert req.historical_days > 0  # Warmup needed
    assert len(req.provisioning_steps) > 0
    # Where the seed's text would leave it False for every indicator:
    assert req.can_proceed
    assert req.symbol_validated
    assert not req.symbol_exists
    assert (req.historical_days, req.historical_bars) == (1, 20)
    assert (req.base_interval, req.needs_historical, req.added_by) == ("1m", True, "scanner")
    assert not req.meets_session_config_requirements
    assert session_data.symbols == ()


def test_5b_provisioning_executor(coordinator: SessionCoordinator) -> None:
    req = ProvisioningRequirements(
        symbol="AAPL",
        provisioning_steps=["create_symbol", "load_historical"],
        meets_session_config_requirements=True,
        added_by="config",
    )

    result = coordinator._execute_provisioning(req)
    assert result == True  # noqa: E712  as the specification writes it
    assert coordinator.session_data.get_symbol_data("AAPL") is not None
    assert (req.operation_type, req.source) == ("symbol", "config")
    assert loaded(coordinator.session_data, "AAPL").metadata["added_by"] == "config"
    assert not loaded(coordinator.session_data, "AAPL").auto_provisioned


def test_5c_unified_indicator_addition(session_data: SessionData, sma_config: IndicatorConfig) -> None:
    result = session_data.add_indicator_unified(
        symbol="TSLA",
        indicator_config=sma_config,
        source="scanner",
    )
    assert result == True  # noqa: E712  as the specification writes it

    # Verify auto-provisioning
    tsla_data = session_data.get_symbol_data("TSLA")
    assert tsla_data is not None
    assert tsla_data.meets_session_config_requirements == False  # noqa: E712
    assert tsla_data.added_by == "scanner"
    assert tsla_data.auto_provisioned == True  # noqa: E712


def test_5c_unified_bar_addition(session_data: SessionData) -> None:
    result = session_data.add_bar_unified(symbol="TSLA", interval="15m", days=2, source="scanner")
    assert result == True  # noqa: E712

    tsla_data = loaded(session_data, "TSLA")
    assert list(tsla_data.bars) == ["1m", "15m"]
    assert len(tsla_data.bars["15m"].history) == 2 * 26
    assert tsla_data.auto_provisioned


def test_5d_the_loop_that_loads_session_data(coordinator: SessionCoordinator, session_data: SessionData) -> None:
    """`_load_session_data` as the specification writes it out."""
    warned = []
    for symbol in coordinator.session_config.session_data_config.symbols:
        # Phase 1: Analyze
        req = analyze_requirements(
            operation_type="symbol",
            symbol=symbol,
            source="config",
            session_data=session_data,
            session_coordinator=coordinator,
        )

        # Phase 2: Validate
        if not req.can_proceed:
            warned.append((symbol, req.validation_errors))
            continue

        # Phase 3: Provision
        coordinator._execute_provisioning(req)

    assert session_data.symbols == ("AAPL", "RIVN")
    ((symbol, errors),) = warned
    assert symbol == "BADTICKER"
    assert errors


def test_5d_1_config_loading_with_validation(coordinator: SessionCoordinator) -> None:
    coordinator._load_session_data()

    assert coordinator.session_data.symbols == ("AAPL", "RIVN")
    assert list(coordinator.dropped) == ["BADTICKER"]
    assert coordinator.dropped["BADTICKER"]


def test_5d_2_mid_session_full_addition(system_manager: SystemManager) -> None:
    coordinator = system_manager.coordinator
    coordinator._load_session_data()
    advance(system_manager, "11:00")

    assert coordinator.add_symbol("TSLA", added_by="strategy") == True  # noqa: E712

    tsla, aapl = (loaded(coordinator.session_data, s) for s in ("TSLA", "AAPL"))
    assert tsla.meets_session_config_requirements
    assert tsla.added_by == "strategy"
    assert not tsla.auto_provisioned
    assert list(tsla.bars) == list(aapl.bars)
    assert list(tsla.indicators) == list(aapl.indicators)
    assert len(tsla.bars["1m"].today) == 90
    assert tsla.bars["1m"].quality == 100.0


def test_5d_3_mid_session_ad_hoc_indicator(system_manager: SystemManager, sma_config: IndicatorConfig) -> None:
    coordinator = system_manager.coordinator
    coordinator._load_session_data()
    advance(system_manager, "11:00")

    assert coordinator.session_data.add_indicator_unified("MSFT", sma_config)

    msft = loaded(coordinator.session_data, "MSFT")
    assert (len(msft.bars["5m"].history), len(msft.bars["1m"].history)) == (20, 100)
    assert msft.indicators["sma_20_5m"].valid
    assert msft.bars["1m"].quality is None


def test_5d_4_upgrade_path(system_manager: SystemManager, sma_config: IndicatorConfig) -> None:
    coordinator = system_manager.coordinator
    coordinator._load_session_data()
    assert coordinator.session_data.add_indicator_unified("TSLA", sma_config, source="scanner")
    advance(system_manager, "11:00")

    assert coordinator.add_symbol("TSLA")

    tsla = loaded(coordinator.session_data, "TSLA")
    assert tsla.meets_session_config_requirements
    assert tsla.upgraded_from_adhoc
    assert {"sma_20_5m", "ema_9_5m"} <= set(tsla.indicators)
    assert len(tsla.bars["1m"].history) >= 3 * 390


def test_5d_5_duplicate_detection(coordinator: SessionCoordinator) -> None:
    coordinator._load_session_data()
    before = coordinator.session_data.get_symbol_data("AAPL")

    assert coordinator.add_symbol("AAPL") == True  # noqa: E712

    after = loaded(coordinator.session_data, "AAPL")
    assert before is not None
    assert after.bars == before.bars
    assert after.metadata == before.metadata
    last = coordinator.journal.records[-1]
    assert (last.symbol, last.ok, last.steps) == ("AAPL", True, ())


def test_the_checks_of_the_specification_by_their_names(minute_store: Path) -> None:
    coordinator = engine(minute_store, days="2013-10-07", indicators=[{"name": "sma", "period": 400}]).coordinator
    good, bad = (coordinator._validate_symbol_for_loading(s) for s in ("SPY", "NOPE"))

    assert (good.can_proceed, good.data_source_available, good.has_historical_data, good.has_parquet_data) == (
        *(False, True, False, True),
    )
    assert "needs 400 bars" in good.reason
    assert (bad.can_proceed, bad.data_source_available, bad.has_historical_data, bad.has_parquet_data) == (
        *(False, False, False, False),
    )
    assert coordinator._check_data_source_for_symbol("SPY")
    assert not coordinator._check_historical_data_availability("SPY")
    assert coordinator._check_parquet_data("SPY")

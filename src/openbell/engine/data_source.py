"""Data manager of a system, made from a store or shared with others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from openbell.errors import ConfigError
from openbell.market_data.manager import DataManager
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from openbell.config import SessionConfig
    from openbell.timing import TimeManager

__all__ = ["data_manager_of"]


def data_manager_of(
    config: SessionConfig,
    time_manager: TimeManager,
    store: BarStore | Path | str | None,
    shared: DataManager | None,
) -> DataManager:
    """Return the data manager for a config.

    Args:
        config: The config.
        time_manager: Its calendar.
        store: The bar store or its folder; the config's ``store`` unless given.
        shared: A data manager to use in place of a store.

    Raises:
        ConfigError: The config names no store, or asks for other bars than the shared data manager has.
        StoreError: The folder is not a store.
        TypeError: Both a store and a data manager are given.
    """
    if shared is None:
        return _new(config, time_manager, store)
    if store is not None:
        raise TypeError("give a store or a data manager, not both: a data manager has its store")
    _require_same(config, time_manager, shared)
    return shared


def _new(config: SessionConfig, time_manager: TimeManager, store: BarStore | Path | str | None) -> DataManager:
    data = config.session_data_config
    return DataManager(
        store if isinstance(store, BarStore) else BarStore.open(_store_path(config, store)),
        time_manager,
        min_completeness=data.min_completeness,
        horizon=config.backtest_config.end_date,
        adjustment=data.adjustment,
        gap_policy=data.gap_policy,
        gap_fill=data.historical.gap_fill,
    )


def _store_path(config: SessionConfig, store: Path | str | None) -> Path:
    if store is not None:
        return Path(store)
    if config.store is None:
        raise ConfigError("no store: say --store DIR, or write store: DIR in the config")
    return config.folder / config.store


def _require_same(config: SessionConfig, time_manager: TimeManager, shared: DataManager) -> None:
    data = config.session_data_config
    asked_and_shared = {
        "exchange": (time_manager.exchange, shared.time_manager.exchange),
        "session_hours": (data.session_hours, shared.time_manager.session_hours),
        "min_completeness": (data.min_completeness, shared.settings.min_completeness),
        "adjustment": (data.adjustment, shared.settings.adjustment),
        "gap_policy": (data.gap_policy, shared.settings.gap_policy),
        "historical.gap_fill": (data.historical.gap_fill, shared.settings.gap_fill),
    }
    other = [f"{name} {has!r}, not {asked!r}" for name, (asked, has) in asked_and_shared.items() if asked != has]
    if other:
        raise ConfigError(
            f"the data manager has {'; '.join(other)}, as the config asks. "
            "Share it between configs that agree on these."
        )

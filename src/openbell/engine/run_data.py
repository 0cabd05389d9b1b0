"""Data manager of a system, made from a store or shared with others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.errors import ConfigError
from openbell.market_data.data_manager import DataManager
from openbell.model.address import StoreAddress, place_of
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from openbell.config import SessionConfig
    from openbell.market_data.today_bars import TodayBars
    from openbell.model.address import Place
    from openbell.timing import TimeManager

__all__ = ["bars_asked_for", "data_manager_of", "new_data_manager", "store_path"]


def data_manager_of(
    config: SessionConfig,
    time_manager: TimeManager,
    store: BarStore | Place | str | None,
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
        return new_data_manager(config, time_manager, store)
    if store is not None:
        raise TypeError("give a store or a data manager, not both: a data manager has its store")
    _require_same(config, time_manager, shared)
    return shared


def new_data_manager(
    config: SessionConfig,
    time_manager: TimeManager,
    store: BarStore | Place | str | None,
    *,
    rerun_until: date | None = None,
    shared: Path | None = None,
    today: TodayBars | None = None,
) -> DataManager:
    """Return a new data manager for a config.

    Args:
        config: The config.
        time_manager: Its calendar.
        store: The bar store or its folder; the config's ``store`` unless given.
        rerun_until: The last day of the many runs that will share the data manager; None when one run has it alone.
        shared: A folder through which processes share series; None shares nothing.
        today: The bars of the running session of a live run; None in a backtest.

    Raises:
        ConfigError: The config names no store.
        StoreError: The folder is not a store.
    """
    data = config.session_data_config
    return DataManager(
        store if isinstance(store, BarStore) else BarStore.open(store_path(config, store)),
        time_manager,
        min_completeness=data.min_completeness,
        horizon=None if today is not None else rerun_until or config.backtest_config.end_date,
        adjustment=data.adjustment,
        gap_policy=data.gap_policy,
        gap_fill=data.historical.gap_fill,
        rerun=rerun_until is not None,
        shared=shared,
        today=today,
    )


def store_path(config: SessionConfig, store: Place | str | None) -> Place:
    """Return the folder or address of the store, the config's unless given.

    Raises:
        ConfigError: The config names none.
    """
    if store is not None:
        return place_of(store)
    if config.store is None:
        raise ConfigError("no store: use --store DIR, or write store: DIR in the config")
    return config.store if isinstance(config.store, StoreAddress) else config.folder / config.store


def _require_same(config: SessionConfig, time_manager: TimeManager, shared: DataManager) -> None:
    has = {
        "exchange": shared.time_manager.sessions_of,
        "session_hours": shared.time_manager.session_hours,
        "min_completeness": shared.settings.min_completeness,
        "adjustment": shared.settings.adjustment,
        "gap_policy": shared.settings.gap_policy,
        "historical.gap_fill": shared.settings.gap_fill,
    }
    asked = bars_asked_for(config, time_manager)
    other = [f"{name} {has[name]!r}, not {asked[name]!r}" for name in has if asked[name] != has[name]]
    if other:
        raise ConfigError(
            f"the data manager has {'; '.join(other)}, as the config asks. "
            "Share it between configs that agree on these."
        )


def bars_asked_for(config: SessionConfig, time_manager: TimeManager) -> dict[str, object]:
    """Return the settings of bars on which configs that share a data manager must agree."""
    data = config.session_data_config
    return {
        "exchange": time_manager.sessions_of,
        "session_hours": data.session_hours,
        "min_completeness": data.min_completeness,
        "adjustment": data.adjustment,
        "gap_policy": data.gap_policy,
        "historical.gap_fill": data.historical.gap_fill,
    }

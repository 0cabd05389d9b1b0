"""Bars that the points of a sweep share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.engine.run_data import bars_asked_for, new_data_manager
from openbell.errors import OpenbellError
from openbell.provisioning import Addition
from openbell.provisioning.analysis import analyze
from openbell.provisioning.context import ProvisioningContext, RunScope
from openbell.session import SessionData
from openbell.timing import TimeManager
from openbell.timing.clock import SimulatedClock

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from openbell.config import SessionConfig
    from openbell.market_data.data_manager import DataManager
    from openbell.model.address import Place

__all__ = ["SharedBars"]


class SharedBars:
    """Data managers that points share, so that each series is read and derived once.

    Points with different settings of bars, such as another adjustment, have different data managers.

    Args:
        store: The folder of the store; that of each config unless given.
        last_day: The last day of all points.
        folder: A folder through which the processes of a machine share series; None for a single process.
    """

    def __init__(self, store: Place | None, last_day: date, folder: Path | None = None) -> None:
        self._store = store
        self._last_day = last_day
        self._folder = folder
        self._managers: dict[str, DataManager] = {}

    def of(self, config: SessionConfig) -> DataManager:
        """Return the data manager for a config.

        Raises:
            ConfigError: The config names no store.
            StoreError: The folder is not a store.
        """
        hours = config.session_data_config.session_hours
        time_manager = TimeManager(config.exchange, session_hours=hours, clock=SimulatedClock())
        asked = {**bars_asked_for(config, time_manager), "store": str(self._store or config.store)}
        key = repr(asked)
        if key not in self._managers:
            self._managers[key] = new_data_manager(
                config, time_manager, self._store, rerun_until=self._last_day, shared=self._folder
            )
        return self._managers[key]

    def needed_by(self, config: SessionConfig) -> str:
        """Return the bars that the first symbol of a config needs, as a text to compare."""
        day, manager = config.backtest_config.start_date, self.of(config)
        symbols = config.session_data_config.symbols
        if not symbols:
            return ""
        context = ProvisioningContext(RunScope(config), manager.time_manager, manager.on_day(day), SessionData(day))
        try:
            return repr(list(analyze(Addition("symbol", symbols[0], "config"), context).intervals.values()))
        except OpenbellError:
            return ""  # the point's run reports the error

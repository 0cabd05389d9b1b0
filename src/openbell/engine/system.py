"""`SystemManager`: builds a session engine from a config, and runs or plans it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbell.config import SessionConfig, load_config
from openbell.config.gap_policy import symbols_named
from openbell.engine.coordinator import SessionCoordinator
from openbell.engine.gc_control import rare_garbage
from openbell.engine.observer import SessionObserver
from openbell.engine.preflight import require_good_config
from openbell.errors import ConfigError
from openbell.market_data.manager import DataManager
from openbell.provisioning import Journal
from openbell.provisioning.plan import describe_requirement
from openbell.quality.calendar_fit import bars_beyond_calendar
from openbell.store.label import read_label
from openbell.store.store import BarStore
from openbell.timing import TimeManager
from openbell.timing.clock import SimulatedClock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from openbell.results.run_folder import RunFolder
    from openbell.session import SessionData

__all__ = ["SystemManager"]


class SystemManager:
    """A session engine, wired and ready.

    Args:
        config: What the sessions need: a config, or what `load_config` takes.
        store: The folder of the bar store; the config's ``store`` unless given.
        observer: Hears of what happens.

    Attributes:
        config: The config.
        time_manager: Calendar and clock.
        data_manager: Bars.
        coordinator: The lifecycle; its ``session_data`` is there for inspection after a run.

    Raises:
        ConfigError: The config as a whole cannot be, or names no store.
        StoreError: The folder is not a store.
    """

    def __init__(
        self,
        config: SessionConfig | Mapping[str, Any] | Path | str,
        *,
        store: Path | str | None = None,
        observer: SessionObserver | None = None,
    ) -> None:
        if not isinstance(config, SessionConfig):
            config = load_config(config)
        require_good_config(config)
        self.config = config
        self._observer = observer or SessionObserver()
        data = config.session_data_config
        self.time_manager = TimeManager(config.exchange, session_hours=data.session_hours, clock=SimulatedClock())
        self.data_manager = DataManager(
            BarStore.open(_store_path(config, store)),
            self.time_manager,
            min_completeness=data.min_completeness,
            horizon=config.backtest_config.end_date,
            adjustment=data.adjustment,
            gap_policy=data.gap_policy,
            gap_fill=data.historical.gap_fill,
        )
        self.coordinator = SessionCoordinator(config, self.time_manager, self.data_manager, observer=self._observer)
        self._days: list[dict[str, Any]] = []
        self._error: str | None = None
        self._unread: list[str] = []

    def __repr__(self) -> str:
        days = self.coordinator.days
        return (
            f"<SystemManager {self.config.session_name!r}: {len(days)} session{'s' * (len(days) > 1)} of "
            f"{self.time_manager.exchange}, {days[0]} to {days[-1]}, store {self.data_manager.store.path}>"
        )

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What is odd about calendar and data taken together; looked up when first asked for.

        The calendar ends before the data, or calls a day a session on which no symbol of the config has bars; or a
        symbol has a gap policy of its own and no bars. The summary's ``warnings`` hold these and, when the run is over,
        the keys of a ``config`` that nobody read.
        """
        symbols = self.config.session_data_config.symbols
        beyond = bars_beyond_calendar(self.data_manager.store, self.time_manager, symbols)
        return (*beyond, *self.coordinator.questions_of_calendar(), *self._unknown_gap_policies())

    def _unknown_gap_policies(self) -> list[str]:
        days = self.coordinator.days[:1] + self.coordinator.days[-1:]
        named = symbols_named(self.config.session_data_config.gap_policy)
        return [
            f"session_data_config.gap_policy names {name}, of which the store has no bars."
            f"{self.data_manager.hint(name, days[0])}"
            for name in named
            if not any(self.data_manager.available_intervals(name, day) for day in days)
        ]

    @property
    def session_data(self) -> SessionData:
        """The session of the current day; after a run, the last one."""
        return self.coordinator.session_data

    def run(self, folder: RunFolder | None = None) -> dict[str, Any]:
        """Run all sessions.

        Args:
            folder: Where the run leaves its journal and summary; nothing is kept unless given.

        Returns:
            The summary, which is also what ``summary.json`` holds.

        Raises:
            ProvisioningError: On some day, none of the config's symbols could be provisioned.
            ComponentError: A scanner or strategy raised. The run folder keeps what was done until then.
        """
        self._days, self._error, self._unread = [], None, []
        self.coordinator.journal = Journal(folder.journal if folder else None, self._observer.provisioned)
        self._observer.run_started(self.coordinator.days)
        for warning in self.warnings:
            self._observer.warned(warning)
        try:
            with rare_garbage():
                for day in self.coordinator.days:
                    self._days.append(self._run_day(day))
                    if folder:
                        folder.keep_day(self.session_data)
            self._unread = self.coordinator.unread_keys()
            for warning in self._unread:
                self._observer.warned(warning)
        finally:
            if folder:
                folder.finish(self.summary())
        return self.summary()

    def _run_day(self, day: date) -> dict[str, Any]:
        try:
            return self.coordinator.run_day(day)
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt)
            self._error = f"interrupted in session {day}" if stopped else str(error) or type(error).__name__
            raise

    def summary(self) -> dict[str, Any]:
        """What the run came to so far: the sessions that are over and, when it failed, the ``error``."""
        timing = {"load_s": round(self.coordinator.load_s, 6), "run_s": round(self.coordinator.run_s, 6)}
        error = {} if self._error is None else {"error": self._error}
        return {**self._heading(), **error, "days": list(self._days), "timing": timing}

    def plan(self) -> dict[str, Any]:
        """What a run would need of the store for the config's symbols, day by day, and why; nothing is provisioned."""
        days = []
        for day in self.coordinator.days:
            self.coordinator.begin_day(day)
            context = self.coordinator.provisioner.context
            symbols = {
                req.symbol: describe_requirement(req, context) for req in self.coordinator.analyze_config_symbols()
            }
            days.append({"date": day.isoformat(), "symbols": symbols, "rows": sum(s["rows"] for s in symbols.values())})
        return {**self._heading(), "days": days}

    def _heading(self) -> dict[str, Any]:
        heading = {
            "session_name": self.config.session_name,
            "mode": self.config.mode,
            "exchange": self.config.exchange_name,
            "warnings": [*self.warnings, *self._unread],
        }
        label = read_label(self.data_manager.store.path)
        return heading if label is None else {**heading, "store_label": label}


def _store_path(config: SessionConfig, store: Path | str | None) -> Path:
    if store is not None:
        return Path(store)
    if config.store is None:
        raise ConfigError("no store: say --store DIR, or write store: DIR in the config")
    return config.folder / config.store

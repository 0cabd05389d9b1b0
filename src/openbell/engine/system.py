"""Session engine that runs or plans the sessions of a config."""

from __future__ import annotations

from contextlib import closing, contextmanager
from functools import cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from openbell.config import SessionConfig, load_config
from openbell.engine.coordinator import SessionCoordinator
from openbell.engine.gc_control import rare_collection
from openbell.engine.observer import RunReporter, SessionObserver
from openbell.engine.preflight import require_good_config, with_days_to_come
from openbell.engine.replayed_sessions import first_to_play
from openbell.engine.run_data import data_manager_of
from openbell.engine.run_mode import BacktestMode
from openbell.engine.run_warnings import subscriptions_without_bars, warnings_before_run
from openbell.errors import ConfigError, OpenbellError, ProvisioningError, commands_name_exchange
from openbell.model.day import asked_day
from openbell.results.result import RunResult
from openbell.timing import TimeManager
from openbell.timing.clock import SimulatedClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date
    from pathlib import Path

    from openbell.engine.parallel_days import DayOutcome
    from openbell.engine.run_mode import RunMode
    from openbell.market_data.data_manager import DataManager
    from openbell.model.address import Place
    from openbell.results.folder.run_folder import RunFolder
    from openbell.results.plan_result import PlanResult
    from openbell.results.result import DayResult
    from openbell.session import SessionData
    from openbell.store.store import BarStore

__all__ = ["SystemManager"]


class SystemManager:
    """A session engine for one config.

    Args:
        config: A config, or what `load_config` takes.
        store: The bar store or its folder; the config's ``store`` unless given.
        data_manager: Has the bars, in place of a store. Systems may share one, also in several threads, if their
            configs agree on the exchange and on everything that the bars depend on.
        clock: The session clock; a new one unless given. Systems that run at the same time need one each.
        observer: Receives the events of runs; one observer, or several, notified in this order.
        mode: Where days, provisioners and batches come from; from the store, as in a backtest, unless given.

    Attributes:
        config: The config.
        time_manager: Calendar and clock.
        data_manager: Has the bars.
        coordinator: Runs the lifecycle of sessions.

    Raises:
        ConfigError: The config contradicts itself, names no store, or disagrees with the data manager.
        StoreError: The folder is not a store.
        TypeError: Both a store and a data manager are given.
    """

    def __init__(
        self,
        config: SessionConfig | Mapping[str, Any] | Path | str,
        *,
        store: BarStore | Place | str | None = None,
        data_manager: DataManager | None = None,
        clock: SimulatedClock | None = None,
        observer: SessionObserver | Iterable[SessionObserver] | None = None,
        mode: RunMode | None = None,
    ) -> None:
        if not isinstance(config, SessionConfig):
            config = load_config(config)
        require_good_config(config)
        self.config = config = with_days_to_come(config)
        self.time_manager = TimeManager(
            config.exchange,
            session_hours=config.session_data_config.session_hours,
            clock=SimulatedClock() if clock is None else clock,
        )
        with commands_name_exchange(config.exchange_option):
            self.data_manager = data_manager_of(config, self.time_manager, store, data_manager)
        self.coordinator = SessionCoordinator(config, self.time_manager, self.data_manager, mode)
        self._observers = (observer,) if isinstance(observer, SessionObserver) else tuple(observer or ())
        self._days: list[DayResult] = []
        self._error: str | None = None
        self._component_warnings: tuple[str, ...] = ()
        self._reporter = RunReporter()
        self._running = Lock()

    def __repr__(self) -> str:
        days = self.coordinator.days
        return (
            f"<SystemManager {self.config.session_name!r}: {len(days)} session{'s' * (len(days) > 1)} of "
            f"{self.time_manager.exchange}, {days[0]} to {days[-1]}, store {self.data_manager.store.path}>"
        )

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Warnings about calendar, data and config that are known before a run, determined at first access.

        They are those of `warnings_before_run`; none in a live run. The summary's ``warnings`` hold these and the
        warnings of the run, such as observers that failed and, when the run is over, the keys of a ``config`` that
        nobody read.
        """
        if not self.coordinator.mode.reads_ahead:
            return ()
        with commands_name_exchange(self.config.exchange_option):
            return warnings_before_run(self.config, self.time_manager, self.data_manager, self.coordinator.days)

    @property
    def session_data(self) -> SessionData:
        """Session of the current day, or after a run the last one."""
        return self.coordinator.session_data

    def session(self, day: date | str) -> SessionData:
        """Return the session of any day of the run as it ended.

        The last session is returned as it is. Any other one is replayed, together with the sessions before it if it
        depends on their trading or on the states of strategies.

        Args:
            day: The session, as a date or ISO text.

        Raises:
            OpenbellError: The system is running or planning, in this thread or another.
            ConfigError: The text is no date, or the run has no such session.
            ComponentError: A scanner or strategy raised.
        """
        day = asked_day(day)
        if day == self.session_data.session_date and self.session_data.is_over:
            return self.session_data
        with self._reserved():
            first = first_to_play(self.config, self.coordinator.days, day, self.coordinator.states)
            again = SystemManager(self.config.with_days(first, day), data_manager=self.data_manager)
        again.run()
        return again.session_data

    def run(self, folder: RunFolder | None = None, *, jobs: int = 1) -> RunResult:
        """Run all sessions.

        Args:
            folder: Receives events as they happen and, at the end, the results; nothing is written unless given.
            jobs: How many processes run sessions side by side; events and results still come in order of the sessions.
                With more than 1, the config must not trade and strategies must not write to ``state``. What strategies
                print goes to stderr, and observers get no ``day_prepared``. A script must call this below
                ``if __name__ == "__main__":``, because each process imports the script.

        Raises:
            OpenbellError: The system is running or planning already, in this thread or another.
            ConfigError: The config is of a live session, and there is no feed; or sessions cannot run side by side.
            ProvisioningError: On some day, none of the config's symbols could be provisioned; or no symbol had a bar on
                any day.
            ComponentError: A scanner or strategy raised. The run folder keeps what was done until then.
            RunFolderError: The run folder can no longer be written.
        """
        if self.config.mode == "live" and self.coordinator.mode.reads_ahead:
            raise ConfigError(
                "mode is live, which no store can play. Run it with openbell live; or write mode: backtest, and the "
                "days under backtest_config."
            )
        if jobs > 1:
            from openbell.engine.parallel_days import require_independent_days

            keeps_bars = folder is not None and folder.keeps_bars
            watches_bars = RunReporter(self._observers).wants_bars
            if not isinstance(self.coordinator.mode, BacktestMode):
                raise ConfigError("sessions of a feed come one after another. Run without jobs.")
            require_independent_days(self.config, keeps_bars=keeps_bars, watches_bars=watches_bars)
        with self._reserved():
            return self._run(folder, jobs)

    @contextmanager
    def _reserved(self) -> Iterator[None]:
        """Reserve the system for one run or plan, and let commands in messages name the exchange.

        Raises:
            OpenbellError: The system is running or planning already.
        """
        if not self._running.acquire(blocking=False):
            raise OpenbellError(
                "this SystemManager is running or planning already; what happens at the same time needs one each."
            )
        try:
            with commands_name_exchange(self.config.exchange_option):
                yield
        finally:
            self._running.release()

    def _run(self, folder: RunFolder | None, jobs: int) -> RunResult:
        reporter = RunReporter(self._observers, folder)
        self._begin(reporter)
        reporter.run_started(self.coordinator.days)
        if self.coordinator.mode.reads_ahead:
            self.coordinator.warnings.note_store()
        for warning in self.warnings:
            reporter.warned(warning)
        try:
            with rare_collection():
                for day, run_day in self._days_to_run(jobs):
                    self._days.append(self._run_day(day, run_day))
                    if folder:
                        folder.keep_day(self.session_data)
                    self._require_bars_of(day)
            self._require_bars()
            self._component_warnings = tuple(self.coordinator.component_warnings())
        except BaseException as error:
            self._error = self._error or _error_text(error, "between sessions")
            raise
        finally:
            self.coordinator.mode.ended()
            # Also when the run failed, since a warning may say why.
            for warning in (*self.coordinator.trading_warnings(), *self._component_warnings):
                reporter.warned(warning)
            if folder:
                folder.finish(self.summary())
        return self.summary()

    def _begin(self, reporter: RunReporter) -> None:
        self._reporter, self._days, self._error, self._component_warnings = reporter, [], None, ()
        self.coordinator.begin_run(reporter)

    def _days_to_run(self, jobs: int) -> Iterator[tuple[date, Callable[[date], DayResult]]]:
        """Yield each day with a function that runs it, or reports its run in another process."""
        days = list(self.coordinator.days)
        if min(jobs, len(days)) > 1:
            # Imported here, because a run in one process does not need multiprocessing.
            from openbell.engine.parallel_days import days_side_by_side

            with closing(days_side_by_side(self.config, self.data_manager.store.path, days, jobs)) as outcomes:
                for outcome in outcomes:
                    if outcome.result is None:
                        break  # it raised there, and is run again here to raise here
                    yield days.pop(0), partial(self._take_day, outcome, outcome.result)
        for day in days:
            yield day, self.coordinator.run_day

    def _take_day(self, outcome: DayOutcome, result: DayResult, _: date) -> DayResult:
        from openbell.engine.parallel_days import take_day

        return take_day(self.coordinator, outcome, result)

    def _run_day(self, day: date, run_day: Callable[[date], DayResult]) -> DayResult:
        try:
            return run_day(day)
        except BaseException as error:
            self._error = _error_text(error, f"in session {day}")
            raise

    def _require_bars(self) -> None:
        """Raise if no symbol has had a bar on any day of the run."""
        days, coordinator = self.coordinator.days, self.coordinator
        if len(coordinator.days_without_bars) + len(coordinator.days_skipped) == len(days):
            when = f"{days[0]}" if len(days) == 1 else f"any of the {len(days)} sessions from {days[0]} to {days[-1]}"
            why = coordinator.warnings.texts[0] if coordinator.days_skipped else self._stored_spans()
            self._error = f"no symbol had a bar on {when}. {why}"
            raise ProvisioningError(self._error)

    def _require_bars_of(self, day: date) -> None:
        """Raise if a day had no bar and the config stops the run then."""
        if self.config.session_data_config.on_empty_day == "stop" and day in self.coordinator.days_without_bars:
            self._error = f"no symbol had a bar on {day}, and session_data_config.on_empty_day is stop."
            raise ProvisioningError(self._error)

    def _stored_spans(self) -> str:
        """Return a sentence on the stored spans of at most three symbols, or an empty text."""
        named = [(data.symbol, data.base_interval) for data in self.session_data.current.values()][:3]
        found = [self.data_manager.coverage(symbol, base) for symbol, base in named if base]
        spans = [f"{c.symbol} {c.interval} from {c.first:%Y-%m-%d} to {c.last:%Y-%m-%d}" for c in found if c]
        return f"The store has bars of {', '.join(spans)}." if spans else ""

    def summary(self) -> RunResult:
        """Return the result of the sessions that are over, with the ``error`` of a run that failed."""
        empty_days = (f"no symbol had a bar on {day}" for day in self.coordinator.days_without_bars)
        met = self.coordinator.warnings.texts
        return RunResult(
            session_name=self.config.session_name,
            mode=self.config.mode,
            exchange=self.config.exchange_name,
            warnings=(
                *self.warnings,
                *self._reporter.failures,
                *empty_days,
                *met,
                *self.coordinator.trading_warnings(),
                *self._component_warnings,
            ),
            store_label=self.data_manager.store.label,
            error=self._error,
            days=tuple(self._days),
            load_s=self.coordinator.load_s,
            run_s=self.coordinator.run_s,
            trading=None if (trading := self.coordinator.trading_results) is None else trading.result(),
        )

    def plan(self) -> PlanResult:
        """Return the needs of the config's symbols, and of scanners and strategies that declare theirs, with reasons.

        No session is run.

        Raises:
            OpenbellError: The system is running or planning already, in this thread or another.
        """
        from openbell.engine.day_plan import plan_day
        from openbell.results.plan_result import PlanResult

        classes = self.coordinator.classes
        days, time_manager = self.coordinator.days, self.coordinator.time_manager
        late = subscriptions_without_bars(classes.strategies, self.config, time_manager, days)
        with self._reserved():
            return PlanResult(
                session_name=self.config.session_name,
                mode=self.config.mode,
                exchange=self.config.exchange_name,
                warnings=(*self.warnings, *late, *self._component_warnings),
                store_label=self.data_manager.store.label,
                days=tuple(plan_day(self.coordinator, classes.that_require(), day) for day in days),
            )


def _error_text(error: BaseException, where: str) -> str:
    """Return the text of the error that ended a run, for its summary."""
    text = str(error)
    return f"{text or 'interrupted'} {where}" if isinstance(error, KeyboardInterrupt) else text or type(error).__name__

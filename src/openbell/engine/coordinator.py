"""Lifecycle of sessions, from their preparation to their results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.compat.coordinator import CompatCoordinator
from openbell.components.configured import ConfiguredClasses, overrides
from openbell.components.state import EndedStates
from openbell.engine.component_runner import ComponentRunner
from openbell.engine.dispatcher import Dispatcher
from openbell.engine.observer import RunReporter
from openbell.engine.run_mode import BacktestMode
from openbell.engine.run_warnings import RunWarnings
from openbell.engine.subscriptions import Subscriptions, errors_of
from openbell.errors import ProvisioningError
from openbell.provisioning import Addition, Journal, Plan, ProvisioningContext, RunScope
from openbell.quality.calendar_fit import questions_of_calendar
from openbell.results.day import day_result
from openbell.session import SessionData
from openbell.session.data import end_session, serve_additions
from openbell.timing.clock import SimulatedClock, stopwatch

if TYPE_CHECKING:
    from datetime import date

    from openbell.config import SessionConfig
    from openbell.engine.run_mode import RunMode
    from openbell.engine.session_trading import SessionTrading
    from openbell.engine.trading_results import TradingResults
    from openbell.execution.desk import TradingDesk
    from openbell.market_data.data_manager import DataManager
    from openbell.results.result import DayResult
    from openbell.results.trading import DayTrading
    from openbell.timing import TimeManager

__all__ = ["SessionCoordinator"]


class SessionCoordinator(CompatCoordinator):
    """Prepares and runs the sessions of a config.

    Args:
        session_config: What the sessions need.
        time_manager: Calendar and clock; the clock must be a `SimulatedClock`.
        data_manager: Where bars come from.
        mode: Where days, provisioners and batches come from; from the store, as in a backtest, unless given.

    Raises:
        ConfigError: The exchange has no session on the config's days.

    Attributes:
        session_data: The session of the current day; after a run, the last one, for inspection.
        provisioner: Changes the session; nothing else does.
        journal: The records of additions and removals of this run.
        classes: The scanners and strategies of the config.
        clock: The session clock.
        days: The sessions of the config, in ascending order.
        dropped: The config symbols of the current day that could not be provisioned, with their errors.
        load_s: Time spent preparing the days of this run, in seconds of the machine's time.
        run_s: Time spent on the days of this run from open to close, in seconds of the machine's time.
        days_without_bars: The days of this run on which no symbol of the session had a bar, known when each is over.
        days_skipped: The days of this run for which no symbol could be provisioned, where such days are skipped.
        warnings: The warnings of this run so far.
        reporter: Receives the events of this run.
        has_subscribed: Whether a strategy ever subscribed to anything in this run, by name of those that can.
        states: The states of strategies at the end of the last session, as JSON text.
    """

    def __init__(
        self,
        session_config: SessionConfig,
        time_manager: TimeManager,
        data_manager: DataManager,
        mode: RunMode | None = None,
    ) -> None:
        self.mode = BacktestMode() if mode is None else mode
        if not isinstance(time_manager.clock, SimulatedClock):
            raise TypeError("a backtest needs a TimeManager with a SimulatedClock")
        self.session_config = session_config
        self.time_manager = time_manager
        self.data_manager = data_manager
        self.clock = time_manager.clock
        self._scope = RunScope(session_config)
        self.classes = ConfiguredClasses.of(session_config)
        self.days = self.mode.days(session_config, time_manager)
        self.session_data = SessionData(self.days[0])
        self.begin_run(RunReporter())
        self.begin_day(self.days[0])

    def begin_run(self, reporter: RunReporter) -> None:
        """Begin a run with an empty journal, whose events go to a reporter."""
        self.reporter = reporter
        self.journal = Journal(reporter.pending.append)
        self.load_s = self.run_s = 0.0
        self.days_without_bars: list[date] = []
        self.days_skipped: list[date] = []
        self.warnings = RunWarnings(reporter, self.time_manager, self.data_manager, self.days[-1])
        self.has_subscribed: dict[str, bool] = {}
        self.states: dict[str, str] = {}
        self._ended_states = EndedStates()
        self._traded: DayTrading | None = None
        self.desk = self._new_desk()
        self.trading_results = self._new_results()

    def _new_desk(self) -> TradingDesk | None:
        """Return the desk of a run that trades, or None."""
        execution = self.session_config.execution
        if execution is None:
            return None
        from openbell.execution.desk import TradingDesk

        report, is_real = self.reporter.pending.append, self.mode.has_broker
        return TradingDesk(execution, self.time_manager, self.clock, report, is_real=is_real)

    def _new_results(self) -> TradingResults | None:
        """Return empty trading results of the desk, or None in a run that does not trade."""
        if self.desk is None:
            return None
        from openbell.engine.trading_results import TradingResults

        return TradingResults(self.desk, self.data_manager)

    def run_day(self, day: date) -> DayResult:
        """Run one session from its preparation to its end.

        Raises:
            ProvisioningError: The config names symbols, and none of them could be provisioned.
            ComponentError: A scanner or strategy raised.
            RunFolderError: The run folder can no longer be written.
        """
        self.reporter.day_started(day)
        try:
            result = self._run_day(day)
        finally:
            self.reporter.finish_batch()
        if self.mode.reads_ahead:
            self.warnings.note_changes(day, {r.symbol for r in result.provisioning if r.ok})
        if self.session_data.symbols and not result.bars_streamed:
            self.days_without_bars.append(day)
            self.reporter.warned(f"no symbol had a bar on {day}")
        self.reporter.day_ended(result, self.session_data)
        return result

    def _run_day(self, day: date) -> DayResult:
        watch = stopwatch()
        first_record = len(self.journal)
        try:
            self.prepare_day(day)
        except ProvisioningError as error:
            if self.session_config.session_data_config.on_empty_day != "skip":
                raise
            return self._skipped(day, first_record, error)
        self.reporter.finish_batch()
        session = self.time_manager.session(day)
        if self.desk is not None:
            self.mode.before_trading(self.desk, session)
            self.desk.begin_session(session, self.provisioner)
        runner = ComponentRunner(
            self.classes,
            self.provisioner,
            self.time_manager,
            self.reporter.pending.append,
            desk=self.desk,
            states=self.states,
        )
        on_bar = self.reporter.bar_closed if self.reporter.wants_bars else None
        subscriptions = Subscriptions(self.provisioner, runner, session.last_ns, on_bar, self.warnings)
        source = self.mode.source(session, subscriptions, runner, self.desk)
        trading = None if self.desk is None else _trading_of(self.desk, runner)
        dispatcher = Dispatcher(session, source, self.session_data, runner, self.clock, self.reporter, trading)
        try:
            runner.setup()
            if trading is not None:
                trading.settle(self.clock.now_ns)
            runner.save_states()
            self.reporter.finish_batch()
            self.reporter.day_prepared(self.session_data)
            self.load_s += watch.seconds
            watch = stopwatch()
            callbacks = dispatcher.play() - subscriptions.bars_reported
        except BaseException as error:
            self._end_trading()
            runner.teardown_after(error)
            raise
        else:
            self._end_trading()
            runner.teardown()
            runner.save_states()
            self.states = runner.saved_states
        finally:
            end_session(self.session_data, self.clock.now_ns)
            self._warn_of_lost_changes()
            self._ended_states.add(day, runner.states)
        self.run_s += watch.seconds
        for name, strategy in runner.strategies.items():
            if overrides(type(strategy), "subscriptions"):
                ever = self.has_subscribed.get(name, False)
                self.has_subscribed[name] = ever or name in subscriptions.subscribed
        return day_result(
            self.session_data,
            self.time_manager,
            self.provisioner.context.data_manager,
            dropped=self.dropped,
            records=self.journal.since(first_record),
            signals=runner.signals,
            scans=runner.scans,
            callbacks=callbacks,
            trading=self._traded,
        )

    def _warn_of_lost_changes(self) -> None:
        """Warn of changes that were made to states after their session was over."""
        for warning in self._ended_states.warnings():
            self.warnings.warn(warning)

    def _end_trading(self) -> None:
        """Record the session's trading, after which orders are refused."""
        self._traded = None
        if self.desk is not None and self.trading_results is not None:
            self._traded = self.trading_results.end_session(self.desk.end_session())

    def _skipped(self, day: date, first_record: int, error: ProvisioningError) -> DayResult:
        """End a session for which nothing could be provisioned.

        Orders of earlier sessions may still fill or expire in it.
        """
        session = self.time_manager.session(day)
        if self.desk is not None:
            from openbell.engine.session_trading import trade_alone

            self.mode.before_trading(self.desk, session)
            self.desk.begin_session(session, self.provisioner)
            trade_alone(self.desk, self.clock, session.last_ns)
        self.clock.advance_to(session.last_ns)
        self._end_trading()
        end_session(self.session_data, self.clock.now_ns)
        self.days_skipped.append(day)
        self.warnings.warn(f"{day} is skipped: {error}")
        return day_result(
            self.session_data,
            self.time_manager,
            self.provisioner.context.data_manager,
            dropped=self.dropped,
            records=self.journal.since(first_record),
            trading=self._traded,
        )

    def prepare_day(self, day: date) -> None:
        """Begin a session and provision the config's symbols.

        The clock is then at the start of trading.

        Raises:
            ProvisioningError: The config names symbols, and none of them could be provisioned.
        """
        self.begin_day(day)
        self._load_session_data()

    def begin_day(self, day: date) -> None:
        """End the session before, and begin an empty one with the clock at the start of trading."""
        # In this order, so that other threads find a session that is over, or one that accepts additions.
        end_session(self.session_data, self.clock.now_ns)
        self.clock.reset(self.mode.start_ns(self.time_manager.session(day)))
        session_data = SessionData(day)
        provisioner = self.mode.provisioner(self.context_of(session_data), self.journal)
        serve_additions(session_data, provisioner)
        self.dropped: dict[str, tuple[str, ...]] = {}
        self.provisioner = provisioner
        self.session_data = session_data

    def context_of(self, session_data: SessionData) -> ProvisioningContext:
        """Return the context of provisioning as seen from a session."""
        day_bars = self.data_manager.on_day(session_data.session_date)
        return ProvisioningContext(self._scope, self.time_manager, day_bars, session_data)

    def _load_session_data(self) -> None:
        """Provision every symbol of the config.

        A symbol that cannot be provisioned is added to ``dropped`` with its errors.

        Raises:
            ProvisioningError: None of them could be provisioned.
        """
        with self.session_data.operation_lock:
            # Under one lock, so that nobody changes a symbol between its analysis and its addition.
            plans = self.plan_config_symbols()
            first_record = len(self.journal)
            results = self.provisioner.execute(plans)
        for plan, ok in zip(plans, results, strict=True):
            if not ok:
                self.dropped[plan.symbol] = errors_of(self.journal.since(first_record), plan.symbol, "config")
        if plans and len(self.dropped) == len(plans):
            reasons = "\n".join(f"  {symbol}: {' '.join(errors)}" for symbol, errors in self.dropped.items())
            day = self.session_data.session_date
            none = f"none of the {len(plans)} symbols could" if len(plans) > 1 else "the only symbol could not"
            symbols = self.session_config.session_data_config.symbols
            store, tm = self.data_manager.store, self.time_manager
            questions = questions_of_calendar(store, tm, symbols, day, day)
            raise ProvisioningError("\n".join([f"{none} be provisioned for {day}:\n{reasons}", *questions]))

    def plan_config_symbols(self) -> list[Plan]:
        """Plan all config symbols for the current day, without provisioning any."""
        symbols = self.session_config.session_data_config.symbols
        return self.provisioner.plan(Addition("symbol", symbol, "config") for symbol in symbols)

    def trading_warnings(self) -> list[str]:
        """Return warnings about holdings, signals, targets and the benchmark."""
        if self.desk is None or self.trading_results is None:
            return []
        desk, results = self.desk, self.trading_results
        return [
            *desk.held.warnings,
            *desk.signals.warnings.values(),
            *desk.signals.unused(),
            *desk.targets.warnings,
            *results.warnings.values(),
        ]

    def component_warnings(self) -> list[str]:
        """Return warnings about keys that components never read, and strategies that never subscribed to anything."""
        self._warn_of_lost_changes()
        idle = [name for name, ever in self.has_subscribed.items() if not ever]
        return [
            *self.classes.unread_keys(),
            *(f"{name} was never called: its subscriptions() returned nothing in any session" for name in idle),
        ]


def _trading_of(desk: TradingDesk, runner: ComponentRunner) -> SessionTrading:
    from openbell.engine.session_trading import SessionTrading

    return SessionTrading(desk, runner)

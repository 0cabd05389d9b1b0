"""`SessionCoordinator`: the lifecycle of sessions, one day after the other: tear down, initialise, stream, end."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from openbell.engine.component_runner import ConfiguredClasses, Hooks
from openbell.engine.observer import SessionObserver
from openbell.engine.stream import SessionStream
from openbell.engine.subscriptions import errors_of
from openbell.errors import CalendarError, ConfigError, ProvisioningError
from openbell.provisioning import (
    Addition,
    Journal,
    Provisioner,
    ProvisioningContext,
    ProvisioningRequirements,
    SymbolValidationResult,
    analyze_requirements,
)
from openbell.provisioning.analysis import prove, requirements_of
from openbell.provisioning.history import prefetch
from openbell.provisioning.validation import check_rule
from openbell.quality.calendar_fit import first_stored_day, questions_of_calendar
from openbell.results.summary import summarise_day
from openbell.session import SessionData
from openbell.timing.clock import SimulatedClock, stopwatch

if TYPE_CHECKING:
    from datetime import date

    from openbell.config import SessionConfig
    from openbell.market_data.manager import DataManager
    from openbell.provisioning.context import Answers
    from openbell.timing import TimeManager

__all__ = ["SessionCoordinator"]


class SessionCoordinator:
    """Prepares and runs the sessions of a config.

    Args:
        session_config: What the sessions need.
        time_manager: Calendar and clock; the clock must be a `SimulatedClock`.
        data_manager: Where bars come from.
        journal: Gets a record of every addition.
        observer: Hears of what happens.

    Raises:
        ConfigError: The exchange has no session on the config's days.

    Attributes:
        session_data: The session of the current day; after a run, the last one, for inspection.
        provisioner: What changes it.
        clock: The session clock.
        dropped: The config symbols of the current day that could not be provisioned, with their errors.
        load_s: How long the days of this run took to prepare, in seconds of the machine's time.
        run_s: How long they took from open to close.
    """

    def __init__(
        self,
        session_config: SessionConfig,
        time_manager: TimeManager,
        data_manager: DataManager,
        *,
        journal: Journal | None = None,
        observer: SessionObserver | None = None,
    ) -> None:
        if not isinstance(time_manager.clock, SimulatedClock):
            raise TypeError("a backtest needs a TimeManager with a SimulatedClock")
        self.session_config = session_config
        self.time_manager = time_manager
        self.data_manager = data_manager
        self.journal = journal or Journal()
        self.observer = observer or SessionObserver()
        self.load_s = 0.0
        self.run_s = 0.0
        self.clock = time_manager.clock
        self._lasting: Answers = {}
        self._classes = ConfiguredClasses.of(session_config)
        self.days = time_manager.sessions(
            session_config.backtest_config.start_date, session_config.backtest_config.end_date
        )
        if not self.days:
            asked = session_config.backtest_config
            raise ConfigError(
                f"{time_manager.exchange} has no session from {asked.start_date} to {asked.end_date}. Choose others."
            )
        self.begin_day(self.days[0])

    # The lifecycle

    def run_day(self, day: date) -> dict[str, Any]:
        """Run one session from its preparation to its end.

        Returns:
            The session's entry in the summary.

        Raises:
            ProvisioningError: The config names symbols, and none of them could be provisioned.
            ComponentError: A scanner or strategy raised.
        """
        watch = stopwatch()
        if day == self.days[0]:  # a run begins, maybe not the first one
            self.load_s = self.run_s = 0.0
        self.observer.day_started(day)
        first_record = len(self.journal)
        self.prepare_day(day)
        hooks = Hooks.of_day(self._classes, self.provisioner, self.time_manager)
        session = self.time_manager.session(day)
        stream = SessionStream(session, self.provisioner, hooks, self.clock, self.observer)
        try:
            hooks.setup()
            hooks.scan_before_the_open()
            stream.tell_of_new_symbols()
            self.observer.day_prepared(self.session_data)
            self.load_s += watch.seconds
            watch = stopwatch()
            callbacks = stream.play()
        except BaseException as error:
            hooks.teardown_after(error)
            raise
        hooks.teardown()
        self.run_s += watch.seconds
        summary = summarise_day(
            self.session_data,
            self.time_manager,
            self.provisioner.context.data_manager,
            dropped=self.dropped,
            records=self.journal.since(first_record),
            signals=hooks.signals,
            scans=hooks.scans,
            callbacks=callbacks,
        )
        self.observer.day_ended(summary, self.session_data)
        return summary

    def prepare_day(self, day: date) -> None:
        """Begin a session and provision the config's symbols; its clock stands at the start of trading.

        Raises:
            ProvisioningError: The config names symbols, and none of them could be provisioned.
        """
        self.begin_day(day)
        self._load_session_data()

    def begin_day(self, day: date) -> None:
        """Tear down what was, and begin a session that holds nothing, its clock at the start of trading."""
        self.session_data = SessionData(day)
        self.provisioner = Provisioner(self.context_of(self.session_data), self.journal)
        self.session_data.serve_additions_by(self.provisioner)
        self.dropped: dict[str, tuple[str, ...]] = {}
        self.clock.reset(self.time_manager.session(day).first_ns)

    def context_of(self, session_data: SessionData) -> ProvisioningContext:
        """The context as seen from a session."""
        day_bars = self.data_manager.on_day(session_data.session_date)
        return ProvisioningContext(self.session_config, self.time_manager, day_bars, session_data, self._lasting)

    def _load_session_data(self) -> None:
        """Provision every config symbol; a bad one is dropped with its reason, all bad end the run.

        Raises:
            ProvisioningError: None of them could be provisioned.
        """
        reqs = self.analyze_config_symbols()
        first_record = len(self.journal)
        for req, ok in zip(reqs, self.provisioner.execute(reqs), strict=True):
            if not ok:
                self.dropped[req.symbol] = errors_of(self.journal.since(first_record), req.symbol, req.owner)
        if reqs and len(self.dropped) == len(reqs):
            reasons = "\n".join(f"  {symbol}: {' '.join(errors)}" for symbol, errors in self.dropped.items())
            day = self.session_data.session_date
            none = f"none of the {len(reqs)} symbols could" if len(reqs) > 1 else "the only symbol could not"
            told = [f"{none} be provisioned for {day}:\n{reasons}"]
            raise ProvisioningError("\n".join(told + self.questions_of_calendar(day, day)))

    def analyze_config_symbols(self) -> list[ProvisioningRequirements]:
        """Analyse and validate all config symbols for the current day, without provisioning any: the plan."""
        context = self.provisioner.context
        context.refresh()
        symbols = self.session_config.session_data_config.symbols
        reqs = [requirements_of(Addition("symbol", symbol, "config"), context) for symbol in symbols]
        prefetch(((req.symbol, need) for req in reqs for need in req.intervals.values()), context)
        for req in reqs:
            prove(req, context)
        return reqs

    def questions_of_calendar(self, first: date | None = None, last: date | None = None) -> list[str]:
        """For sessions on which no symbol of the config has bars: is the calendar wrong, or the data?

        Args:
            first: The first day that is looked at; unless given, where the history of the first session begins, as far
                as the store reaches back.
            last: The last day; the last session of the run unless given.
        """
        symbols = self.session_config.session_data_config.symbols
        store, tm = self.data_manager.store, self.time_manager
        stored = first_stored_day(store, tm, symbols) or self.days[0]
        begin = first or min(self.days[0], max(self._first_day_of_history(), stored))
        return questions_of_calendar(store, tm, symbols, begin, last or self.days[-1])

    def _first_day_of_history(self) -> date:
        """Where the calendar lets the history of the first session begin."""
        first = self.days[0]
        context = self.context_of(SessionData(first))
        symbols = self.session_config.session_data_config.symbols
        # All symbols need the same but for what the store holds of them.
        one = next(filter(context.stored_intervals, symbols), symbols[0])
        for need in requirements_of(Addition("symbol", one, "config"), context).intervals.values():
            with suppress(CalendarError):
                first = min(first, context.calendar_start(need))
        return first

    def unread_keys(self) -> list[str]:
        """What to tell of keys of their configs that scanners and strategies have read on no day so far."""
        return self._classes.unread_keys()

    # Additions, by the names of the specification

    def add_symbol(self, symbol: str, added_by: str = "strategy") -> bool:
        """Add a symbol with all that the config asks of every symbol; an ad-hoc one is upgraded to that.

        Returns:
            Whether it is full now; the journal says why not.
        """
        return self.provisioner.add_symbol(symbol, source=added_by)

    def remove_symbol(self, symbol: str, removed_by: str = "strategy") -> bool:
        """Take back what ``removed_by`` needed of a symbol; what others need stays, and a locked symbol stays whole."""
        return self.provisioner.remove_symbols([symbol], source=removed_by)[0]

    def lock_symbol(self, symbol: str, reason: str = "in use") -> bool:
        """Forbid the removal of a symbol; False when it is not in the session."""
        return self.provisioner.lock_symbol(symbol, reason=reason, source="strategy")

    def unlock_symbol(self, symbol: str) -> bool:
        """Allow the removal of a symbol again; False when it is not in the session."""
        return self.provisioner.unlock_symbol(symbol, source="strategy")

    def _execute_provisioning(self, req: ProvisioningRequirements) -> bool:
        """Carry out an analysed requirement: all of its steps, or none; the journal says which failed and why."""
        return self.provisioner.execute([req])[0]

    # Validation, by the names of the specification

    def _validate_symbol_for_loading(self, symbol: str) -> SymbolValidationResult:
        """Whether a symbol can be loaded as the config asks; all rules are run, nothing is touched."""
        req = self._symbol_requirements(symbol)
        context = self.provisioner.context
        return SymbolValidationResult(
            symbol=symbol,
            can_proceed=req.can_proceed,
            errors=tuple(req.validation_errors),
            warnings=tuple(req.warnings),
            data_source_available=check_rule("data_source", req, context) is None,
            has_historical_data=bool(req.proofs) and check_rule("historical_availability", req, context) is None,
            has_parquet_data=bool(req.proofs) and check_rule("parquet_data", req, context) is None,
        )

    def _check_data_source_for_symbol(self, symbol: str) -> bool:
        """Whether the store knows the symbol."""
        return self._validate_symbol_for_loading(symbol).data_source_available

    def _check_historical_data_availability(self, symbol: str) -> bool:
        """Whether the symbol's history reaches back far enough for all that the config asks."""
        return self._validate_symbol_for_loading(symbol).has_historical_data

    def _check_parquet_data(self, symbol: str) -> bool:
        """Whether the store has bars of the current session."""
        return self._validate_symbol_for_loading(symbol).has_parquet_data

    def _symbol_requirements(self, symbol: str) -> ProvisioningRequirements:
        return analyze_requirements(
            operation_type="symbol",
            symbol=symbol,
            source="config",
            session_data=self.session_data,
            session_coordinator=self,
        )

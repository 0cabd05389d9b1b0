"""Scanners and strategies of a session day, their calls, and reports of their errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from openbell.components.configured import bounded, overrides
from openbell.components.scanner import ScannerContext
from openbell.components.state import StrategyState
from openbell.components.strategy import Signal, StrategyContext
from openbell.engine.declared_requirements import additions_of, requirements_of
from openbell.errors import ComponentError, DataError, SubscriptionError, did_you_mean
from openbell.model.events import ScanEvent, SignalEvent, StateEvent
from openbell.model.frozen import quick_row_maker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openbell.components.configured import ConfiguredClasses
    from openbell.components.requirement import Requirement
    from openbell.components.scanner import Scanner
    from openbell.components.strategy import Strategy
    from openbell.config import ScannerConfig
    from openbell.execution.desk import TradingDesk
    from openbell.provisioning import Provisioner
    from openbell.timing import TimeManager

__all__ = ["ComponentRunner", "ScannerOfDay"]

T = TypeVar("T")

_signal_event = quick_row_maker(SignalEvent)


@dataclass(frozen=True, slots=True)
class ScannerOfDay:
    """A scanner with its name and its entry in the config."""

    name: str
    scanner: Scanner
    config: ScannerConfig


class ComponentRunner:
    """The scanners and strategies of one session day, and what they signalled and found.

    Args:
        classes: The configured classes, of which new objects are made.
        provisioner: Holds the session's state, and carries out the additions of scanners and strategies.
        time_manager: Calendar and clock.
        report: Called with every signal and scan.
        desk: Receives the orders of strategies; None in a session that does not trade.
        states: The states of strategies by name, as JSON text, at the end of the session before.

    Raises:
        ComponentError: A constructor raised.

    Attributes:
        scanners: In the order of the config.
        strategies: By name, in the order of the config.
        signals: The signals of strategies so far.
        scans: The runs of scanners so far.
        saved_states: The states of strategies by name, as they were saved last.
    """

    def __init__(
        self,
        classes: ConfiguredClasses,
        provisioner: Provisioner,
        time_manager: TimeManager,
        report: Callable[[ScanEvent | SignalEvent | StateEvent], None],
        *,
        desk: TradingDesk | None = None,
        states: Mapping[str, str] | None = None,
    ) -> None:
        self._report = report
        self._time_manager = time_manager
        self._session_data = provisioner.context.session_data
        self._provisioner = provisioner
        self._required: dict[str, list[Requirement]] = {}
        self.signals: list[SignalEvent] = []
        self.scans: list[ScanEvent] = []
        self.scanners: list[ScannerOfDay] = []
        self.strategies: dict[str, Strategy] = {}
        self._names: dict[int, str] = {}
        self._desk = desk
        self.saved_states = dict(states or {})
        self._make_components(classes, provisioner, desk)
        self._known_symbols = dict.fromkeys(self._session_data.full_symbols)
        self._known_version = self._session_data.series_version

    def _make_components(
        self,
        classes: ConfiguredClasses,
        provisioner: Provisioner,
        desk: TradingDesk | None,
    ) -> None:
        """Make new objects of all configured classes, each with its own copy of its config."""
        for one in classes.scanners:
            context = ScannerContext(provisioner, self._time_manager, source="scanner", owner=one.name)
            context.universe = one.universe
            own = classes.config_for(one.name, one.config)
            scanner = self.call(one.name, "__init__", one.made_of, context, own)
            self.scanners.append(ScannerOfDay(one.name, scanner, one.config))
        for each in classes.strategies:
            strategy_context = StrategyContext(
                provisioner,
                self._time_manager,
                source="strategy",
                owner=each.name,
                orders=None if desk is None else desk.orders_of(each.name.removeprefix("strategy ")),
                state=StrategyState.of_json(self.saved_states.setdefault(each.name, "{}")),
            )
            own = classes.config_for(each.name, each.config)
            self.strategies[each.name] = self.call(each.name, "__init__", each.made_of, strategy_context, own)
            self._names[id(self.strategies[each.name])] = each.name

    # The day

    def setup(self) -> None:
        """Provision all requirements, set up all components, and run the pre-session scans.

        Scanners come before strategies.
        """
        for of_day in self.scanners:
            self._provision_requirements(of_day.name, of_day.scanner)
        self._provision_new_requirements()
        for of_day in self.scanners:
            self.call(of_day.name, "setup", of_day.scanner.setup)
        for name, strategy in self.strategies.items():
            self.call(name, "setup", strategy.setup)
        for of_day in self.scanners:
            if of_day.config.pre_session:
                self.scan(of_day)
        self.notify_of_symbols()

    def _provision_new_requirements(self) -> None:
        for name, strategy in self.strategies.items():
            self._provision_requirements(name, strategy)

    def _provision_requirements(self, name: str, component: Scanner | Strategy) -> None:
        """Provision what a component requires now and has not required before."""
        if not overrides(type(component), "requirements"):
            return
        declared = self.call(name, "requirements", requirements_of, component)
        known = set(self._required.get(name, ()))
        self._required[name] = declared
        if additions := additions_of(name, [one for one in declared if one not in known]):
            self.call(name, "requirements", self._provisioner.provision, additions)

    def required_by(self, name: str) -> Iterator[tuple[str, str]]:
        """Iterate over the intervals and indicators, by symbol, that a component requires."""
        for one in self._required.get(name, ()):
            yield one.symbol, one.name
            yield one.symbol, one.interval

    def teardown(self) -> None:
        """Tear down all components in the order of the setup, then end the states of strategies."""
        try:
            for of_day in self.scanners:
                self.call(of_day.name, "teardown", of_day.scanner.teardown)
            for name, strategy in self.strategies.items():
                self.call(name, "teardown", strategy.teardown)
        finally:
            for state in self.states.values():
                state.end(self._session_data.session_date)

    @property
    def states(self) -> dict[str, StrategyState]:
        """The states of strategies by name."""
        return {name: strategy.context.state for name, strategy in self.strategies.items()}

    def teardown_after(self, error: BaseException) -> None:
        """Tear down all components after a failed run.

        An error of a teardown is added to the error of the run as a note.
        """
        try:
            self.teardown()
        except ComponentError as second:
            error.add_note(f"and then: {second}")

    def save_states(self) -> None:
        """Report the states that have changed since they were saved last.

        Raises:
            ComponentError: A state holds a value that JSON cannot.
        """
        for name, strategy in self.strategies.items():
            state = strategy.context.state
            text = self.call(name, "state", state.to_json) if state else "{}"
            if text != self.saved_states[name]:
                self.saved_states[name] = text
                event = StateEvent(
                    time_ns=self._time_manager.now_ns,
                    zone=self._time_manager.timezone,
                    session_date=self._session_data.session_date,
                    strategy=name.removeprefix("strategy "),
                    state=text,
                )
                self._report(event)

    # Events

    def scan(self, of_day: ScannerOfDay) -> None:
        """Run one scan, and keep what it found."""
        found = self.call(of_day.name, "scan", lambda: _symbols(of_day.scanner.scan()))
        scan = ScanEvent(
            time_ns=self._time_manager.now_ns,
            zone=self._time_manager.timezone,
            session_date=self._session_data.session_date,
            scanner=of_day.name.removeprefix("scanner "),
            symbols=tuple(found),
        )
        self.scans.append(scan)
        self._report(scan)

    def notify_of_symbols(self) -> None:
        """Call ``on_symbol_removed`` and ``on_symbol_added`` for all changes since the last call."""
        data = self._session_data
        if self._known_version == data.series_version:
            return
        self._known_version = data.series_version
        # A strategy may add and remove further symbols when it is notified.
        while True:
            full = dict.fromkeys(data.full_symbols)
            gone = [symbol for symbol in self._known_symbols if symbol not in full]
            new = [symbol for symbol in full if symbol not in self._known_symbols]
            if not gone and not new:
                return
            self._known_symbols = full
            self._provision_new_requirements()
            for symbol in gone:
                for name, strategy in self.strategies.items():
                    self.call(name, "on_symbol_removed", strategy.on_symbol_removed, symbol)
            for symbol in new:
                for name, strategy in self.strategies.items():
                    if self._is_full(symbol):
                        self.call(name, "on_symbol_added", strategy.on_symbol_added, symbol)

    def _is_full(self, symbol: str) -> bool:
        data = self._session_data.get_symbol_data(symbol)
        return data is not None and data.meets_session_config_requirements

    def keep_signals(self, callback: Callable[..., object], returned: object) -> None:
        """Keep the signal, or the signals, that ``on_bar`` or ``on_slice`` returned.

        Raises:
            ComponentError: The method returned something else, or a signal for a symbol that the session never had.
        """
        if type(returned) is list and not returned:
            return
        name, method = self._place_of(callback)
        found = (returned,) if isinstance(returned, Signal) else self.call(name, method, _signals, returned)
        time_ns, zone, day = self._time_manager.now_ns, self._time_manager.timezone, self._session_data.session_date
        strategy, known = name.removeprefix("strategy "), self._session_data.current
        for signal in found:
            if signal.symbol not in known:
                self.call(name, method, self._require_known, signal)
            symbol, action, reason = signal.symbol, signal.action, signal.reason
            event = _signal_event(time_ns, zone, day, symbol, action, reason, strategy, signal.numbers)
            self.signals.append(event)
            self._report(event)
            if self._desk is None:
                continue
            if self._desk.signals:
                self.call(name, method, self._order_by_signal, self._desk, name, signal)
            else:
                self._desk.signals.note_unfollowed(strategy, action)

    def _order_by_signal(self, desk: TradingDesk, name: str, signal: Signal) -> None:
        """Give the orders that ``execution.signals`` makes of a signal."""
        orders = desk.orders_of(name.removeprefix("strategy "))
        desk.follow(orders, signal.symbol, signal.action, signal.reason, signal.numbers)

    def _require_known(self, signal: Signal) -> None:
        """Raise if the symbol of a signal was never added to the session."""
        if not any(record.symbol == signal.symbol and record.ok for record in self._provisioner.journal.records):
            near = did_you_mean(signal.symbol, self._session_data.symbols)
            raise DataError(f"a signal for {signal.symbol!r}, which is not in the session.{near}")

    # Calls and their errors

    def call(self, name: str, method: str, function: Callable[..., T], *args: object) -> T:
        """Call a user's method.

        Raises:
            ComponentError: The method raised.
        """
        try:
            return function(*args)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise ComponentError(name, method, self._now(), error) from error

    def error_in(self, callback: Callable[..., object], error: BaseException) -> ComponentError:
        """Return the error to report when a strategy's method has raised one."""
        return ComponentError(*self._place_of(callback), self._now(), error)

    def subscription_error(self, name: str, symbol: str, interval: str, reasons: Iterable[str]) -> SubscriptionError:
        """Return the error to report when a strategy subscribes to a series that cannot be provisioned."""
        return SubscriptionError(name, symbol, interval, self._now(), reasons)

    def name_of(self, callback: Callable[..., object]) -> str | None:
        """Return the name of the strategy that a bound method belongs to, or None."""
        return self._names.get(id(getattr(callback, "__self__", None)))

    def _place_of(self, callback: Callable[..., object]) -> tuple[str, str]:
        """Return the name of the strategy that a bound method belongs to, and the method's name."""
        return self.name_of(callback) or "strategy", getattr(callback, "__name__", "on_bar")

    def _now(self) -> str:
        return self._time_manager.to_local(self._time_manager.now_ns).isoformat()


def _symbols(found: Iterable[str] | None) -> list[str]:
    if isinstance(found, str):
        raise TypeError(f"scan must return a list of symbols, not the text {found!r}; return [{found!r}]")
    symbols = bounded(found or (), "symbols")
    if strangers := [symbol for symbol in symbols if not isinstance(symbol, str)]:
        raise TypeError(f"scan must return a list of symbols, and {strangers[0]!r} in it is none; leave it out")
    return [str(symbol) for symbol in symbols]  # of NumPy's texts, too


def _signals(returned: object) -> list[Signal]:
    if type(returned) is list or (isinstance(returned, Iterable) and not isinstance(returned, str | Mapping)):
        signals = bounded(returned, "signals")
        if strangers := [s for s in signals if not isinstance(s, Signal)]:
            raise TypeError(
                f"a strategy's list of signals holds Signals only, and {strangers[0]!r} is none; leave it out"
            )
        return signals
    if not isinstance(returned, Signal):
        raise TypeError(f"a strategy must return a Signal, several, or None; not {returned!r}")
    return [returned]

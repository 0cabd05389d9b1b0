"""Makes a day's scanners and strategies and calls them; what they raise is told with its place and session time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from openbell.components.config_usage import KeysRead
from openbell.components.loading import load_class
from openbell.components.scanner import Scanner, ScannerContext
from openbell.components.strategy import Signal, Strategy, StrategyContext
from openbell.components.universes import load_universe
from openbell.errors import ComponentError, ConfigError, SubscriptionError, did_you_mean
from openbell.model.events import ScanEvent, SignalEvent

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from openbell.config import ComponentConfig, ScannerConfig, SessionConfig, StrategyConfig
    from openbell.provisioning import Provisioner
    from openbell.timing import TimeManager

__all__ = ["ConfiguredClasses", "Hooks", "ScannerOfDay", "defines", "load_scanner", "load_strategy"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ConfiguredClasses:
    """The classes and universes that a config names, loaded once: a file that is edited meanwhile changes no run.

    Attributes:
        scanners: The class of each, what the config says of it, and its universe.
        strategies: The class of each, and what the config says of it.
        keys_read: By the names of the scanners and strategies, what they have read so far of their configs.
    """

    scanners: tuple[tuple[type[Scanner], ScannerConfig, tuple[str, ...]], ...]
    strategies: tuple[tuple[type[Strategy], StrategyConfig], ...]
    keys_read: dict[str, KeysRead] = field(default_factory=dict)

    @staticmethod
    def of(config: SessionConfig) -> ConfiguredClasses:
        """Load them.

        Raises:
            ConfigError: A class or a universe file is not there.
        """
        scanners = tuple(
            (load_scanner(c, config), c, load_universe(c.universe, config.folder)) for c in config.scanners
        )
        strategies = tuple((load_strategy(c, config), c) for c in config.strategies)
        return ConfiguredClasses(scanners, strategies)

    def config_for(self, name: str, config: ComponentConfig) -> dict[str, Any]:
        """A copy of what the config gives a scanner or strategy, which notes in `keys_read` what is read of it."""
        return self.keys_read.setdefault(name, KeysRead(config.config)).noting(deepcopy(config.config))

    def unread_keys(self) -> list[str]:
        """What to tell of keys of their configs that scanners and strategies have read on no day so far."""
        return [warning for name, keys in self.keys_read.items() for warning in keys.warnings(name)]


def load_scanner(scanner: ScannerConfig, config: SessionConfig) -> type[Scanner]:
    """The class of a configured scanner.

    Raises:
        ConfigError: It is not there, or defines no scan.
    """
    return load_class(scanner.module, Scanner, config.folder)  # type: ignore[type-abstract]  # only compared with


def load_strategy(strategy: StrategyConfig, config: SessionConfig) -> type[Strategy]:
    """The class of a configured strategy.

    Raises:
        ConfigError: It is not there, or it subscribes to bars and has no method that gets them.
    """
    found = load_class(strategy.module, Strategy, config.folder)
    called = ("on_bar", "on_slice")
    if defines(found, "subscriptions") and not any(defines(found, name) for name in called):
        own = [name for name in vars(found) if not name.startswith("_")]
        near = next((hint for name in own if (hint := did_you_mean(name, called))), "")
        raise ConfigError(f"{strategy.module} subscribes to bars, and defines neither on_bar nor on_slice.{near}")
    return found


def defines(strategy: type[Strategy], method: str) -> bool:
    """Whether a class of strategies has a method of its own: what nobody looks at is not made."""
    return getattr(strategy, method) is not getattr(Strategy, method)


@dataclass(frozen=True, slots=True)
class ScannerOfDay:
    """A scanner and when it runs."""

    name: str
    scanner: Scanner
    config: ScannerConfig


@dataclass(slots=True)
class Hooks:
    """The scanners and strategies of one session day, and what they said.

    Attributes:
        scanners: In the order of the config.
        strategies: Likewise, by name.
        signals: The signals of strategies so far.
        scans: The runs of scanners so far.
        report: Called with every signal and scan.
    """

    time_manager: TimeManager
    session_date: date
    report: Callable[[ScanEvent | SignalEvent], None]
    scanners: list[ScannerOfDay] = field(default_factory=list)
    strategies: dict[str, Strategy] = field(default_factory=dict)
    signals: list[SignalEvent] = field(default_factory=list)
    scans: list[ScanEvent] = field(default_factory=list)

    @staticmethod
    def of_day(
        classes: ConfiguredClasses,
        provisioner: Provisioner,
        time_manager: TimeManager,
        report: Callable[[ScanEvent | SignalEvent], None],
    ) -> Hooks:
        """New objects of all configured classes, each with its own copy of what the config gives it.

        Raises:
            ComponentError: A class cannot be made.
        """
        hooks = Hooks(time_manager, provisioner.context.session_data.session_date, report)
        for scanner_class, scanner_config, universe in classes.scanners:
            name = _unique(f"scanner {scanner_class.__name__}", [s.name for s in hooks.scanners])
            context = ScannerContext(provisioner, time_manager, source="scanner", owner=name)
            context.universe = universe
            scanner = hooks.call(name, "__init__", scanner_class, context, classes.config_for(name, scanner_config))
            hooks.scanners.append(ScannerOfDay(name, scanner, scanner_config))
        for strategy_class, strategy_config in classes.strategies:
            name = _unique(f"strategy {strategy_class.__name__}", list(hooks.strategies))
            strategy_context = StrategyContext(provisioner, time_manager, source="strategy", owner=name)
            given = classes.config_for(name, strategy_config)
            strategy = hooks.call(name, "__init__", strategy_class, strategy_context, given)
            hooks.strategies[name] = strategy
        return hooks

    def setup(self) -> None:
        """Set all up, scanners first."""
        for of_day in self.scanners:
            self.call(of_day.name, "setup", of_day.scanner.setup)
        for name, strategy in self.strategies.items():
            self.call(name, "setup", strategy.setup)

    def teardown(self) -> None:
        """Tear all down, in the order of the setup."""
        for of_day in self.scanners:
            self.call(of_day.name, "teardown", of_day.scanner.teardown)
        for name, strategy in self.strategies.items():
            self.call(name, "teardown", strategy.teardown)

    def teardown_after(self, error: BaseException) -> None:
        """Tear all down although a run has failed; what a teardown raises now is noted on the error that came first."""
        try:
            self.teardown()
        except ComponentError as second:
            error.add_note(f"and then: {second}")

    def scan_before_the_open(self) -> None:
        """Run the scans that the config wants before the session."""
        for of_day in self.scanners:
            if of_day.config.pre_session:
                self.scan(of_day)

    def scan(self, of_day: ScannerOfDay) -> None:
        """Run one scan, and keep what it found."""
        found = self.call(of_day.name, "scan", lambda: _symbols(of_day.scanner.scan()))
        scan = ScanEvent(
            time_ns=self.time_manager.now_ns,
            zone=self.time_manager.timezone,
            session_date=self.session_date,
            scanner=of_day.name.removeprefix("scanner "),
            symbols=tuple(found),
        )
        self.scans.append(scan)
        self.report(scan)

    def symbol_added(self, symbol: str) -> None:
        """Tell all strategies of a new full symbol."""
        for name, strategy in self.strategies.items():
            self.call(name, "on_symbol_added", strategy.on_symbol_added, symbol)

    def keep_signals(self, callback: Callable[..., Any], said: Any) -> None:
        """Keep what ``on_bar`` or ``on_slice`` returned: a signal or several."""
        name, method = self.place_of(callback)
        for signal in (said,) if isinstance(said, Signal) else self.call(name, method, _signals, said):
            event = SignalEvent(
                time_ns=self.time_manager.now_ns,
                zone=self.time_manager.timezone,
                session_date=self.session_date,
                symbol=signal.symbol,
                action=signal.action,
                reason=signal.reason,
                strategy=name.removeprefix("strategy "),
            )
            self.signals.append(event)
            self.report(event)

    def place_of(self, callback: Callable[..., Any]) -> tuple[str, str]:
        """The name of the strategy that a bound method belongs to, and the method's name."""
        owner = getattr(callback, "__self__", None)
        name = next((n for n, s in self.strategies.items() if s is owner), "strategy")
        return name, getattr(callback, "__name__", "on_bar")

    def call(self, name: str, method: str, function: Callable[..., T], *args: Any) -> T:
        """Call a user's method.

        Raises:
            ComponentError: It raised.
        """
        try:
            return function(*args)
        except (Exception, SystemExit) as error:
            raise self.component_error(name, method, error) from error

    def component_error(self, name: str, method: str, error: BaseException) -> ComponentError:
        """What a user's method raised, with the session time."""
        return ComponentError(name, method, self._now(), error)

    def subscription_error(self, name: str, symbol: str, interval: str, reasons: Iterable[str]) -> SubscriptionError:
        """A strategy subscribes to what cannot be provisioned, with the session time."""
        return SubscriptionError(name, symbol, interval, self._now(), reasons)

    def _now(self) -> str:
        return self.time_manager.to_local(self.time_manager.now_ns).isoformat()


def _symbols(found: Iterable[str] | None) -> list[str]:
    if isinstance(found, str):
        raise TypeError(f"scan must return a list of symbols, not the text {found!r}; return [{found!r}]")
    return [str(symbol) for symbol in found or ()]


def _signals(said: Any) -> list[Signal]:
    signals = list(said) if isinstance(said, Iterable) and not isinstance(said, str | Mapping) else [said]
    strangers = [s for s in signals if not isinstance(s, Signal)]
    if strangers:
        raise TypeError(f"a strategy must return a Signal, several, or None; not {strangers[0]!r}")
    return signals


def _unique(name: str, taken: list[str]) -> str:
    """The name, numbered when the same class is configured more than once."""
    number = 1 + sum(t == name or t.startswith(f"{name} #") for t in taken)
    return name if number == 1 else f"{name} #{number}"

"""Classes and universes that a config names, and what their methods return."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from openbell.components.config_usage import ConfigUsage
from openbell.components.loading import load_class
from openbell.components.scanner import Scanner
from openbell.components.strategy import Strategy
from openbell.components.universes import load_universe
from openbell.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openbell.config import ComponentConfig, ScannerConfig, SessionConfig, StrategyConfig

__all__ = [
    "ConfiguredClasses",
    "ConfiguredScanner",
    "ConfiguredStrategy",
    "bounded",
    "load_scanner",
    "load_strategy",
    "overrides",
]


@dataclass(frozen=True, slots=True)
class ConfiguredScanner:
    """A scanner of a config.

    Attributes:
        name: Its name, e.g. "scanner Gap".
        made_of: Its class.
        config: Its entry.
        universe: Its universe.
    """

    name: str
    made_of: type[Scanner]
    config: ScannerConfig
    universe: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfiguredStrategy:
    """A strategy of a config.

    Attributes:
        name: Its name, e.g. "strategy EmaCross".
        made_of: Its class.
        config: Its entry.
        universe: Empty, because strategies have none.
    """

    name: str
    made_of: type[Strategy]
    config: StrategyConfig
    universe: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfiguredClasses:
    """The scanners, strategies and universes of a config.

    They are loaded once for all days, so that a file that is edited meanwhile does not change a run.

    Attributes:
        scanners: In the order of the config.
        strategies: In the order of the config.
        usage: By the name of a scanner or strategy, the use of its config's keys so far.
    """

    scanners: tuple[ConfiguredScanner, ...]
    strategies: tuple[ConfiguredStrategy, ...]
    usage: dict[str, ConfigUsage] = field(default_factory=dict)

    @staticmethod
    def of(config: SessionConfig) -> ConfiguredClasses:
        """Load all classes and universes that a config names.

        Raises:
            ConfigError: A class or a universe file is missing or invalid.
        """
        loaded = [load_scanner(c, config) for c in config.scanners]
        names = _scanner_names(loaded)
        scanners = tuple(
            ConfiguredScanner(name, made_of, c, load_universe(c.universe, config.folder))
            for name, made_of, c in zip(names, loaded, config.scanners, strict=True)
        )
        strategies = tuple(
            ConfiguredStrategy(f"strategy {c.name}", load_strategy(c, config), c) for c in config.strategies
        )
        return ConfiguredClasses(scanners, strategies)

    def that_require(self) -> ConfiguredClasses:
        """Return the scanners and strategies that declare requirements."""
        return ConfiguredClasses(
            tuple(scanner for scanner in self.scanners if overrides(scanner.made_of, "requirements")),
            tuple(strategy for strategy in self.strategies if overrides(strategy.made_of, "requirements")),
        )

    def config_for(self, name: str, entry: ComponentConfig) -> dict[str, Any]:
        """Return a copy of a component's own config, whose reads are recorded in `usage`."""
        if not entry.config:
            return {}
        return self.usage.setdefault(name, ConfigUsage(entry.config)).noting(deepcopy(entry.config))

    def unread_keys(self) -> list[str]:
        """Return warnings about the keys of configs that their scanners and strategies have not read so far."""
        return [warning for name, usage in self.usage.items() for warning in usage.warnings(name)]


def load_scanner(scanner: ScannerConfig, config: SessionConfig) -> type[Scanner]:
    """Load the class of a configured scanner.

    Raises:
        ConfigError: It cannot be loaded, or defines no scan.
    """
    return load_class(scanner.module, Scanner, config.folder)  # type: ignore[type-abstract]  # only compared with


def load_strategy(strategy: StrategyConfig, config: SessionConfig) -> type[Strategy]:
    """Load the class of a configured strategy.

    Raises:
        ConfigError: It cannot be loaded, subscribes to bars and has no method that gets them, or the other way round.
    """
    found = load_class(strategy.module, Strategy, config.folder)
    called = [name for name in ("on_bar", "on_slice") if overrides(found, name)]
    if overrides(found, "subscriptions") and not called:
        near = _near(found, ("on_bar", "on_slice"))
        raise ConfigError(f"{strategy.module} subscribes to bars, and defines neither on_bar nor on_slice.{near}")
    if called and not overrides(found, "subscriptions"):
        near = _near(found, ("subscriptions",)) or " Define subscriptions, which returns (symbol, interval) pairs."
        raise ConfigError(f"{strategy.module} defines {' and '.join(called)}, and subscribes to no bars.{near}")
    return found


def _near(found: type[Strategy], names: Sequence[str]) -> str:
    """Return a question for each method that may be one of ``names``, misspelt."""
    own = [name for name in vars(found) if not name.startswith("_") and name not in vars(Strategy)]
    return next((hint for name in own if (hint := did_you_mean(name, names))), "")


def overrides(component: type[Scanner | Strategy], method: str) -> bool:
    """Return whether a strategy or scanner class overrides a method."""
    base = Scanner if issubclass(component, Scanner) else Strategy
    return getattr(component, method) is not getattr(base, method)


def _scanner_names(classes: Sequence[type]) -> list[str]:
    """Return the names of scanners, numbered when the same class occurs more than once."""
    names = [f"scanner {made_of.__name__}" for made_of in classes]
    numbers = [1 + names[:place].count(name) for place, name in enumerate(names)]
    return [name if n == 1 else f"{name}-{n}" for name, n in zip(names, numbers, strict=True)]


_MOST_ITEMS = 100_000

T = TypeVar("T")


def bounded(items: Iterable[T], what: str) -> list[T]:
    """Return the items that a user's code returned, which may come from an endless generator.

    Raises:
        ValueError: There are more than 100,000.
    """
    taken = list(islice(items, _MOST_ITEMS + 1))
    if len(taken) > _MOST_ITEMS:
        raise ValueError(f"more than {_MOST_ITEMS:,} {what} at one time: does a generator never end?")
    return taken

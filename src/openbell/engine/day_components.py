"""The scanners and strategies of one session day, made from the configured classes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from openbell.components.scanner import ScannerContext
from openbell.components.strategy import StrategyContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.components.configured import ConfiguredClasses
    from openbell.components.scanner import Scanner
    from openbell.components.strategy import Strategy
    from openbell.config import ScannerConfig
    from openbell.provisioning import Provisioner
    from openbell.timing import TimeManager

__all__ = ["DayComponents", "ScannerOfDay", "make_components"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ScannerOfDay:
    """A scanner with its name and its entry in the config."""

    name: str
    scanner: Scanner
    config: ScannerConfig


@dataclass(frozen=True, slots=True)
class DayComponents:
    """The scanners in the order of the config, and the strategies likewise, by name."""

    scanners: list[ScannerOfDay] = field(default_factory=list)
    strategies: dict[str, Strategy] = field(default_factory=dict)


class Call(Protocol):
    """Calls a method of a component, and reports what it raises with the component's and the method's names."""

    def __call__(self, name: str, method: str, function: Callable[..., T], *args: object) -> T:
        """Return what the function returns."""


def make_components(
    classes: ConfiguredClasses, provisioner: Provisioner, time_manager: TimeManager, call: Call
) -> DayComponents:
    """Make new objects of all configured classes, each with its own copy of its config.

    Args:
        classes: The classes.
        provisioner: Carries out what they add.
        time_manager: Calendar and clock.
        call: Calls their constructors.

    Raises:
        ComponentError: A constructor raised.
    """
    made = DayComponents()
    for scanner_class, scanner_config, universe in classes.scanners:
        name = _unique(f"scanner {scanner_class.__name__}", [s.name for s in made.scanners])
        context = ScannerContext(provisioner, time_manager, source="scanner", owner=name)
        context.universe = universe
        scanner = call(name, "__init__", scanner_class, context, classes.config_for(name, scanner_config))
        made.scanners.append(ScannerOfDay(name, scanner, scanner_config))
    for strategy_class, strategy_config in classes.strategies:
        name = _unique(f"strategy {strategy_class.__name__}", list(made.strategies))
        strategy_context = StrategyContext(provisioner, time_manager, source="strategy", owner=name)
        config = classes.config_for(name, strategy_config)
        made.strategies[name] = call(name, "__init__", strategy_class, strategy_context, config)
    return made


def _unique(name: str, taken: list[str]) -> str:
    """The name, numbered when the same class is configured more than once."""
    number = 1 + sum(t == name or t.startswith(f"{name} #") for t in taken)
    return name if number == 1 else f"{name} #{number}"

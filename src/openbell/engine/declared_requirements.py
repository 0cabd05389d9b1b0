"""Requirements that scanners and strategies declare, in a session or before it."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from openbell.components.configured import ConfiguredClasses, bounded, overrides
from openbell.components.requirement import Requirement
from openbell.config import IndicatorConfig
from openbell.engine.subscriptions import pairs_of
from openbell.errors import ConfigError, OpenbellError
from openbell.logs import get_logger
from openbell.provisioning import Addition

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openbell.components.configured import ConfiguredScanner, ConfiguredStrategy
    from openbell.components.scanner import Scanner
    from openbell.components.strategy import Strategy
    from openbell.config import SessionConfig
    from openbell.timing import TimeManager
    from openbell.timing.trading_session import TradingSession

__all__ = [
    "DeclaredRequirement",
    "additions_of",
    "declared_before_session",
    "required_before_session",
    "requirements_of",
    "subscribed_before_session",
]


@dataclass(frozen=True, slots=True)
class DeclaredRequirement:
    """A requirement and the component that declares it.

    Attributes:
        owner: The name of the scanner or strategy, e.g. "strategy EmaCross".
        requirement: The requirement.
    """

    owner: str
    requirement: Requirement


def requirements_of(component: Scanner | Strategy) -> list[Requirement]:
    """Return what a component requires now, without duplicates.

    Raises:
        TypeError: Its ``requirements`` returns something else.
    """
    declared: Any = component.requirements()
    example = 'such as Requirement("SPY", "5m", days=2)'
    if isinstance(declared, str) or not isinstance(declared, Iterable):
        raise TypeError(f"requirements must return Requirements {example}, not {declared!r}")
    found = bounded(declared, "requirements")
    for one in found:
        if not isinstance(one, Requirement):
            raise TypeError(f"requirements must return Requirements {example}, not {one!r}")
    return list(dict.fromkeys(found))


def additions_of(name: str, requirements: Iterable[Requirement]) -> list[Addition]:
    """Return the additions, one per symbol, that provision the requirements of a scanner or strategy."""
    source = name.partition(" ")[0]
    by_symbol: dict[str, list[Requirement]] = {}
    for requirement in requirements:
        by_symbol.setdefault(requirement.symbol, []).append(requirement)
    # A strategy's requirement ends when it is no longer declared; a scanner's, when the scanner removes it.
    declared = "requirement" if source == "strategy" else ""
    return [Addition("requirement", s, source, name, _details(rs), declared) for s, rs in by_symbol.items()]


def _details(requirements: Sequence[Requirement]) -> dict[str, Any]:
    bars = [(r.interval, r.days, r.bars) for r in requirements if not isinstance(r.needs, IndicatorConfig)]
    return {"bars": bars, "indicators": [r.needs for r in requirements if isinstance(r.needs, IndicatorConfig)]}


def declared_before_session(config: SessionConfig, time_manager: TimeManager) -> Iterator[DeclaredRequirement]:
    """Iterate over the requirements of all components of a good config, as known before a session."""
    classes = ConfiguredClasses.of(config).that_require()
    components: list[ConfiguredScanner | ConfiguredStrategy] = [*classes.scanners, *classes.strategies]
    for component in components:
        for one in required_before_session(component, config, time_manager):
            yield DeclaredRequirement(component.name, one)


def required_before_session(
    component: ConfiguredScanner | ConfiguredStrategy, config: SessionConfig, time_manager: TimeManager
) -> list[Requirement]:
    """Return what a component requires, as far as that is known without a session.

    Raises:
        ConfigError: Its ``requirements`` raises, or returns something else.
    """
    if not overrides(component.made_of, "requirements"):
        return []
    name, context = component.name, _NoSession.of(component, config, time_manager)
    try:
        return requirements_of(component.made_of(context, deepcopy(component.config.config or {})))
    except OpenbellError as error:
        raise ConfigError(f"{name}.requirements: {error}") from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise ConfigError(f"{name}.requirements raised {type(error).__name__}: {error}") from error


def subscribed_before_session(
    strategy: ConfiguredStrategy, config: SessionConfig, time_manager: TimeManager
) -> list[tuple[str, str]]:
    """Return the series that a strategy subscribes to, none if that is only known in a session."""
    # Before a session, __init__ is run only for strategies that declare requirements.
    if overrides(strategy.made_of, "__init__") and not overrides(strategy.made_of, "requirements"):
        return []
    context = _NoSession.of(strategy, config, time_manager)
    try:
        return pairs_of(strategy.made_of(context, deepcopy(strategy.config.config or {})))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 -- the session calls it again, and reports the error then
        get_logger().debug("subscriptions are known in the session only", strategy=strategy.name, why=str(error))
        return []


class _NoSession:
    """The part of a component's context that exists before the session."""

    def __init__(self, symbols: tuple[str, ...], universe: tuple[str, ...], session: TradingSession) -> None:
        self.symbols = symbols
        self.universe = universe
        self.session_date = session.day
        self.session = session

    @staticmethod
    def of(component: ConfiguredScanner | ConfiguredStrategy, config: SessionConfig, time_manager: TimeManager) -> Any:
        """Return the context of a component before the first session."""
        days = time_manager.sessions(config.backtest_config.start_date, config.backtest_config.end_date)
        symbols = tuple(config.session_data_config.symbols)
        return _NoSession(symbols, component.universe, time_manager.session(days[0]))

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ConfigError(
            f"context.{name} is not there yet: requirements() is asked for before there is a session, too. It may read "
            "self.config, and of the context symbols, universe, session_date and session."
        )

"""Phase 1, analyse: what does an addition take, and why? Nothing is changed by asking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import compress
from numbers import Integral
from typing import TYPE_CHECKING, Any, Protocol

from openbell import indicators
from openbell.config import IndicatorConfig
from openbell.errors import ConfigError
from openbell.interval import Interval, parse_interval
from openbell.provisioning.history import run_starts, starts_after
from openbell.provisioning.requirements import Addition, IndicatorNeed, IntervalNeed, ProvisioningRequirements
from openbell.provisioning.sources import SOURCES
from openbell.provisioning.validation import validate
from openbell.registry import Registry
from openbell.session.series import whole_run

if TYPE_CHECKING:
    from openbell.provisioning.world import World
    from openbell.session import SessionData, SymbolSessionData

__all__ = [
    "OPERATIONS",
    "Operation",
    "analyze_addition",
    "analyze_indicator_requirements",
    "analyze_requirements",
    "is_there",
    "prove",
    "requirements_of",
]


Operation = Callable[..., None]
"""A kind of addition: ``operation(req, world, **details)`` adds to ``req`` what it takes; steps of its own go into
``req.provisioning_steps``."""


class HasWorld(Protocol):
    """What `analyze_requirements` needs of the coordinator."""

    def world_of(self, session_data: SessionData) -> World:
        """The world as seen from ``session_data``."""


NOTHING_TO_DO = "; everything is there already, nothing to do"

OPERATIONS: Registry[Operation] = Registry("operation")
"""All operations by type; register more with ``OPERATIONS.add(name, function)``."""


def analyze_requirements(
    operation_type: str,
    symbol: str,
    source: str,
    session_data: SessionData,
    session_coordinator: HasWorld,
    **kwargs: Any,
) -> ProvisioningRequirements:
    """Unified requirement analysis: what an addition takes, whether it can be had, and the steps that bring it.

    Nothing is changed by the call: it is the dry run of the addition.

    Args:
        operation_type: "symbol", "bar", "indicator", or one registered in `OPERATIONS`.
        symbol: The symbol to add to.
        source: Who asks: "config", "scanner", "strategy", or one registered in `SOURCES`.
        session_data: The session to add to.
        session_coordinator: Its coordinator.
        kwargs: The operation's details: ``indicator_config``; ``interval`` and ``days``. ``system_manager`` may be
            given and is not needed.

    Raises:
        UnknownNameError: An operation, source or indicator that is not registered.
        ConfigError: A detail that cannot be: a bad interval, a bad parameter.
    """
    details = {name: value for name, value in kwargs.items() if name != "system_manager"}
    addition = Addition(operation_type, symbol, source, details=details)
    return analyze_addition(addition, session_coordinator.world_of(session_data))


def analyze_addition(addition: Addition, world: World) -> ProvisioningRequirements:
    """`analyze_requirements` for an `Addition`."""
    req = requirements_of(addition, world)
    prove(req, world)
    return req


def requirements_of(addition: Addition, world: World) -> ProvisioningRequirements:
    """What an addition takes, and why; whether it can be had is not looked at yet."""
    operation = OPERATIONS.get(addition.operation_type)
    source = SOURCES.get(addition.source)
    req = ProvisioningRequirements(
        operation_type=addition.operation_type,
        source=addition.source,
        owner=addition.owner or addition.source,
        symbol=addition.symbol,
        symbol_exists=world.session_data.get_symbol_data(addition.symbol) is not None,
        added_by=source.name,
    )
    operation(req, world, **addition.details)
    req.finish_intervals()
    return req


def prove(req: ProvisioningRequirements, world: World) -> None:
    """Validate what is required, and determine the steps that bring it; what is there already takes neither."""
    if is_there(req, world):
        return
    validate(req, world)
    if not req.can_proceed:
        return
    req.historical_days = _calendar_days(req, world)
    _determine_provisioning_steps(req, world)


def is_there(req: ProvisioningRequirements, world: World) -> bool:
    """Whether the session has all that is required, which is then noted on ``req``."""
    existing = world.session_data.get_symbol_data(req.symbol)
    if existing is None or not _has_everything(existing, req):
        return False
    req.can_proceed = req.symbol_validated = True
    req.reason += NOTHING_TO_DO
    return True


def _has_everything(existing: SymbolSessionData, req: ProvisioningRequirements) -> bool:
    """Whether a look at the symbol is enough to know that nothing is missing.

    A registered indicator has had its warm-up. How far back sessions of history reach takes a look at the calendar, and
    an operation with steps of its own decides for itself.
    """
    if req.provisioning_steps or (
        req.meets_session_config_requirements and not existing.meets_session_config_requirements
    ):
        return False
    return (
        all(name in existing.bars for name in req.intervals)
        and all(need.key in existing.indicators for need in req.indicators)
        and (req.meets_session_config_requirements or not any(_reaches_back(n, req) for n in req.intervals.values()))
    )


def _reaches_back(need: IntervalNeed, req: ProvisioningRequirements) -> bool:
    """Whether history is asked for that is not the warm-up of its indicators."""
    own = [indicator for indicator in req.indicators if indicator.interval == need.interval]
    return (
        need.trailing_sessions > 0
        or need.bars > max((i.settled_after for i in own), default=0)
        or need.lookback_sessions > max((i.lookback_sessions for i in own), default=0)
    )


def analyze_indicator_requirements(config: IndicatorConfig, settling_tolerance: float = 1e-4) -> IndicatorNeed:
    """What one indicator takes: its key, its parameters with defaults, its lookback and its settling length.

    Raises:
        UnknownNameError: No such indicator.
        ConfigError: No such parameter, a bad value, or bars of an interval that it cannot read.
    """
    return _indicator_need(config, settling_tolerance)


@lru_cache(maxsize=4096)
def _indicator_need(config: IndicatorConfig, settling_tolerance: float) -> IndicatorNeed:
    indicator = indicators.get(config.name)
    params = indicator.resolve(config.period, config.params)
    interval = parse_interval(config.interval)
    indicator.check_interval(str(interval))
    lookback = indicator.lookback(params)
    return IndicatorNeed(
        config=config,
        indicator=indicator,
        key=indicators.key(indicator.name, params, str(interval)),
        params=params,
        interval=interval,
        lookback_bars=lookback.bars,
        lookback_sessions=lookback.sessions,
        settling=indicator.settling(params, settling_tolerance),
        session_aware=indicator.session_aware,
    )


def _analyze_symbol_requirements(req: ProvisioningRequirements, world: World) -> None:
    """A full symbol: all that the config asks of every symbol, the deepest history of each interval winning."""
    req.meets_session_config_requirements = True
    req.reason = SOURCES.get(req.source).asks
    data, held = world.config.session_data_config, world.stored_intervals(req.symbol)
    applies = tuple(entry.apply_to == "all" or req.symbol in entry.apply_to for entry in data.historical.data)

    def full_symbol() -> ProvisioningRequirements:
        one = ProvisioningRequirements(symbol=req.symbol)
        for interval in data.streams:
            _require(one, world, parse_interval(interval), f"the config streams {interval}")
        for entry in compress(data.historical.data, applies):
            for interval in entry.intervals:
                because = f"the config asks for {entry.trailing_days} trailing sessions of {interval}"
                _require(one, world, parse_interval(interval), because, trailing_sessions=entry.trailing_days)
        for config in data.indicators:
            _require_indicator(one, world, config, "the config asks for it")
        one.finish_intervals()
        return one

    # All symbols of which the store holds the same intervals need the same.
    req.take(world.once_for_all("full symbol", held, applies, answer=full_symbol))


def _analyze_bar_requirements(req: ProvisioningRequirements, world: World, *, interval: str, days: int = 0) -> None:
    """One bar interval with some sessions of history."""
    wanted = parse_interval(interval)
    days = _whole_sessions(days, f"{req.symbol}: bars of {wanted}")
    if days < 0:
        raise ConfigError(f"{req.symbol}: bars of {wanted} with {days} trailing sessions; days must be 0 or more.")
    asks = SOURCES.get(req.source).asks
    depth = f" with {days} trailing sessions" if days else ""
    req.reason = f"bars of {wanted}{depth}: {asks}"

    def bars() -> ProvisioningRequirements:
        one = ProvisioningRequirements(symbol=req.symbol)
        _require(one, world, wanted, asks + depth, trailing_sessions=days)
        one.finish_intervals()
        return one

    req.take(world.once_for_all("bars", wanted, days, asks, world.stored_intervals(req.symbol), answer=bars))


def _analyze_indicator_requirements(
    req: ProvisioningRequirements,
    world: World,
    *,
    indicator_config: IndicatorConfig,
    more: Sequence[IndicatorConfig] = (),
) -> None:
    """One indicator, or several at once, with the bars that they read and the history that warms them up."""
    asks = SOURCES.get(req.source).asks
    req.indicator_config = indicator_config
    configs = (indicator_config, *more)
    for config in configs:
        _check_is_config(config, req.symbol)

    def registered() -> ProvisioningRequirements:
        one = ProvisioningRequirements(symbol=req.symbol)
        for config in configs:
            _require_indicator(one, world, config, asks)
        one.finish_intervals()
        return one

    req.take(world.once_for_all("indicators", configs, asks, world.stored_intervals(req.symbol), answer=registered))
    req.reason = f"{', '.join(need.key for need in req.indicators)}: {asks}"


def _whole_sessions(days: object, of_what: str) -> int:
    if isinstance(days, bool) or not isinstance(days, Integral):
        raise ConfigError(f"{of_what} with days={days!r}; days is a whole number of sessions.")
    return int(days)


def _check_is_config(config: object, symbol: str) -> None:
    if not isinstance(config, IndicatorConfig):
        example = 'IndicatorConfig("sma", period=20, interval="5m")'
        raise ConfigError(f"{symbol}: an indicator is added by its config, such as {example}; not by {config!r}")


OPERATIONS.add("symbol", _analyze_symbol_requirements)
OPERATIONS.add("bar", _analyze_bar_requirements)
OPERATIONS.add("indicator", _analyze_indicator_requirements)


def _require(req: ProvisioningRequirements, world: World, interval: Interval, because: str, **depth: int) -> None:
    base = world.base_of(req.symbol, interval)
    req.require(IntervalNeed(interval, base, **depth), [because])
    if base != interval:
        req.require(IntervalNeed(base, base), [f"{interval} derives from it"])


def _require_indicator(req: ProvisioningRequirements, world: World, config: IndicatorConfig, because: str) -> None:
    need = _indicator_need(config, world.config.session_data_config.settling_tolerance)
    req.indicators.append(need)
    req.explain(need.key, because)
    depth = f"{need.settled_after} bar{'s' if need.settled_after > 1 else ''} of warm-up" if need.settled_after else ""
    sessions = f"{need.lookback_sessions} earlier sessions" if need.lookback_sessions else ""
    asked = " and ".join(part for part in (depth, sessions) if part)
    _require(
        req,
        world,
        need.interval,
        f"{need.key} reads it" + (f", with {asked}" if asked else ""),
        bars=need.settled_after,
        lookback_bars=need.valid_after,
        lookback_sessions=need.lookback_sessions,
    )


def _calendar_days(req: ProvisioningRequirements, world: World) -> int:
    """Sessions of history that the deepest need reaches back over, were no bar missing."""
    first = min((world.calendar_start(need) for need in req.intervals.values()), default=world.day)
    return world.sessions_since(first)


def _determine_provisioning_steps(req: ProvisioningRequirements, world: World) -> None:
    """The steps from what the session holds to what is required; none when it holds everything."""
    existing = world.session_data.get_symbol_data(req.symbol)
    own_steps, steps = list(req.provisioning_steps), []
    full = req.meets_session_config_requirements
    upgrade = existing is not None and full and not existing.meets_session_config_requirements
    if existing is None:
        steps.append("create_symbol")
    elif upgrade:
        steps.append("upgrade_symbol")
    held = existing.bars if existing else {}
    new = [name for name in req.required_intervals if name not in held]
    deeper = [
        name
        for name, start_ns in run_starts(req).items()
        if name in held and starts_after(whole_run(held[name]), start_ns, req.proofs[name])
    ]
    steps += [f"add_interval_{name}" for name in new]
    if (new and req.needs_historical) or deeper:
        steps.append("load_historical")
    if new or deeper:
        steps.append("load_session")
    known = existing.indicators if existing else {}
    if any(need.key not in known for need in req.indicators):
        steps.append("register_indicator")
    full_already = existing is not None and existing.meets_session_config_requirements
    if (full or full_already) and (upgrade or new or deeper):
        steps.append("calculate_quality")
    req.provisioning_steps = steps + own_steps
    if not req.provisioning_steps:
        req.reason += NOTHING_TO_DO

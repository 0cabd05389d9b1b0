"""The operations: what a symbol, bars of an interval and an indicator take. Adding one is adding to `OPERATIONS`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from itertools import compress
from numbers import Integral
from typing import TYPE_CHECKING

from openbell import indicators
from openbell.config import IndicatorConfig
from openbell.errors import ConfigError
from openbell.model.interval import Interval, parse_interval
from openbell.provisioning.requirements import IndicatorNeed, IntervalNeed, ProvisioningRequirements
from openbell.provisioning.sources import SOURCES
from openbell.registry import Registry

if TYPE_CHECKING:
    from openbell.indicators import Indicator
    from openbell.provisioning.context import ProvisioningContext

__all__ = ["OPERATIONS", "Operation", "analyze_indicator_requirements"]

Operation = Callable[..., None]
"""A kind of addition: ``operation(req, context, **details)`` adds to ``req`` what it takes; steps of its own go into
``req.provisioning_steps``."""

OPERATIONS: Registry[Operation] = Registry("operation")
"""All operations by type; register more with ``OPERATIONS.add(name, function)``."""


def analyze_indicator_requirements(config: IndicatorConfig, settling_tolerance: float = 1e-4) -> IndicatorNeed:
    """What one indicator takes: its key, its parameters with defaults, its lookback and its settling length.

    Raises:
        UnknownNameError: No such indicator.
        ConfigError: No such parameter, a bad value, or bars of an interval that it cannot read.
    """
    return _indicator_need(indicators.get(config.name), config, settling_tolerance)


@lru_cache(maxsize=4096)
def _indicator_need(indicator: Indicator, config: IndicatorConfig, settling_tolerance: float) -> IndicatorNeed:
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


def _analyze_symbol_requirements(req: ProvisioningRequirements, context: ProvisioningContext) -> None:
    """A full symbol: all that the config asks of every symbol, the deepest history of each interval winning."""
    req.meets_session_config_requirements = True
    req.reason = SOURCES.get(req.source).asks
    data = context.config.session_data_config
    applies = tuple(entry.apply_to == "all" or req.symbol in entry.apply_to for entry in data.historical.data)

    def full_symbol(one: ProvisioningRequirements) -> None:
        for interval in data.streams:
            _require(one, context, parse_interval(interval), f"the config streams {interval}")
        for entry in compress(data.historical.data, applies):
            for interval in entry.intervals:
                because = f"the config asks for {entry.trailing_days} trailing sessions of {interval}"
                _require(one, context, parse_interval(interval), because, trailing_sessions=entry.trailing_days)
        for config in data.indicators:
            _require_indicator(one, context, config, "the config asks for it")

    _require_as_others(req, context, "full symbol", applies, require=full_symbol)


def _analyze_bar_requirements(
    req: ProvisioningRequirements, context: ProvisioningContext, *, interval: str, days: int = 0
) -> None:
    """One bar interval with some sessions of history."""
    wanted = parse_interval(interval)
    days = _whole_sessions(days, f"{req.symbol}: bars of {wanted}")
    if days < 0:
        raise ConfigError(f"{req.symbol}: bars of {wanted} with {days} trailing sessions; days must be 0 or more.")
    asks = SOURCES.get(req.source).asks
    depth = f" with {days} trailing sessions" if days else ""
    req.reason = f"bars of {wanted}{depth}: {asks}"

    def bars(one: ProvisioningRequirements) -> None:
        _require(one, context, wanted, asks + depth, trailing_sessions=days)

    _require_as_others(req, context, "bars", wanted, days, asks, require=bars)


def _analyze_indicator_requirements(
    req: ProvisioningRequirements,
    context: ProvisioningContext,
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

    def registered(one: ProvisioningRequirements) -> None:
        for config in configs:
            _require_indicator(one, context, config, asks)

    _require_as_others(req, context, "indicators", configs, asks, require=registered)
    req.reason = f"{', '.join(need.key for need in req.indicators)}: {asks}"


def _whole_sessions(days: object, of_what: str) -> int:
    if isinstance(days, bool) or not isinstance(days, Integral):
        raise ConfigError(f"{of_what} with days={days!r}; days is a whole number of sessions.")
    return int(days)


def _check_is_config(config: object, symbol: str) -> None:
    if not isinstance(config, IndicatorConfig):
        example = 'IndicatorConfig("sma", period=20, interval="5m")'
        raise ConfigError(f"{symbol}: an indicator is added by its config, such as {example}; not by {config!r}")


def _require_as_others(
    req: ProvisioningRequirements,
    context: ProvisioningContext,
    *question: Hashable,
    require: Callable[[ProvisioningRequirements], None],
) -> None:
    """Require what is asked for: the same of all symbols of which the store holds the same intervals."""

    def asked() -> ProvisioningRequirements:
        one = ProvisioningRequirements(symbol=req.symbol)
        require(one)
        one.finish_intervals()
        return one

    req.take(context.once_for_all(*question, context.stored_intervals(req.symbol), answer=asked))


def _require(
    req: ProvisioningRequirements, context: ProvisioningContext, interval: Interval, because: str, **depth: int
) -> None:
    base = context.base_of(req.symbol, interval)
    req.require(IntervalNeed(interval, base, **depth), [because])
    if base != interval:
        req.require(IntervalNeed(base, base), [f"{interval} derives from it"])


def _require_indicator(
    req: ProvisioningRequirements, context: ProvisioningContext, config: IndicatorConfig, because: str
) -> None:
    need = analyze_indicator_requirements(config, context.config.session_data_config.settling_tolerance)
    req.indicators.append(need)
    req.explain(need.key, because)
    depth = f"{need.settled_after} bar{'s' if need.settled_after > 1 else ''} of warm-up" if need.settled_after else ""
    sessions = f"{need.lookback_sessions} earlier sessions" if need.lookback_sessions else ""
    asked = " and ".join(part for part in (depth, sessions) if part)
    _require(
        req,
        context,
        need.interval,
        f"{need.key} reads it" + (f", with {asked}" if asked else ""),
        bars=need.settled_after,
        lookback_bars=need.valid_after,
        lookback_sessions=need.lookback_sessions,
    )


OPERATIONS.add("symbol", _analyze_symbol_requirements)
OPERATIONS.add("bar", _analyze_bar_requirements)
OPERATIONS.add("indicator", _analyze_indicator_requirements)

"""Phase 1 of an addition, analysis of what it needs by its operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import compress
from numbers import Integral
from operator import or_
from typing import TYPE_CHECKING

from openbell.config import IndicatorConfig
from openbell.errors import ConfigError
from openbell.model.interval import Interval, parse_interval
from openbell.provisioning.addition_sources import SOURCES
from openbell.provisioning.context import base_for
from openbell.provisioning.needs import Addition, Needs, Reason
from openbell.provisioning.warm_up import analyze_indicator_requirements
from openbell.registry import Registry

if TYPE_CHECKING:
    from openbell.provisioning.context import ProvisioningContext, RunScope

_LARGEST = 1_000_000_000

__all__ = ["OPERATIONS", "Operation", "analyze", "whole_number"]

Operation = Callable[..., Needs]
"""A kind of addition; ``operation(addition, context, **details)`` returns what it needs, and changes nothing."""

OPERATIONS: Registry[Operation] = Registry("operation")
"""All operations by type; register more with ``OPERATIONS.add(name, function)``."""


def analyze(addition: Addition, context: ProvisioningContext) -> Needs:
    """Return the needs of an addition, whether or not the store can meet them.

    Raises:
        UnknownNameError: The operation, the source or an indicator is not registered.
        ConfigError: A detail is invalid, such as an interval or a parameter.
    """
    operation = OPERATIONS.get(addition.operation_type)
    SOURCES.get(addition.source)
    return operation(addition, context, **addition.details)


def _symbol(addition: Addition, context: ProvisioningContext) -> Needs:
    """Return the needs of all that the config asks of every symbol."""
    entries = context.config.session_data_config.historical.data
    applies = tuple(entry.apply_to == "all" or addition.symbol in entry.apply_to for entry in entries)
    # Most symbols have the same needs, whatever the source: a universe is analysed once.
    return context.run.memo(_needs_of_symbol, context.run, applies, context.base_intervals(addition.symbol))


def _needs_of_symbol(run: RunScope, applies: tuple[bool, ...], stored: tuple[str, ...]) -> Needs:
    data = run.config.session_data_config
    found = [_bars(interval, stored, f"the config streams {interval}") for interval in data.streams]
    for entry in compress(data.historical.data, applies):
        for interval in entry.intervals:
            days, bars = entry.trailing_days, entry.trailing_bars
            because = f"the config asks for {_asked(days, bars)} of {interval}"
            depth = {"trailing_sessions": days, "bars": bars, "trailing_bars": bars}
            found.append(_bars(interval, stored, because, **depth))
    found += [_indicator(run, config, stored, "the config asks for it") for config in data.indicators]
    return reduce(or_, found, Needs(full_symbol=True))


def _bar(addition: Addition, context: ProvisioningContext, *, interval: str, days: int = 0, bars: int = 0) -> Needs:
    """Return the needs of bars of one interval, with ``days`` sessions and ``bars`` bars of history."""
    wanted = parse_interval(interval)
    if not (type(days) is type(bars) is int and days == bars == 0):  # thousands of subscriptions need no check
        what = f"{addition.symbol}: bars of {wanted}"
        days, bars = whole_number("days", days, "sessions", what), whole_number("bars", bars, "bars", what)
    stored, asks = context.base_intervals(addition.symbol), SOURCES.get(addition.source).asks
    return context.run.memo(_needs_of_bars, wanted, days, bars, stored, asks)


def whole_number(name: str, number: object, of: str, what: str) -> int:
    """Return a number of sessions or bars as an int.

    Args:
        name: The name of the argument.
        number: Its value.
        of: What it counts, e.g. "bars".
        what: What it is given for; all but the number are for messages.

    Raises:
        ConfigError: It is not a whole number, is negative, or is above a billion.
    """
    if type(number) is not int and (isinstance(number, bool) or not isinstance(number, Integral)):
        raise ConfigError(f"{what} with {name}={number!r}; {name} is a whole number of {of}.")
    if int(number) > _LARGEST:
        raise ConfigError(f"{what} with {name}={number}; {name} must be {_LARGEST:,} or less.")
    if number < 0:
        raise ConfigError(f"{what} with {number} trailing {of}; {name} must be 0 or more.")
    return int(number)


def _needs_of_bars(interval: Interval, days: int, bars: int, stored: tuple[str, ...], asks: str) -> Needs:
    asked = _asked(days, bars) if days or bars else ""
    depth = f" with {asked}" if asked else ""
    needs = _bars(interval, stored, asks + depth, trailing_sessions=days, bars=bars, trailing_bars=bars)
    return Needs(reason=f"bars of {interval}{depth}: {asks}") | needs


def _asked(days: int, bars: int) -> str:
    """Describe the history that is asked for."""
    sessions = f"{days} trailing sessions" if days or not bars else ""
    return " and ".join(part for part in (sessions, f"{bars} trailing bars" if bars else "") if part)


def _requirement(
    addition: Addition,
    context: ProvisioningContext,
    *,
    bars: Sequence[tuple[str, int, int]] = (),
    indicators: Sequence[IndicatorConfig] = (),
) -> Needs:
    """Return the needs of the bars and indicators that a component declares together.

    Each of ``bars`` is an interval with its sessions and bars of history.
    """
    parts = [_bar(addition, context, interval=name, days=days, bars=rows) for name, days, rows in bars]
    parts += [_indicators(addition, context, indicator_config=config) for config in indicators]
    needs = reduce(or_, parts, Needs())
    names = [*(str(parse_interval(name)) for name, _, _ in bars), *(need.key for need in needs.indicators)]
    return Needs(reason=f"{', '.join(dict.fromkeys(names))}: {SOURCES.get(addition.source).asks}") | needs


def _indicators(
    addition: Addition,
    context: ProvisioningContext,
    *,
    indicator_config: IndicatorConfig,
    more: Sequence[IndicatorConfig] = (),
) -> Needs:
    """Return the needs of one or more indicators, with the bars that they read and their warm-up."""
    configs = (indicator_config, *more)
    for config in configs:
        _check_is_config(config, addition.symbol)
    stored, asks = context.base_intervals(addition.symbol), SOURCES.get(addition.source).asks
    return context.run.memo(_needs_of_indicators, context.run, configs, stored, asks)


def _check_is_config(config: object, symbol: str) -> None:
    if not isinstance(config, IndicatorConfig):
        example = 'IndicatorConfig("sma", period=20, interval="5m")'
        raise ConfigError(f"{symbol}: an indicator is added by its config, such as {example}; not by {config!r}")


def _needs_of_indicators(
    run: RunScope, configs: tuple[IndicatorConfig, ...], stored: tuple[str, ...], asks: str
) -> Needs:
    needs = reduce(or_, (_indicator(run, config, stored, asks) for config in configs))
    return Needs(reason=f"{', '.join(need.key for need in needs.indicators)}: {asks}") | needs


def _bars(interval: str | Interval, stored: tuple[str, ...], because: str, **depth: int) -> Needs:
    wanted = parse_interval(str(interval))
    return Needs.of_bars(wanted, base_for(wanted, stored), because, **depth)


def _indicator(run: RunScope, config: IndicatorConfig, stored: tuple[str, ...], because: str) -> Needs:
    need = analyze_indicator_requirements(config, run.config.session_data_config.settling_tolerance)
    depth = f"{need.settled_after} bar{'s' if need.settled_after > 1 else ''} of warm-up" if need.settled_after else ""
    sessions = f"{need.lookback_sessions} earlier sessions" if need.lookback_sessions else ""
    asked = " and ".join(part for part in (depth, sessions) if part)
    bars = _bars(
        need.interval,
        stored,
        f"{need.key} reads it" + (f", with {asked}" if asked else ""),
        bars=need.settled_after,
        lookback_bars=need.valid_after,
        lookback_sessions=need.lookback_sessions,
    )
    return Needs(indicators=(need,), reasons=(Reason(need.key, because),)) | bars


OPERATIONS.add("symbol", _symbol)
OPERATIONS.add("bar", _bar)
OPERATIONS.add("indicator", _indicators)
OPERATIONS.add("requirement", _requirement)

"""Needs of an addition, and the operations by which it is analysed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from itertools import compress
from numbers import Integral
from operator import or_
from typing import TYPE_CHECKING, Any

from openbell import indicators
from openbell.config import IndicatorConfig
from openbell.errors import ConfigError
from openbell.model.interval import Interval, parse_interval
from openbell.provisioning.context import base_for
from openbell.provisioning.sources import SOURCES
from openbell.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openbell.indicators import Indicator
    from openbell.indicators.indicator import Params
    from openbell.provisioning.context import ProvisioningContext, RunScope
    from openbell.provisioning.steps import Step

__all__ = [
    "OPERATIONS",
    "Addition",
    "IndicatorNeed",
    "IntervalNeed",
    "Needs",
    "Operation",
    "Reason",
    "analyze",
    "analyze_indicator_requirements",
    "checked_symbol",
]


@dataclass(frozen=True, slots=True)
class Addition:
    """A request to add something to a session.

    Attributes:
        operation_type: "symbol", "bar", "indicator", or an operation that was registered from outside.
        symbol: The symbol to add to.
        source: Who asks: "config", "scanner", "strategy", or a source that was registered from outside.
        owner: Who needs it from now on, e.g. "scanner Gap"; the source when nobody in particular does.
        details: What the operation needs to know: ``indicator_config``, ``interval`` and ``days`` ...
        by_subscription: Whether the owner needs it only as long as it subscribes to it.

    Raises:
        ConfigError: The symbol is no text.
    """

    operation_type: str
    symbol: str
    source: str
    owner: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    by_subscription: bool = False

    def __post_init__(self) -> None:
        checked_symbol(self.symbol)


def checked_symbol(symbol: str) -> str:
    """Return a symbol.

    Raises:
        ConfigError: It is no text, or an empty one.
    """
    if not isinstance(symbol, str) or not symbol:
        raise ConfigError(f"a symbol is a text such as 'SPY', not {symbol!r}")
    return symbol


@dataclass(frozen=True, slots=True)
class Reason:
    """Edge of the graph of needs, from a need to its reason."""

    need: str
    because: str


@dataclass(frozen=True, slots=True)
class IntervalNeed:
    """Bars of one interval, with the history that all their consumers together ask for.

    Attributes:
        interval: The canonical interval.
        base: The stored interval that it is read or derived from.
        bars: Bars of history to find: lookback and settling of the most demanding indicator, or ``trailing_bars``.
        lookback_bars: Bars of history without which an indicator on it is not valid.
        lookback_sessions: Earlier sessions with bars without which an indicator on it is not valid.
        trailing_sessions: Sessions of history that the config or the caller asks for.
        trailing_bars: Bars of history that the config asks for.
    """

    interval: Interval
    base: Interval
    bars: int = 0
    lookback_bars: int = 0
    lookback_sessions: int = 0
    trailing_sessions: int = 0
    trailing_bars: int = 0

    @property
    def derived(self) -> bool:
        """Whether it is built from its base."""
        return self.interval != self.base

    def merged(self, other: IntervalNeed) -> IntervalNeed:
        """Merge two needs of the same interval, the deeper one per measure."""
        return IntervalNeed(
            self.interval,
            self.base,
            max(self.bars, other.bars),
            max(self.lookback_bars, other.lookback_bars),
            max(self.lookback_sessions, other.lookback_sessions),
            max(self.trailing_sessions, other.trailing_sessions),
            max(self.trailing_bars, other.trailing_bars),
        )


@dataclass(frozen=True, slots=True)
class IndicatorNeed:
    """One indicator, with its parameters and what makes it valid and settled.

    Attributes:
        config: The indicator as it was asked for.
        indicator: What computes it.
        key: Its key, e.g. "sma_20_5m".
        params: Its parameters, those left out included.
        interval: The interval of the bars that it reads.
        lookback_bars: Bars up to and including the one of its first value.
        lookback_sessions: Complete sessions before the one of its first value.
        settling: Bars beyond the lookback until its start no longer shows; None when it never settles.
        session_aware: Whether it reads where in a session a bar lies: within a session it needs whole sessions, and no
            bars of history beyond those of ``lookback_sessions``.
        valid_after: Bars of history that make it valid before the session's first bar; 0 when its own session decides.
        settled_after: Bars of history that make it settled; of a cumulative one, valid.
    """

    config: IndicatorConfig
    indicator: Indicator = field(compare=False, repr=False)
    key: str
    params: Params
    interval: Interval
    lookback_bars: int
    lookback_sessions: int
    settling: int | None
    session_aware: bool
    valid_after: int
    settled_after: int


@dataclass(frozen=True, slots=True, eq=False)
class Needs:
    """Needs of an addition, with their reasons.

    They name no symbol, so that one object serves all symbols that need the same.

    Attributes:
        intervals: The bars by interval, finest first, bases included.
        indicators: The indicators to register.
        reasons: Why each of them is needed.
        full_symbol: Whether it is all that the config asks of every symbol.
        steps: Steps of the operation's own, to be carried out after those that bring bars and indicators.
        reason: Why it was asked for, for people; that the source asked for it, when it is empty.
        base_interval: The finest base; None when no bars are needed.
        needs_historical: Whether any history is needed.
    """

    intervals: Mapping[str, IntervalNeed] = field(default_factory=dict)
    indicators: tuple[IndicatorNeed, ...] = ()
    reasons: tuple[Reason, ...] = ()
    full_symbol: bool = False
    steps: tuple[Step, ...] = ()
    reason: str = ""
    base_interval: str | None = field(init=False)
    needs_historical: bool = field(init=False)

    def __post_init__(self) -> None:
        # Needs are made once and looked at for each symbol.
        needs = self.intervals.values()
        object.__setattr__(self, "base_interval", str(min(n.base for n in needs)) if needs else None)
        historical = any(n.bars or n.trailing_sessions or n.lookback_sessions for n in needs)
        object.__setattr__(self, "needs_historical", historical)

    @staticmethod
    def of_bars(interval: Interval, base: Interval, because: str, **depth: int) -> Needs:
        """Need bars of one interval, and those of its base.

        Args:
            interval: The interval.
            base: The stored interval that it comes from.
            because: Why.
            depth: History of ``interval``, by the names of the fields of `IntervalNeed`.
        """
        needs = Needs({str(interval): IntervalNeed(interval, base, **depth)}, reasons=(Reason(str(interval), because),))
        if base == interval:
            return needs
        derives = Reason(str(base), f"{interval} derives from it")
        return needs | Needs({str(base): IntervalNeed(base, base)}, reasons=(derives,))

    def __or__(self, other: Needs) -> Needs:
        """Return the needs of both, with the deeper history of each interval."""
        merged = dict(self.intervals)
        for name, need in other.intervals.items():
            merged[name] = merged[name].merged(need) if name in merged else need
        return Needs(
            intervals={name: merged[name] for name in sorted(merged, key=parse_interval)},
            indicators=tuple({need.key: need for need in (*self.indicators, *other.indicators)}.values()),
            reasons=tuple(dict.fromkeys((*self.reasons, *other.reasons))),
            full_symbol=self.full_symbol or other.full_symbol,
            steps=self.steps + other.steps,
            reason=self.reason or other.reason,
        )


Operation = Callable[..., Needs]
"""A kind of addition; ``operation(addition, context, **details)`` returns what it needs, and changes nothing."""

OPERATIONS: Registry[Operation] = Registry("operation")
"""All operations by type; register more with ``OPERATIONS.add(name, function)``."""


def analyze(addition: Addition, context: ProvisioningContext) -> Needs:
    """Return the needs of an addition, whether or not the store can meet them.

    Raises:
        UnknownNameError: An operation, source or indicator that is not registered.
        ConfigError: A detail that cannot be: a bad interval, a bad parameter.
    """
    operation = OPERATIONS.get(addition.operation_type)
    SOURCES.get(addition.source)
    return operation(addition, context, **addition.details)


def analyze_indicator_requirements(config: IndicatorConfig, settling_tolerance: float = 1e-4) -> IndicatorNeed:
    """Return the need of one indicator, with its parameters, lookback and settling length.

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
    settling = indicator.settling(params, settling_tolerance)
    valid_after = 0 if indicator.session_aware and interval.is_intraday else lookback.bars
    return IndicatorNeed(
        config=config,
        indicator=indicator,
        key=indicators.key(indicator.name, params, str(interval)),
        params=params,
        interval=interval,
        lookback_bars=lookback.bars,
        lookback_sessions=lookback.sessions,
        settling=settling,
        session_aware=indicator.session_aware,
        valid_after=valid_after,
        settled_after=valid_after + (settling or 0),
    )


def _symbol(addition: Addition, context: ProvisioningContext) -> Needs:
    """All that the config asks of every symbol."""
    entries = context.config.session_data_config.historical.data
    applies = tuple(entry.apply_to == "all" or addition.symbol in entry.apply_to for entry in entries)
    # Most symbols need the same, whoever asks: a universe is analysed once.
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
    """Bars of one interval with some sessions or bars of history."""
    wanted = parse_interval(interval)
    what = f"{addition.symbol}: bars of {wanted}"
    days, bars = _whole_number("days", days, "sessions", what), _whole_number("bars", bars, "bars", what)
    stored, asks = context.base_intervals(addition.symbol), SOURCES.get(addition.source).asks
    return context.run.memo(_needs_of_bars, wanted, days, bars, stored, asks)


def _whole_number(name: str, number: object, of: str, what: str) -> int:
    if isinstance(number, bool) or not isinstance(number, Integral):
        raise ConfigError(f"{what} with {name}={number!r}; {name} is a whole number of {of}.")
    if number < 0:
        raise ConfigError(f"{what} with {number} trailing {of}; {name} must be 0 or more.")
    return int(number)


def _needs_of_bars(interval: Interval, days: int, bars: int, stored: tuple[str, ...], asks: str) -> Needs:
    asked = _asked(days, bars) if days or bars else ""
    depth = f" with {asked}" if asked else ""
    needs = _bars(interval, stored, asks + depth, trailing_sessions=days, bars=bars, trailing_bars=bars)
    return Needs(reason=f"bars of {interval}{depth}: {asks}") | needs


def _asked(days: int, bars: int) -> str:
    """Return the history that is asked for, for people."""
    sessions = f"{days} trailing sessions" if days or not bars else ""
    return " and ".join(part for part in (sessions, f"{bars} trailing bars" if bars else "") if part)


def _indicators(
    addition: Addition,
    context: ProvisioningContext,
    *,
    indicator_config: IndicatorConfig,
    more: Sequence[IndicatorConfig] = (),
) -> Needs:
    """One indicator, or several at once, with the bars that they read and the history that warms them up."""
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

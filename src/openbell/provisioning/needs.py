"""Additions and their needs, with the reasons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openbell.model.events import AskedHistory
from openbell.model.interval import Interval, parse_interval
from openbell.model.symbol import checked_symbol

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from openbell.config import IndicatorConfig
    from openbell.indicators import Indicator
    from openbell.indicators.indicator import Params
    from openbell.provisioning.steps import Step

__all__ = ["Addition", "IndicatorNeed", "IntervalNeed", "Needs", "Reason"]


@dataclass(frozen=True, slots=True)
class Addition:
    """A request to add something to a session.

    Attributes:
        operation_type: "symbol", "bar", "indicator", or an operation that users registered.
        symbol: The symbol to add to.
        source: Who asks: "config", "scanner", "strategy", or a source that users registered.
        owner: Who needs it from now on, e.g. "scanner Gap"; the source when nobody in particular does.
        details: What the operation needs to know: ``indicator_config``, ``interval`` and ``days`` ...
        declared: How the owner declares the need, "subscription" or "requirement", which lasts only as long as that;
            empty when the owner adds it itself.

    Raises:
        ConfigError: The symbol is not a string.
    """

    operation_type: str
    symbol: str
    source: str
    owner: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    declared: str = ""

    def __post_init__(self) -> None:
        checked_symbol(self.symbol)


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
        reason: Why it was asked for, for people; when empty, the reason is that the source asked for it.
        base_interval: The finest base; None when no bars are needed.
        needs_historical: Whether any history is needed.
        asked: The history that is asked for, by interval.
    """

    intervals: Mapping[str, IntervalNeed] = field(default_factory=dict)
    indicators: tuple[IndicatorNeed, ...] = ()
    reasons: tuple[Reason, ...] = ()
    full_symbol: bool = False
    steps: tuple[Step, ...] = ()
    reason: str = ""
    base_interval: str | None = field(init=False)
    needs_historical: bool = field(init=False)
    asked: tuple[AskedHistory, ...] = field(init=False)

    def __post_init__(self) -> None:
        # Computed once here, because needs are read for each symbol.
        needs = self.intervals.values()
        object.__setattr__(self, "base_interval", str(min(n.base for n in needs)) if needs else None)
        historical = any(n.bars or n.trailing_sessions or n.lookback_sessions for n in needs)
        object.__setattr__(self, "needs_historical", historical)
        depths = ((name, n.bars, max(n.trailing_sessions, n.lookback_sessions)) for name, n in self.intervals.items())
        asked = tuple(AskedHistory(*depth) for depth in depths if any(depth[1:]))
        object.__setattr__(self, "asked", asked)

    @staticmethod
    def of_bars(interval: Interval, base: Interval, because: str, **depth: int) -> Needs:
        """Return the needs of bars of one interval and of its base.

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

    def all_among(self, intervals: Container[str], indicators: Container[str]) -> bool:
        """Return whether all needed intervals and indicators are among those given."""
        return all(map(intervals.__contains__, self.intervals)) and all(
            need.key in indicators for need in self.indicators
        )

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

"""What an addition needs, and why: the value that analysis makes, validation fills in and the executor carries out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openbell.model.interval import Interval, parse_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from openbell.config import IndicatorConfig
    from openbell.indicators import Indicator
    from openbell.model.bars import Bars

__all__ = ["Addition", "HistoryProof", "IndicatorNeed", "IntervalNeed", "Need", "ProvisioningRequirements"]


@dataclass(frozen=True, slots=True)
class Addition:
    """A request to add something to a session.

    Attributes:
        operation_type: "symbol", "bar", "indicator", or an operation that was registered from outside.
        symbol: The symbol to add to.
        source: Who asks: "config", "scanner", "strategy", or a source that was registered from outside.
        owner: Who needs it from now on, e.g. "scanner Gap"; the source when nobody in particular does.
        details: What the operation needs to know: ``indicator_config``, ``interval`` and ``days`` ...
    """

    operation_type: str
    symbol: str
    source: str
    owner: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Need:
    """One edge of the requirement graph: ``need`` is there because of ``because``."""

    need: str
    because: str


@dataclass(frozen=True, slots=True)
class IntervalNeed:
    """One interval of a requirement, with the history that all its consumers together ask for.

    Attributes:
        interval: The canonical interval.
        base: The stored interval that it is read or derived from.
        bars: Bars of history that warm-up asks for: lookback and settling of the most demanding indicator.
        lookback_bars: Bars of history without which an indicator on it is not valid.
        lookback_sessions: Earlier sessions with bars without which an indicator on it is not valid.
        trailing_sessions: Sessions of history that the config or the caller asks for.
    """

    interval: Interval
    base: Interval
    bars: int = 0
    lookback_bars: int = 0
    lookback_sessions: int = 0
    trailing_sessions: int = 0

    def __hash__(self) -> int:
        return hash((self.interval, self.bars, self.lookback_sessions, self.trailing_sessions))

    @property
    def derived(self) -> bool:
        """Whether it is built from its base."""
        return self.interval != self.base

    def merged(self, other: IntervalNeed) -> IntervalNeed:
        """Both needs of the same interval in one: the deeper wins, per measure."""
        return IntervalNeed(
            self.interval,
            self.base,
            max(self.bars, other.bars),
            max(self.lookback_bars, other.lookback_bars),
            max(self.lookback_sessions, other.lookback_sessions),
            max(self.trailing_sessions, other.trailing_sessions),
        )


@dataclass(frozen=True, slots=True)
class IndicatorNeed:
    """One indicator of a requirement: its key, its parameters, and what it takes to be valid and settled.

    Attributes:
        indicator: What computes it.
        lookback_bars: Bars up to and including the one of its first value.
        lookback_sessions: Complete sessions before the one of its first value.
        settling: Bars beyond the lookback until its start no longer shows; None when it never settles.
        session_aware: Whether it reads where in a session a bar lies: within a session it needs whole sessions, and no
            bars of history beyond those of ``lookback_sessions``.
    """

    config: IndicatorConfig
    indicator: Indicator = field(compare=False, repr=False)
    key: str
    params: Mapping[str, Any]
    interval: Interval
    lookback_bars: int
    lookback_sessions: int
    settling: int | None
    session_aware: bool

    @property
    def valid_after(self) -> int:
        """Bars of history that make it valid before the session's first bar; 0 when its own session decides."""
        return 0 if self.session_aware and self.interval.is_intraday else self.lookback_bars

    @property
    def settled_after(self) -> int:
        """Bars of history that make it settled; of a cumulative one, valid."""
        return self.valid_after + (self.settling or 0)


@dataclass(slots=True, eq=False)
class HistoryProof:
    """What the store has of an `IntervalNeed`: where its run starts, and how much was asked and got.

    Attributes:
        need: What was asked for.
        start_ns: Start of the first bar of the run; nanoseconds since 1970 UTC.
        first_session: The session of that bar.
        bars: Bars of history that exist from there on.
        sessions: Sessions of history that have bars from there on.
        visible_bars: Bars that have closed by the session clock, as far back as was looked for.
        session_bars: Bars of today's session, those to come included.
        available_from: The first day that the store has of its base; None when it has none.
        run: The bars that were read to prove it, from whole sessions on through today.
    """

    need: IntervalNeed
    start_ns: int
    first_session: date
    bars: int
    sessions: int
    visible_bars: int
    session_bars: int
    available_from: date | None
    run: Bars


@dataclass(kw_only=True)
class ProvisioningRequirements:
    """Unified requirements for any addition: what it takes, whether it can be had, and the steps that bring it.

    Attributes:
        operation_type: "symbol", "bar", "indicator", or one registered from outside.
        source: Who asks: "config", "scanner", "strategy", or one registered from outside.
        owner: Who needs it from now on; the source when nobody in particular does.
        symbol: The symbol.
        symbol_exists: Whether the session holds the symbol already.
        symbol_validated: Whether the rules were run.
        required_intervals: All intervals that it takes, finest first, bases included.
        base_interval: The finest base among them.
        needs_historical: Whether it takes any history.
        historical_days: Sessions of history, the deepest of all intervals by the calendar.
        historical_bars: Bars of history, the most of all intervals.
        indicator_config: The indicator, for an indicator operation.
        can_proceed: Whether all rules passed.
        validation_errors: What the failed rules said.
        warnings: What is less than was asked for, but does not stop it.
        provisioning_steps: The names of the steps, in order; empty when everything is there.
        meets_session_config_requirements: Whether the symbol is full afterwards, as far as this operation decides.
        added_by: The source that the symbol will name.
        reason: Why, for people.
        why: Every need with its reason.
        intervals: The needs by interval.
        indicators: The indicators to register.
        proofs: By interval, what the store has of it; filled in by validation.
    """

    operation_type: str = "symbol"
    source: str = "config"
    owner: str = ""
    symbol: str
    symbol_exists: bool = False
    symbol_validated: bool = False
    required_intervals: list[str] = field(default_factory=list)
    base_interval: str | None = None
    needs_historical: bool = False
    historical_days: int = 0
    historical_bars: int = 0
    indicator_config: Any | None = None
    can_proceed: bool = False
    validation_errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    provisioning_steps: list[str] = field(default_factory=list)
    meets_session_config_requirements: bool = False
    added_by: str = "adhoc"
    reason: str = ""
    why: list[Need] = field(default_factory=list)
    intervals: dict[str, IntervalNeed] = field(default_factory=dict)
    indicators: list[IndicatorNeed] = field(default_factory=list)
    proofs: dict[str, HistoryProof] = field(default_factory=dict)
    _finished: dict[str, IntervalNeed] = field(default_factory=dict, init=False, repr=False, compare=False)

    def take(self, other: ProvisioningRequirements) -> None:
        """Require all that ``other`` requires, which is finished and stays as it is, for its reasons."""
        if self.why:  # an operation from outside is made of several
            for need in other.intervals.values():
                self.require(need, ())
            for edge in other.why:
                self.explain(edge.need, edge.because)
            self.indicators += other.indicators
            return
        self.intervals, self.why, self.indicators = dict(other.intervals), list(other.why), list(other.indicators)
        self._finished = other.intervals
        self.required_intervals, self.base_interval = list(other.required_intervals), other.base_interval
        self.historical_bars, self.needs_historical = other.historical_bars, other.needs_historical

    def require(self, need: IntervalNeed, because: Iterable[str]) -> None:
        """Add an interval with its history, merging it with what is required already, and say why."""
        name = str(need.interval)
        known = self.intervals.get(name)
        self.intervals[name] = need if known is None else known.merged(need)
        for reason in because:
            self.explain(name, reason)

    def explain(self, need: str, because: str) -> None:
        """Add an edge of the requirement graph, once."""
        edge = Need(need, because)
        if edge not in self.why:
            self.why.append(edge)

    def finish_intervals(self) -> None:
        """Fill in the fields that follow from `intervals`."""
        if self.intervals == self._finished:
            return
        ordered = sorted(self.intervals, key=parse_interval)
        self.intervals = {name: self.intervals[name] for name in ordered}
        self.required_intervals = ordered
        needs = self.intervals.values()
        self.base_interval = str(min(n.base for n in needs)) if self.intervals else None
        self.historical_bars = max((n.bars for n in needs), default=0)
        self.needs_historical = any(n.bars or n.trailing_sessions or n.lookback_sessions for n in needs)
        self._finished = dict(self.intervals)

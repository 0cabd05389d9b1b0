"""Phase 2 of an addition, validation by what is known at the session clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from traceback import format_exc
from typing import TYPE_CHECKING

from openbell.errors import CalendarError, DataError, OpenbellError, command_on
from openbell.logs import get_logger
from openbell.model.interval import why_underivable
from openbell.provisioning.context import Market, ProvisioningContext
from openbell.provisioning.history import find_history
from openbell.provisioning.holes import days_by_name, empty_sessions, hole_warnings
from openbell.provisioning.splits import split_warnings
from openbell.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openbell.model.bars import Bars
    from openbell.provisioning.history import HistoryProof
    from openbell.provisioning.needs import Addition, IndicatorNeed, Needs

__all__ = ["RULES", "Evidence", "Proof", "Rule", "validate"]

_SHORTEST_NS = 5 * 60_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Addition with its needs and the histories stored for them, for rules to judge.

    Attributes:
        addition: What was asked for.
        needs: What it takes.
        histories: By interval, what the store has of bars that have closed by the session clock; an interval that the
            store cannot build is not in it.
    """

    addition: Addition
    needs: Needs
    histories: Mapping[str, HistoryProof]

    @property
    def symbol(self) -> str:
        """The symbol."""
        return self.addition.symbol


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """Result of validating an addition.

    Attributes:
        errors: What the rules that failed said, each once; none when all passed.
        warnings: What is less than was asked for, but stops nothing.
        histories: By interval, what the store has.
        bars: By interval, the bars that were read to know that: of whole sessions, through today. No rule gets them.
    """

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    histories: Mapping[str, HistoryProof] = field(default_factory=dict)
    bars: Mapping[str, Bars] = field(default_factory=dict)


Rule = Callable[[Evidence, ProvisioningContext], str | None]
"""A rule returns an error, or None when it passes."""

RULES: Registry[Rule] = Registry("validation rule")
"""All rules by name, in the order in which they report; register more with ``RULES.add(name, function)``."""


def validate(addition: Addition, needs: Needs, context: ProvisioningContext) -> Proof:
    """Find the history of every interval and run all rules."""
    errors: dict[str, None] = {}
    damage: dict[str, list[str]] = {}
    histories: dict[str, HistoryProof] = {}
    bars: dict[str, Bars] = {}
    together, stored = tuple(needs.intervals.values()), context.base_intervals(addition.symbol)
    for name, need in needs.intervals.items():
        if str(need.base) not in stored:
            continue
        try:
            histories[name], bars[name] = find_history(addition.symbol, need, together, context)
        except DataError as error:
            damage.setdefault(str(error), []).append(name)
        except OpenbellError as error:
            errors[f"{name}: {error}"] = None
    # One damaged file is one error, however many intervals are built from it.
    errors |= {f"load_historical cannot have {', '.join(names)} bars: {error}": None for error, names in damage.items()}
    evidence = Evidence(addition, needs, histories)
    errors |= dict.fromkeys(_failures(evidence, context))
    return Proof(tuple(errors), tuple(_warnings(evidence, bars, context)), histories, bars)


def _failures(evidence: Evidence, context: ProvisioningContext) -> Iterator[str]:
    """Iterate over the errors of the rules that fail or raise."""
    for name in RULES.names():
        try:
            error_text = RULES.get(name)(evidence, context)
        except OpenbellError as error:
            get_logger().warning("rule failed", symbol=evidence.symbol, rule=name, error=str(error))
            error_text = f"the rule {name} failed: {error}"
        except Exception as error:  # noqa: BLE001 -- a rule from outside may raise anything; the journal reports it
            get_logger().warning(
                "rule failed", symbol=evidence.symbol, rule=name, error=str(error), exception=format_exc()
            )
            error_text = f"the rule {name} failed: {type(error).__name__}: {error}"
        if error_text:
            yield error_text


def _store_holds_symbol(evidence: Evidence, context: ProvisioningContext) -> str | None:
    symbol, manager = evidence.symbol, context.data_manager
    if not evidence.needs.intervals or context.stored_intervals(symbol):
        return None
    hint = manager.hint(symbol) or f" To see what it holds: `{command_on('data ls', manager.store.path)}`."
    return f"the store {manager.store.path} has no bars of {symbol}.{hint} Import its data, or take it out."


def _intervals_can_be_built(evidence: Evidence, context: ProvisioningContext) -> str | None:
    stored = context.stored_intervals(evidence.symbol)
    bases = context.base_intervals(evidence.symbol)
    off_grid = [interval for interval in stored if interval not in bases]
    return " ".join(why_underivable(tuple(evidence.needs.intervals), bases, off_grid)) or None if stored else None


def _history_meets_lookback(evidence: Evidence, context: ProvisioningContext) -> str | None:
    if context.config.session_data_config.on_shortfall == "warm":
        return None
    found = " ".join(f"{evidence.symbol} {shortfall}." for shortfall in _lookback_shortfalls(evidence, context))
    return (
        f"{found} Import earlier data, start later, or set session_data_config.on_shortfall: warm." if found else None
    )


def _history_is_good_enough(evidence: Evidence, context: ProvisioningContext) -> str | None:
    wanted = context.config.session_data_config.min_quality
    if not wanted or not evidence.needs.needs_historical:
        return None
    from openbell.provisioning.quality import history_is_good_enough  # a run without min_quality does not load checks

    return history_is_good_enough(evidence.symbol, evidence.histories, wanted, context)


RULES.add("data_source", _store_holds_symbol)
RULES.add("intervals", _intervals_can_be_built)
RULES.add("historical_availability", _history_meets_lookback)
RULES.add("min_quality", _history_is_good_enough)


def _lookback_shortfalls(evidence: Evidence, context: ProvisioningContext) -> Iterator[str]:
    """Iterate over the indicators for whose first value bars are missing."""
    for indicator in evidence.needs.indicators:
        proof = evidence.histories.get(str(indicator.interval))
        if proof is None:
            continue
        if proof.visible_bars < indicator.valid_after:
            yield _shortfall(evidence, indicator, f"{indicator.valid_after} bars", proof.visible_bars, context)
        elif proof.sessions < indicator.lookback_sessions:
            yield _shortfall(
                evidence, indicator, f"{indicator.lookback_sessions} earlier sessions", proof.sessions, context
            )


def _shortfall(
    evidence: Evidence, indicator: IndicatorNeed, needed: str, found: int, context: ProvisioningContext
) -> str:
    proof = evidence.histories[str(indicator.interval)]
    return f"{indicator.key} needs {needed} of {indicator.interval}, has {found}: {_where_bars_begin(proof, context)}"


def _where_bars_begin(proof: HistoryProof, context: ProvisioningContext) -> str:
    if proof.available_from is None:
        return f"the store has no {proof.need.base} bars before {context.day}"
    begins = f"the store's {proof.need.base} bars begin {proof.available_from}"
    listed = _listed_in_mid_session(proof, context)
    return f"{begins} at {listed}, in mid-session: was it listed then?" if listed else begins


def _listed_in_mid_session(proof: HistoryProof, context: ProvisioningContext) -> str:
    """Return the time at the exchange of the first stored bar, empty unless it is minutes after an open."""
    tm, first_ns = context.time_manager, proof.stored_from_ns
    if first_ns is None or not proof.need.base.is_intraday:
        return ""
    try:
        session = tm.session(tm.day_of(first_ns))
    except CalendarError:  # before the calendar
        return ""
    in_mid_session = session.first_ns + _SHORTEST_NS <= first_ns < session.last_ns
    return f"{tm.to_local(first_ns):%H:%M}" if in_mid_session else ""


def _warnings(evidence: Evidence, bars: Mapping[str, Bars], context: ProvisioningContext) -> Iterator[str]:
    """Iterate over the shortfalls that are no errors."""
    if context.config.session_data_config.on_shortfall == "warm":
        for shortfall in _lookback_shortfalls(evidence, context):
            yield f"{shortfall}; it is not valid until it has enough"
    yield from _unsettled(evidence)
    base = evidence.histories.get(evidence.needs.base_interval or "")
    if base is not None and base.available_from is None:
        yield f"{base.need.base}: no bars before {context.day}"
    for name, proof in evidence.histories.items():
        yield from _history_shortfalls(name, proof, bars[name], evidence.symbol, context)
    yield from hole_warnings(evidence.symbol, evidence.histories, bars, context)
    yield from split_warnings(evidence.symbol, evidence.histories, bars, context)


def _unsettled(evidence: Evidence) -> Iterator[str]:
    for indicator in evidence.needs.indicators:
        proof = evidence.histories.get(str(indicator.interval))
        if proof is None:
            continue
        if indicator.settling is None:
            yield f"{indicator.key} is cumulative: it never settles, and counts from its first bar on"
        elif indicator.valid_after <= proof.visible_bars < indicator.settled_after:
            yield (
                f"{indicator.key} settles after {indicator.settled_after} bars of {indicator.interval} and has "
                f"{proof.visible_bars}: its starting point still shows"
            )


def _history_shortfalls(
    name: str, proof: HistoryProof, bars: Bars, symbol: str, context: ProvisioningContext
) -> Iterator[str]:
    market = context.market(symbol)
    if (proof.need.bars or proof.need.lookback_sessions) and _is_of_sessions(proof):
        past = context.memo(Market.sessions_from, market, proof.first_session)
        if (empty := len(past) - proof.sessions) > 0:
            count = "1 session since then has" if empty == 1 else f"{empty} sessions since then have"
            days = days_by_name(empty_sessions(proof, bars.times, market))
            yield f"{name}: the warm-up reaches back to {proof.first_session}, because {count} no bars: {days}"
    if proof.bars < proof.need.trailing_bars:
        where = _where_bars_begin(proof, context)
        yield f"{name}: {proof.need.trailing_bars} trailing bars were asked for, {proof.bars} are there ({where})"
    if proof.sessions < proof.need.trailing_sessions and (text := _trailing_shortfall(proof, market, context)):
        yield f"{name}: {text}"
    elif proof.stored_from_ns == proof.start_ns and _listed_in_mid_session(proof, context):
        yield f"{name}: {_where_bars_begin(proof, context)}"


def _trailing_shortfall(proof: HistoryProof, market: Market, context: ProvisioningContext) -> str:
    """Describe the trailing sessions that are missing (empty when none is)."""
    # Bars of several sessions are not counted against sessions.
    asked, tm = proof.need.trailing_sessions, market.time_manager
    begun = proof.available_from is not None and tm.first_session_on_or_after(proof.available_from)
    late = not begun or tm.session_before(market.day, asked) < begun
    if _is_of_sessions(proof):
        text = f"{asked} trailing sessions were asked for, {proof.sessions} have bars"
        return f"{text} ({_where_bars_begin(proof, context)})" if late else text
    if late:
        return f"{asked} trailing sessions were asked for, but {_where_bars_begin(proof, context)}"
    if not proof.sessions:
        return f"no whole {proof.need.interval} bar lies in {asked} trailing sessions; ask for more, to have one"
    return ""


def _is_of_sessions(proof: HistoryProof) -> bool:
    """Return whether every session of the calendar should have a bar of its own."""
    interval = proof.need.interval
    return interval.is_intraday or str(interval) == "1d"

"""Phase 2 of an addition, validation by what is known at the session clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from traceback import format_exc
from typing import TYPE_CHECKING

from openbell.errors import DataError, OpenbellError, command_on
from openbell.logs import get_logger
from openbell.model.interval import why_underivable
from openbell.provisioning.context import ProvisioningContext
from openbell.provisioning.history import find_history
from openbell.provisioning.holes import hole_warnings
from openbell.provisioning.negative import price_warnings
from openbell.provisioning.shortfalls import lookback_shortfalls, other_shortfalls
from openbell.provisioning.splits import split_warnings
from openbell.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openbell.model.bars import Bars
    from openbell.provisioning.history import HistoryProof
    from openbell.provisioning.needs import Addition, Needs

__all__ = ["RULES", "Evidence", "Proof", "Rule", "validate"]


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
    stored = context.base_intervals(addition.symbol)
    for name, need in needs.intervals.items():
        if str(need.base) not in stored:
            continue
        try:
            histories[name], bars[name] = find_history(addition.symbol, name, needs, context)
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
    return context.run.memo(_why_underivable, tuple(evidence.needs.intervals), stored, bases) if stored else None


def _why_underivable(intervals: tuple[str, ...], stored: tuple[str, ...], bases: tuple[str, ...]) -> str | None:
    off_grid = [interval for interval in stored if interval not in bases]
    return " ".join(why_underivable(intervals, bases, off_grid)) or None


def _history_meets_lookback(evidence: Evidence, context: ProvisioningContext) -> str | None:
    if context.config.session_data_config.on_shortfall == "warm":
        return None
    market, histories = context.market(evidence.symbol), tuple(evidence.histories.values())
    shortfalls = context.memo(lookback_shortfalls, market, evidence.needs, histories)
    found = " ".join(f"{evidence.symbol} {shortfall}." for shortfall in shortfalls)
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


def _warnings(evidence: Evidence, bars: Mapping[str, Bars], context: ProvisioningContext) -> Iterator[str]:
    """Iterate over the shortfalls that are no errors."""
    market, needs, histories = context.market(evidence.symbol), evidence.needs, tuple(evidence.histories.values())
    if context.config.session_data_config.on_shortfall == "warm":
        for shortfall in context.memo(lookback_shortfalls, market, needs, histories):
            yield f"{shortfall}; it is not valid until it has enough"
    times = tuple(read.times for read in bars.values())
    yield from context.memo(other_shortfalls, market, needs, histories, times)
    yield from price_warnings(evidence.needs.indicators, bars, context.market(evidence.symbol))
    yield from hole_warnings(evidence.symbol, evidence.histories, bars, context)
    yield from split_warnings(evidence.symbol, evidence.histories, bars, context)

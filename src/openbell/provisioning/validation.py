"""Phase 2 of an addition, validation by what is known at the session clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from traceback import format_exc
from typing import TYPE_CHECKING

from openbell.errors import OpenbellError, command_on
from openbell.logs import get_logger
from openbell.model.interval import why_underivable
from openbell.provisioning.context import ProvisioningContext
from openbell.provisioning.found_histories import found_blocks
from openbell.provisioning.price_warnings import price_warnings
from openbell.provisioning.shortfalls import lookback_shortfalls, other_shortfalls
from openbell.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openbell.model.bars import Bars
    from openbell.provisioning.found_histories import FoundBlock
    from openbell.provisioning.history_search import HistoryProof
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
        errors: The errors of rules that failed and of bars that cannot be read, each once; empty when there are none.
        warnings: What is less than was asked for, but prevents nothing.
        histories: By interval, what the store has.
        bars: By interval, the bars that were read for the histories: of whole sessions, through today. Rules get none.
    """

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    histories: Mapping[str, HistoryProof] = field(default_factory=dict)
    bars: Mapping[str, Bars] = field(default_factory=dict)


Rule = Callable[[Evidence, ProvisioningContext], str | None]
"""A rule returns an error, or None when it passes."""

RULES: Registry[Rule] = Registry("validation rule")
"""All rules by name, in the order in which they report; register more with ``RULES.add(name, function)``."""


def validate(additions: Sequence[Addition], needs: Needs, context: ProvisioningContext) -> list[Proof]:
    """Find the histories of additions that need the same, and run all rules.

    Proofs of symbols whose bars have the same times share their histories, their errors and their warnings as far as
    these follow from needs and times.

    Args:
        additions: To distinct symbols that the store has in the same intervals.
        needs: What each of them takes.
        context: The session.
    """
    proofs: dict[int, Proof] = {}
    for found in found_blocks([addition.symbol for addition in additions], needs, context):
        block = [additions[place] for place in found.places]
        failures = _failures(block, needs, found.histories, context)
        warnings = _warnings(block, needs, found, context)
        for n, place in enumerate(found.places):
            errors = found.errors[n]
            if failures[n]:
                errors = tuple(dict.fromkeys((*errors, *failures[n])))
            proofs[place] = Proof(errors, warnings[n], found.histories, found.bars[n])
    return [proofs[place] for place in range(len(additions))]


def _failures(
    block: Sequence[Addition], needs: Needs, histories: Mapping[str, HistoryProof], context: ProvisioningContext
) -> list[tuple[str, ...]]:
    """Return per addition the errors of the rules that fail or raise."""
    first, *others = (Evidence(addition, needs, histories) for addition in block)
    errors = _errors_of(first, context)
    if not errors and all(_is_same_for_all(rule, context) for rule in RULES):
        return [()] * len(block)
    return [errors, *(_errors_of(evidence, context) for evidence in others)]


def _errors_of(evidence: Evidence, context: ProvisioningContext) -> tuple[str, ...]:
    """Return the errors of the rules that fail or raise, each once."""
    texts = (_error_of(evidence, name, context) for name in RULES.names())
    return tuple(dict.fromkeys(text for text in texts if text))


def _error_of(evidence: Evidence, name: str, context: ProvisioningContext) -> str | None:
    try:
        return RULES.get(name)(evidence, context)
    except OpenbellError as error:
        get_logger().warning("rule failed", symbol=evidence.symbol, rule=name, error=str(error))
        return f"the rule {name} failed: {error}"
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 -- a user's rule may raise anything; the journal has it
        get_logger().warning("rule failed", symbol=evidence.symbol, rule=name, error=str(error), exception=format_exc())
        return f"the rule {name} failed: {type(error).__name__}: {error}"


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
    shortfalls = context.memo(lookback_shortfalls, market, evidence.needs, histories, context.origin)
    found = " ".join(f"{evidence.symbol} {shortfall}." for shortfall in shortfalls)
    earlier = "Import earlier data, start later" if context.origin == "store" else "Keep bars with live.keep_bars"
    return f"{found} {earlier}, or set session_data_config.on_shortfall: warm." if found else None


def _history_faults(evidence: Evidence, context: ProvisioningContext) -> str | None:
    wanted = context.config.session_data_config.min_quality
    if not wanted or not evidence.needs.needs_historical:
        return None
    from openbell.provisioning.min_quality import (
        history_faults,  # a run without min_quality does not load checks
    )

    return history_faults(evidence.symbol, evidence.histories, wanted, context)


def _is_same_for_all(rule: Rule, context: ProvisioningContext) -> bool:
    """Return whether a rule that passes for one symbol of a block passes for all."""
    asks_quality = context.config.session_data_config.min_quality
    return rule in _BY_NEEDS_AND_TIMES or (rule is _history_faults and not asks_quality)


_BY_NEEDS_AND_TIMES: tuple[Rule, ...] = (_store_holds_symbol, _intervals_can_be_built, _history_meets_lookback)

RULES.add("data_source", _store_holds_symbol)
RULES.add("intervals", _intervals_can_be_built)
RULES.add("historical_availability", _history_meets_lookback)
RULES.add("min_quality", _history_faults)


def _warnings(
    block: Sequence[Addition], needs: Needs, found: FoundBlock, context: ProvisioningContext
) -> list[tuple[str, ...]]:
    """Return per addition the warnings about shortfalls, prices, holes and splits."""
    market, proofs = context.market(block[0].symbol), tuple(found.histories.values())
    of_all: list[str] = []
    if context.config.session_data_config.on_shortfall == "warm":
        shortfalls = context.memo(lookback_shortfalls, market, needs, proofs, context.origin)
        of_all += [f"{shortfall}; it is not valid until it has enough" for shortfall in shortfalls]
    of_all += context.memo(other_shortfalls, market, needs, proofs, found.times, context.origin)
    prices = price_warnings(needs.indicators, found.bars, market, context.time_manager.now_ns)
    return [(*of_all, *own, *found.holes, *split) for own, split in zip(prices, found.splits, strict=True)]

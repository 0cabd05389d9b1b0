"""Execution of plans, for one symbol or for a block of new ones.

New symbols with the same needs and the same bar times are made together as a block, in two-dimensional columns with a
row per symbol. The series and indicators of each symbol are made when they are first read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from traceback import format_exc
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from openbell.errors import OpenbellError
from openbell.logs import get_logger
from openbell.model.events import StepTiming
from openbell.model.frozen import quick_change, quick_maker
from openbell.provisioning.bars_to_load import StoredReach, bars_of_block
from openbell.provisioning.context import Market
from openbell.provisioning.indicator_values import computed_indicators, times_of
from openbell.provisioning.steps import (
    AddInterval,
    CalculateQuality,
    CreateSymbol,
    LoadHistorical,
    LoadSession,
    Plan,
    RegisterIndicator,
    Step,
    StepWork,
    steps_of_new_symbol,
)
from openbell.session import SymbolSessionData
from openbell.session.block import IndicatorBlock, IndicatorsOfBlock, SeriesBlock, SeriesOfBlock
from openbell.session.symbol import FULL_SYMBOL, Owner, SymbolDraft
from openbell.timing.clock import stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from openbell.provisioning.context import ProvisioningContext

__all__ = [
    "Outcome",
    "OwnerCache",
    "blocks_of_new",
    "carry_out",
    "create",
    "failure_of",
    "is_less_than_needed",
]

_symbol_of = quick_maker(SymbolSessionData)


@dataclass(slots=True)
class Outcome:
    """Result of a plan, with the steps that were begun and the errors."""

    plan: Plan
    errors: tuple[str, ...] = ()
    steps: list[StepTiming] = field(default_factory=list)


def carry_out(plan: Plan, context: ProvisioningContext) -> tuple[Outcome, SymbolDraft | None]:
    """Run the steps of a plan on a draft of its symbol.

    Returns:
        The outcome, and the draft; None in its place when there were errors or nothing has changed.
    """
    existing = context.session_data.get_symbol_data(plan.symbol)
    if plan.day not in (None, context.day):
        over = f"this was analysed for the session of {plan.day}, and {context.day} is running; analyse it again"
        return Outcome(plan, (over,)), None
    outcome, draft = Outcome(plan), SymbolDraft.of(existing) if existing else SymbolDraft(plan.symbol)
    work, watch = StepWork(plan, context, draft), stopwatch()
    for step in _steps(plan, draft):
        try:
            step.carry_out(work)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 -- a user's step may raise anything; the journal has it
            outcome.errors = (failure_of(step, plan.symbol, error),)
        outcome.steps.append(StepTiming(step.name, watch.lap_ms()))
        if outcome.errors:
            return outcome, None
    if is_less_than_needed(draft, plan, was_there=existing is not None):
        outcome.errors = (f"{plan.symbol} changed since this was analysed; analyse it again",)
        return outcome, None
    news = draft.own(_what_is_needed(plan), _owner_of(plan))
    return outcome, draft if news or plan.steps else None


def _steps(plan: Plan, draft: SymbolDraft) -> Iterator[Step]:
    """Iterate over the steps of a plan, with a quality step if the draft needs one."""
    yield from plan.steps
    # A symbol may have become full between planning and now.
    if draft.meets_session_config_requirements and not all(series.is_scored for series in draft.bars.values()):
        yield CalculateQuality()


def failure_of(step: Step, symbol: str, error: BaseException) -> str:
    """Log the failure of a step, and return its message."""
    known = isinstance(error, OpenbellError)
    trace = {} if known else {"exception": format_exc()}
    get_logger().warning("step failed", symbol=symbol, step=step.name, error=str(error), **trace)
    return f"{step.name} failed: {error}" if known else f"{step.name} failed: {type(error).__name__}: {error}"


def is_less_than_needed(held: SymbolDraft | SymbolSessionData, plan: Plan, *, was_there: bool) -> bool:
    """Return whether something needed is missing, because the symbol changed between planning and now."""
    return (
        (plan.symbol_exists and not was_there)
        or (plan.needs.full_symbol and not held.meets_session_config_requirements)
        or not plan.needs.all_among(held.bars, held.indicators)
    )


_MOST_SYMBOLS = 256
"""Most symbols in a block: its columns fit the processor's cache, and stay in memory until its last symbol is gone."""

_NO_LOCKS = MappingProxyType[str, str]({})

Created = tuple[Outcome, SymbolSessionData | None]
"""The outcome of a plan, and the symbol that it made."""


def blocks_of_new(plans: Sequence[Plan], context: ProvisioningContext) -> list[list[int]]:
    """Group the plans of new symbols into blocks with the same needs, histories and owner.

    Returns:
        Per block, the indices of its plans.
    """
    blocks: dict[tuple[object, ...], list[int]] = {}
    for place, plan in enumerate(plans):
        if _makes_new(plan, context):
            addition = plan.addition
            asked = addition.operation_type, addition.source, addition.owner, addition.declared
            key = id(plan.needs), id(plan.proof.histories), plan.reason, *asked
            blocks.setdefault(key, []).append(place)
    return [
        places[first : first + _MOST_SYMBOLS]
        for places in blocks.values()
        for first in range(0, len(places), _MOST_SYMBOLS)
    ]


def create(plans: Sequence[Plan], context: ProvisioningContext) -> list[Created]:
    """Make the symbols of a block.

    When one fails, the halves of the block are made by themselves, down to the symbols that fail.
    """
    block, half = _Block(plans, context), len(plans) // 2
    try:
        block.carry_out()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 -- a user's indicator may raise anything; the journal has it
        if not half:
            return [(Outcome(plans[0], (failure_of(block.step, plans[0].symbol, error),), block.timings), None)]
    else:
        return block.made()
    return [*create(plans[:half], context), *create(plans[half:], context)]


def _makes_new(plan: Plan, context: ProvisioningContext) -> bool:
    """Return whether a plan of this day makes a new symbol by the standard steps alone."""
    return (
        bool(plan.steps)
        and not plan.needs.steps
        and plan.day == context.day
        and plan.steps is context.memo(steps_of_new_symbol, plan.needs)
        and context.session_data.get_symbol_data(plan.symbol) is None
    )


class _Block:
    """Draft of new symbols, which nobody sees before all steps are done.

    Args:
        plans: The plan of each symbol; all have the same needs, histories, steps and owner.
        context: Where data comes from.

    Attributes:
        step: The step that was begun last.
        timings: The steps that were begun, each with its time divided by the number of symbols.
    """

    def __init__(self, plans: Sequence[Plan], context: ProvisioningContext) -> None:
        self._plans = plans
        self._context = context
        self._symbols = [plan.symbol for plan in plans]
        self._needs = plans[0].needs
        self._series: dict[str, SeriesBlock] = {}
        self._indicators: dict[str, IndicatorBlock] = {}
        self.step: Step = plans[0].steps[0]
        self.timings: list[StepTiming] = []

    def carry_out(self) -> None:
        """Carry out the steps of the plans.

        Raises:
            TimesDifferError: The bars of the symbols do not have the same times.
        """
        watch = stopwatch()
        for step in self._plans[0].steps:
            self.step = step
            try:
                _CARRY_OUT[type(step)](self)
            finally:
                self.timings.append(StepTiming(step.name, round(watch.lap_ms() / len(self._plans), 6)))

    def made(self) -> list[Created]:
        """Return the finished symbols, each with its outcome."""
        first = self._plans[0]
        owner = frozenset((_owner_of(first),))
        owners = MappingProxyType(dict.fromkeys(_what_is_needed(first), owner))
        auto_provisioned = first.addition.operation_type != "symbol"
        created: list[Created] = []
        for place, plan in enumerate(self._plans):
            series = SeriesOfBlock(self._series, plan.symbol, place)
            indicators = IndicatorsOfBlock(self._indicators, series)
            symbol = _symbol_of(
                symbol=plan.symbol,
                meets_session_config_requirements=self._needs.full_symbol,
                added_by=first.added_by,
                auto_provisioned=auto_provisioned,
                upgraded_from_adhoc=False,
                reason=first.reason,
                bars=series,
                indicators=indicators,
                owners=owners,
                locks=_NO_LOCKS,
            )
            created.append((Outcome(plan, (), self.timings), symbol))
        return created

    def load(self) -> None:
        """Load the bars of history and of all of today."""
        context, histories = self._context, self._plans[0].proof.histories
        day = context.stored_day(self._symbols[0])
        loaded = bars_of_block(self._symbols, [plan.proof for plan in self._plans], context)
        for name, need in self._needs.intervals.items():
            bars, begins_ns = [one.bars for one in loaded[name]], loaded[name][0].begins_ns
            times = times_of(bars)
            today_row = day.by_times(Market.today_row, times)
            cursor = context.cursor(times)
            reach = StoredReach(name, begins_ns, times, today_row, histories, day)
            base = str(need.base) if need.derived else None
            self._series[name] = SeriesBlock(name, base, bars, today_row, cursor, reach)

    def compute(self) -> None:
        """Compute the indicators."""
        self._indicators = computed_indicators(self._needs.indicators, self._symbols, self._series, self._context)

    def measure(self) -> None:
        """Score the series against the bars that the calendar expects."""
        for series in self._series.values():
            series.quality = series.reach.quality() if series.reach is not None else None


def _nothing(block: _Block) -> None:
    """Do nothing for a step that only prepares the next ones."""


_CARRY_OUT: Mapping[type, Callable[[_Block], None]] = {
    CreateSymbol: _nothing,
    AddInterval: _nothing,
    LoadHistorical: _nothing,
    LoadSession: _Block.load,
    RegisterIndicator: _Block.compute,
    CalculateQuality: _Block.measure,
}


_Owners: TypeAlias = "Mapping[str, frozenset[Owner]]"


def _what_is_needed(plan: Plan) -> list[str]:
    """Return the names of what the owner of a plan needs from now on."""
    needed = [*plan.needs.intervals, *(need.key for need in plan.needs.indicators)]
    if plan.needs.full_symbol:
        needed.append(FULL_SYMBOL)
    return needed or [plan.addition.operation_type]  # so that the owner can have it removed


def _owner_of(plan: Plan) -> Owner:
    """Return the owner of what a plan adds."""
    addition = plan.addition
    return Owner(addition.owner or addition.source, addition.source, declared=addition.declared)


class OwnerCache:
    """Cache for adding an owner to symbols that already have all that a plan needs.

    Symbols with the same owners get one mapping of owners.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], tuple[_Owners, _Owners]] = {}

    def noted(self, existing: SymbolSessionData, plan: Plan) -> SymbolSessionData | None:
        """Return a symbol with the owner of a plan added, or None if it was an owner before."""
        addition = plan.addition
        asked = addition.operation_type, addition.source, addition.owner, addition.declared
        key = id(existing.owners), id(plan.needs), *asked
        known = self._known.get(key)
        if known is None:
            draft = SymbolDraft(existing.symbol, owners=dict(existing.owners))
            news = draft.own(_what_is_needed(plan), _owner_of(plan))
            # The mapping from before is held as well, so that its id is not used again.
            known = self._known[key] = existing.owners, MappingProxyType(draft.owners) if news else existing.owners
        return None if known[1] is existing.owners else _with_owners(existing, known[1])


_with_owners = quick_change(SymbolSessionData, "owners")

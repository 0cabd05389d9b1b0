"""New symbols that need the same and have the same times, made together as a block.

A block is made once, in columns of two dimensions: a row per symbol. What a session holds of one of its symbols (its
series, its indicators) is made when somebody reads it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from openbell.model.events import StepTiming
from openbell.provisioning.carrying_out import Outcome, failure_of
from openbell.provisioning.context import Market
from openbell.provisioning.indicators import computed_indicators, times_of
from openbell.provisioning.owning import owner_of, what_is_needed
from openbell.provisioning.reach import StoredReach, bars_of_block
from openbell.provisioning.steps import (
    AddInterval,
    CalculateQuality,
    CreateSymbol,
    LoadHistorical,
    LoadSession,
    RegisterIndicator,
    steps_of_new_symbol,
)
from openbell.session.block import IndicatorBlock, IndicatorsOfBlock, SeriesBlock, SeriesOfBlock
from openbell.session.symbol import SymbolSessionData
from openbell.timing.clock import stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from openbell.provisioning.context import ProvisioningContext
    from openbell.provisioning.steps import Plan, Step

__all__ = ["blocks_of_new", "create"]

_MOST_SYMBOLS = 256
"""So many symbols make a block at the most: its columns fit the processor's cache, and go when its last symbol does."""

_NO_LOCKS = MappingProxyType[str, str]({})

Created = tuple[Outcome, SymbolSessionData | None]
"""The outcome of a plan, and the symbol that it made."""


def blocks_of_new(plans: Sequence[Plan], context: ProvisioningContext) -> list[list[int]]:
    """Return the places of plans that make new symbols, in blocks of the same needs, histories and owner."""
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

    One that fails leaves the block, and is reported by itself.
    """
    block, half = _Block(plans, context), len(plans) // 2
    try:
        block.carry_out()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 -- an indicator from outside may raise anything; the journal has it
        if not half:
            return [(Outcome(plans[0], (failure_of(block.step, plans[0].symbol, error),), block.timings), None)]
    else:
        return block.made()
    return [*create(plans[:half], context), *create(plans[half:], context)]


def _makes_new(plan: Plan, context: ProvisioningContext) -> bool:
    """Return whether a plan has the steps of a new symbol, as they were planned on this day, and none of its own."""
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
        plans: A plan for each, with the same needs, histories, steps and owner.
        context: Where data comes from.

    Attributes:
        step: The step that was begun last.
        timings: The steps that were begun; each took a symbol its share of what it took the block.
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
        """Return the symbols as they are now, for good."""
        first = self._plans[0]
        owner = frozenset((owner_of(first),))
        owners = MappingProxyType(dict.fromkeys(what_is_needed(first), owner))
        auto_provisioned = first.addition.operation_type != "symbol"
        created: list[Created] = []
        for place, plan in enumerate(self._plans):
            series = SeriesOfBlock(self._series, plan.symbol, place)
            indicators = IndicatorsOfBlock(self._indicators, series)
            symbol = SymbolSessionData(
                plan.symbol,
                self._needs.full_symbol,
                first.added_by,
                auto_provisioned,
                False,
                first.reason,
                series,
                indicators,
                owners,
                _NO_LOCKS,
            )
            created.append((Outcome(plan, (), self.timings), symbol))
        return created

    def load(self) -> None:
        """Load the bars of history and of all of today."""
        context, histories = self._context, self._plans[0].proof.histories
        market = context.market(self._symbols[0])
        loaded = bars_of_block(self._symbols, [plan.proof for plan in self._plans], context)
        for name, need in self._needs.intervals.items():
            bars, begins_ns = [one.bars for one in loaded[name]], loaded[name][0].begins_ns
            times = times_of(bars)
            today_row = context.memo(Market.today_row, market, times)
            cursor = context.memo(Market.cursor, market, times)
            reach = StoredReach(name, begins_ns, times, today_row, histories, market, context.memo)
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

"""Carrying out of a plan on a private copy of its symbol."""

from __future__ import annotations

from dataclasses import dataclass, field
from traceback import format_exc
from typing import TYPE_CHECKING

from openbell.errors import OpenbellError
from openbell.logs import get_logger
from openbell.model.events import StepTiming
from openbell.provisioning.steps import CalculateQuality, Plan, Step, StepWork
from openbell.session.data import WHOLE_SYMBOL, SymbolDraft
from openbell.session.owner import Owner
from openbell.timing.clock import stopwatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.provisioning.context import ProvisioningContext

__all__ = ["Outcome", "carry_out"]


@dataclass(slots=True)
class Outcome:
    """Steps of a plan that were begun, and its errors."""

    plan: Plan
    errors: tuple[str, ...] = ()
    steps: list[StepTiming] = field(default_factory=list)


def carry_out(plan: Plan, context: ProvisioningContext) -> tuple[Outcome, SymbolDraft | None]:
    """Run the steps on a private copy of the symbol, and return it if it is to be published."""
    existing = context.session_data.get_symbol_data(plan.symbol)
    if plan.day not in (None, context.day):
        over = f"this was analysed for the session of {plan.day}, and {context.day} is running; analyse it again"
        return Outcome(plan, (over,)), None
    outcome, draft = Outcome(plan), SymbolDraft.of(existing) if existing else SymbolDraft(plan.symbol)
    work, watch = StepWork(plan, context, draft), stopwatch()
    for step in _steps(plan, draft):
        try:
            step.carry_out(work)
        except Exception as error:  # noqa: BLE001 -- a step from outside may raise anything; the journal reports it
            outcome.errors = (_failure(step, plan.symbol, error),)
        outcome.steps.append(StepTiming(step.name, watch.lap_ms()))
        if outcome.errors:
            return outcome, None
    if _is_less_than_needed(draft, plan, was_there=existing is not None):
        outcome.errors = (f"{plan.symbol} changed since this was analysed; analyse it again",)
        return outcome, None
    return outcome, draft if _note_owner(draft, plan) or plan.steps else None


def _steps(plan: Plan, draft: SymbolDraft) -> Iterator[Step]:
    """Iterate over the steps of a plan and those that the draft asks for."""
    yield from plan.steps
    # A symbol may have become full between planning and now.
    if draft.meets_session_config_requirements and not all(series.is_scored for series in draft.bars.values()):
        yield CalculateQuality()


def _failure(step: Step, symbol: str, error: Exception) -> str:
    """Log the failure of a step, and return its message."""
    known = isinstance(error, OpenbellError)
    trace = {} if known else {"exception": format_exc()}
    get_logger().warning("step failed", symbol=symbol, step=step.name, error=str(error), **trace)
    return f"{step.name} failed: {error}" if known else f"{step.name} failed: {type(error).__name__}: {error}"


def _is_less_than_needed(draft: SymbolDraft, plan: Plan, *, was_there: bool) -> bool:
    """Return whether the steps built on something that went away between planning and now."""
    return (
        (plan.symbol_exists and not was_there)
        or (plan.needs.full_symbol and not draft.meets_session_config_requirements)
        or any(name not in draft.bars for name in plan.needs.intervals)
        or any(need.key not in draft.indicators for need in plan.needs.indicators)
    )


def _note_owner(draft: SymbolDraft, plan: Plan) -> bool:
    """Note who needs what is there now, and return whether that is new."""
    needed = [*plan.needs.intervals, *(need.key for need in plan.needs.indicators)]
    if plan.needs.full_symbol:
        needed.append(WHOLE_SYMBOL)
    if not needed:
        needed.append(plan.addition.operation_type)  # so that whoever asked can have it removed
    addition = plan.addition
    owner = Owner(addition.owner or addition.source, addition.source, declared=addition.declared)
    return draft.own(needed, owner)

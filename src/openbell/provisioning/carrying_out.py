"""Carrying out of a plan on a private copy of its symbol."""

from __future__ import annotations

from dataclasses import dataclass, field
from traceback import format_exc
from typing import TYPE_CHECKING

from openbell.errors import OpenbellError
from openbell.logs import get_logger
from openbell.model.events import StepTiming
from openbell.provisioning.owning import owner_of, what_is_needed
from openbell.provisioning.steps import CalculateQuality, Plan, Step, StepWork
from openbell.session.symbol import SymbolDraft
from openbell.timing.clock import stopwatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.provisioning.context import ProvisioningContext
    from openbell.session import SymbolSessionData

__all__ = ["Outcome", "carry_out", "failure_of", "is_less_than_needed"]


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
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 -- a step from outside may raise anything; the journal has it
            outcome.errors = (failure_of(step, plan.symbol, error),)
        outcome.steps.append(StepTiming(step.name, watch.lap_ms()))
        if outcome.errors:
            return outcome, None
    if is_less_than_needed(draft, plan, was_there=existing is not None):
        outcome.errors = (f"{plan.symbol} changed since this was analysed; analyse it again",)
        return outcome, None
    news = draft.own(what_is_needed(plan), owner_of(plan))
    return outcome, draft if news or plan.steps else None


def _steps(plan: Plan, draft: SymbolDraft) -> Iterator[Step]:
    """Iterate over the steps of a plan and those that the draft asks for."""
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
    """Return whether the steps built on something that went away between planning and now."""
    return (
        (plan.symbol_exists and not was_there)
        or (plan.needs.full_symbol and not held.meets_session_config_requirements)
        or any(name not in held.bars for name in plan.needs.intervals)
        or any(need.key not in held.indicators for need in plan.needs.indicators)
    )

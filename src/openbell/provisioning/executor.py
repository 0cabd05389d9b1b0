"""Carries out requirements as transactions: a symbol's steps all come to pass, or nobody ever sees one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from traceback import format_exc
from typing import TYPE_CHECKING

from openbell.errors import OpenbellError
from openbell.logs import get_logger
from openbell.model.events import StepTiming
from openbell.provisioning.steps import StepWork, find_step
from openbell.session.symbol import WHOLE_SYMBOL, SymbolSessionData
from openbell.timing.clock import stopwatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openbell.provisioning.context import ProvisioningContext
    from openbell.provisioning.requirements import ProvisioningRequirements

__all__ = ["Outcome", "execute"]


@dataclass(slots=True)
class Outcome:
    """What came of one requirement: the steps that were begun, and the error that stopped it, if one did."""

    req: ProvisioningRequirements
    steps: list[StepTiming] = field(default_factory=list)
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything required is there."""
        return not self.error


def execute(reqs: Sequence[ProvisioningRequirements], context: ProvisioningContext) -> list[Outcome]:
    """Carry out requirements of distinct symbols, and publish all that succeeded in one swap.

    Call it with the session's operation lock held.
    """
    outcomes, finished = [], {}
    for req in reqs:
        outcome, draft = _draft(req, context)
        outcomes.append(outcome)
        if draft is not None:
            finished[req.symbol] = draft
    if finished:
        context.session_data.publish(finished)
    return outcomes


def _draft(req: ProvisioningRequirements, context: ProvisioningContext) -> tuple[Outcome, SymbolSessionData | None]:
    """Run the steps on a private copy of the symbol; None when there is nothing to publish."""
    existing = context.session_data.get_symbol_data(req.symbol)
    outcome = Outcome(req)
    draft = existing.copy() if existing else SymbolSessionData(req.symbol)
    work = StepWork(req, context, draft)
    watch = stopwatch()
    for name in _steps(req, draft):
        try:
            step, work.argument = find_step(name)
            step(work)
        except Exception as error:  # noqa: BLE001 -- a step from outside may raise anything; the journal tells it
            outcome.error = _told(name, error)
            trace = {} if isinstance(error, OpenbellError) else {"exception": format_exc()}
            get_logger().warning("step failed", symbol=req.symbol, step=name, error=str(error), **trace)
        outcome.steps.append(StepTiming(name, watch.lap_ms()))
        if outcome.error:
            return outcome, None
    if _is_less_than_required(draft, req, was_there=existing is not None):
        outcome.error = f"{req.symbol} changed since this was analysed; analyse it again"
        return outcome, None
    return outcome, draft if _own(draft, req) or req.provisioning_steps else None


def _is_less_than_required(draft: SymbolSessionData, req: ProvisioningRequirements, *, was_there: bool) -> bool:
    """Whether the steps built on something that went between analysis and now."""
    return (
        (req.symbol_exists and not was_there)
        or (req.meets_session_config_requirements and not draft.meets_session_config_requirements)
        or any(name not in draft.bars for name in req.required_intervals)
        or any(need.key not in draft.indicators for need in req.indicators)
    )


def _steps(req: ProvisioningRequirements, draft: SymbolSessionData) -> Iterator[str]:
    """The steps; a symbol that became full between analysis and now is scored whatever was analysed."""
    yield from req.provisioning_steps
    if draft.meets_session_config_requirements and not all(series.is_scored for series in draft.bars.values()):
        yield "calculate_quality"


def _told(step: str, error: Exception) -> str:
    kind = "" if isinstance(error, OpenbellError) else f"{type(error).__name__}: "
    return f"{step} failed: {kind}{error}"


def _own(draft: SymbolSessionData, req: ProvisioningRequirements) -> bool:
    """Note who needs what is there now; False when that was known."""
    needs = [*req.required_intervals, *(need.key for need in req.indicators)]
    if req.meets_session_config_requirements:
        needs.append(WHOLE_SYMBOL)
    owner = req.owner or req.source
    new = [need for need in needs if draft.own(need, owner)]
    return bool(new)

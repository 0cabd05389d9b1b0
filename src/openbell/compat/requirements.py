"""The requirements of an addition as the specification writes them down."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from openbell.errors import CalendarError, UnknownNameError
from openbell.model.html_parts import counted, in_div, items, table, title
from openbell.model.interval import parse_interval
from openbell.provisioning.context import Market, ProvisioningContext
from openbell.provisioning.journal import Journal
from openbell.provisioning.needs import Addition, IntervalNeed, Needs
from openbell.provisioning.provisioner import Provisioner
from openbell.provisioning.steps import STEPS, Plan, Step, StepWork
from openbell.provisioning.validation import Proof

if TYPE_CHECKING:
    from datetime import date

    from openbell.config import IndicatorConfig
    from openbell.session import SessionData

__all__ = ["ProvisioningRequirements", "analyze_requirements", "plan_of", "requirements_of"]


@dataclass(kw_only=True)
class ProvisioningRequirements:
    """Unified requirements for any addition.

    Attributes:
        operation_type: "symbol", "bar", "indicator", or one registered in `OPERATIONS`.
        source: Who asks: "config", "scanner", "strategy", or one registered in `SOURCES`.
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
        validation_errors: The errors of the rules that failed.
        warnings: What is less than was asked for, but does not prevent it.
        provisioning_steps: The names of the steps, in order; empty when everything is there.
        meets_session_config_requirements: Whether the symbol is full afterwards, as far as this operation decides.
        added_by: The source that the symbol will name.
        reason: Why, for people.
        session_date: The session that they were analysed for; in any other they are refused.
        needs: The needs as analysis returned them.
        proof: The proof as validation returned it.
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
    indicator_config: IndicatorConfig | None = None
    can_proceed: bool = False
    validation_errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    provisioning_steps: list[str] = field(default_factory=list)
    meets_session_config_requirements: bool = False
    added_by: str = "adhoc"
    reason: str = ""
    session_date: date | None = None
    needs: Needs = field(default_factory=Needs, compare=False, repr=False)
    proof: Proof = field(default_factory=Proof, compare=False, repr=False)

    def _repr_html_(self) -> str:
        outcome = "can be provisioned" if self.can_proceed else "cannot be provisioned"
        history = f"{counted(self.historical_days, 'session')}, {counted(self.historical_bars, 'bar')}"
        rows = [
            ["intervals", ", ".join(self.required_intervals)],
            ["base interval", self.base_interval or ""],
            ["history", history if self.needs_historical else "none"],
            ["steps", ", ".join(self.provisioning_steps)],
            ["why", self.reason],
        ]
        head = f"{self.operation_type} for {self.owner or self.source}: {outcome}"
        problems = items([*self.validation_errors, *self.warnings])
        return in_div([title(self.symbol, head), problems, table(["what", "it takes"], rows)])


class HasContext(Protocol):
    """The part of a coordinator that `analyze_requirements` uses."""

    def context_of(self, session_data: SessionData) -> ProvisioningContext:
        """Return the context of provisioning as seen from ``session_data``."""


def analyze_requirements(
    operation_type: str,
    symbol: str,
    source: str,
    session_data: SessionData,
    session_coordinator: HasContext,
    **kwargs: Any,
) -> ProvisioningRequirements:
    """Analyse and validate an addition without changing anything.

    Args:
        operation_type: "symbol", "bar", "indicator", or one registered in `OPERATIONS`.
        symbol: The symbol to add to.
        source: Who asks: "config", "scanner", "strategy", or one registered in `SOURCES`.
        session_data: The session to add to.
        session_coordinator: Its coordinator.
        kwargs: The operation's details: ``indicator_config``; ``interval`` and ``days``. ``system_manager`` may be
            given and is not needed.

    Raises:
        UnknownNameError: The operation, the source or an indicator is not registered.
        ConfigError: A detail is invalid, such as an interval or a parameter.
    """
    details = {name: value for name, value in kwargs.items() if name != "system_manager"}
    context = session_coordinator.context_of(session_data)
    (plan,) = Provisioner(context, Journal()).plan([Addition(operation_type, symbol, source, details=details)])
    return requirements_of(plan, context)


def requirements_of(plan: Plan, context: ProvisioningContext) -> ProvisioningRequirements:
    """Return a plan as requirements."""
    addition, needs, proof = plan.addition, plan.needs, plan.proof
    return ProvisioningRequirements(
        operation_type=addition.operation_type,
        source=addition.source,
        owner=addition.owner or addition.source,
        symbol=plan.symbol,
        symbol_exists=plan.symbol_exists,
        symbol_validated=True,
        required_intervals=list(needs.intervals),
        base_interval=needs.base_interval,
        needs_historical=needs.needs_historical,
        historical_days=_calendar_sessions(plan, context),
        historical_bars=max((need.bars for need in needs.intervals.values()), default=0),
        indicator_config=addition.details.get("indicator_config"),
        can_proceed=not proof.errors,
        validation_errors=list(proof.errors),
        warnings=list(proof.warnings),
        provisioning_steps=[step.name for step in plan.steps],
        meets_session_config_requirements=needs.full_symbol,
        added_by=plan.added_by,
        reason=plan.reason,
        session_date=context.day,
        needs=needs,
        proof=proof,
    )


def plan_of(req: ProvisioningRequirements, context: ProvisioningContext) -> Plan:
    """Return requirements as a plan, even if they were filled in by hand."""
    named = {str(interval): interval for interval in map(parse_interval, req.required_intervals)}
    intervals = {name: IntervalNeed(i, context.base_of(req.symbol, i)) for name, i in named.items()}
    return Plan(
        Addition(req.operation_type, req.symbol, req.source, req.owner),
        replace(
            req.needs,
            intervals={**intervals, **req.needs.intervals},
            full_symbol=req.meets_session_config_requirements,
            reason=req.reason,
        ),
        replace(req.proof, errors=tuple(req.validation_errors), warnings=tuple(req.warnings)),
        tuple(map(_step_of, req.provisioning_steps)),
        symbol_exists=req.symbol_exists,
        added_by=req.added_by,
        reason=req.reason,
        day=req.session_date,
    )


def _calendar_sessions(plan: Plan, context: ProvisioningContext) -> int:
    """Count the sessions that the deepest need reaches back over, were no bar missing."""
    market, needs = context.market(plan.symbol), plan.needs.intervals.values()
    try:
        first = min((context.memo(Market.calendar_start, market, need) for need in needs), default=market.day)
    except CalendarError:
        first = market.time_manager.first_day
    return len(context.memo(Market.sessions_from, market, first))


def _step_of(name: str) -> Step:
    """Return the step of a name, by its longest registered prefix if the name itself is not registered."""
    if name in STEPS:
        return STEPS.get(name)()
    end = len(name)
    while (end := name.rfind("_", 0, end)) >= 0:
        if (prefix := name[: end + 1]) in STEPS:
            return STEPS.get(prefix)(name[end + 1 :])
    return _UnknownStep(name)


@dataclass(frozen=True, slots=True)
class _UnknownStep:
    """Step of an unknown name, which fails when it is carried out."""

    name: str

    def carry_out(self, work: StepWork) -> None:  # noqa: ARG002 -- the signature of a step
        raise UnknownNameError(STEPS.kind, self.name, STEPS.names())

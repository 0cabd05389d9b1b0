"""Phase 1, analyse: what does an addition take, and why? Nothing is changed by asking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from openbell.provisioning.history import run_starts, starts_after
from openbell.provisioning.operations import OPERATIONS
from openbell.provisioning.requirements import Addition, IntervalNeed, ProvisioningRequirements
from openbell.provisioning.sources import SOURCES
from openbell.provisioning.validation import validate
from openbell.session.series import all_bars

if TYPE_CHECKING:
    from openbell.provisioning.context import ProvisioningContext
    from openbell.session import SessionData, SymbolSessionData

__all__ = [
    "analyze_addition",
    "analyze_requirements",
    "is_there",
    "prove",
    "requirements_of",
]


class HasContext(Protocol):
    """What `analyze_requirements` needs of the coordinator."""

    def context_of(self, session_data: SessionData) -> ProvisioningContext:
        """The context as seen from ``session_data``."""


NOTHING_TO_DO = "; everything is there already, nothing to do"


def analyze_requirements(
    operation_type: str,
    symbol: str,
    source: str,
    session_data: SessionData,
    session_coordinator: HasContext,
    **kwargs: Any,
) -> ProvisioningRequirements:
    """Unified requirement analysis: what an addition takes, whether it can be had, and the steps that bring it.

    Nothing is changed by the call: it is the dry run of the addition.

    Args:
        operation_type: "symbol", "bar", "indicator", or one registered in `OPERATIONS`.
        symbol: The symbol to add to.
        source: Who asks: "config", "scanner", "strategy", or one registered in `SOURCES`.
        session_data: The session to add to.
        session_coordinator: Its coordinator.
        kwargs: The operation's details: ``indicator_config``; ``interval`` and ``days``. ``system_manager`` may be
            given and is not needed.

    Raises:
        UnknownNameError: An operation, source or indicator that is not registered.
        ConfigError: A detail that cannot be: a bad interval, a bad parameter.
    """
    details = {name: value for name, value in kwargs.items() if name != "system_manager"}
    addition = Addition(operation_type, symbol, source, details=details)
    return analyze_addition(addition, session_coordinator.context_of(session_data))


def analyze_addition(addition: Addition, context: ProvisioningContext) -> ProvisioningRequirements:
    """`analyze_requirements` for an `Addition`."""
    req = requirements_of(addition, context)
    prove(req, context)
    return req


def requirements_of(addition: Addition, context: ProvisioningContext) -> ProvisioningRequirements:
    """What an addition takes, and why; whether it can be had is not looked at yet."""
    operation = OPERATIONS.get(addition.operation_type)
    source = SOURCES.get(addition.source)
    req = ProvisioningRequirements(
        operation_type=addition.operation_type,
        source=addition.source,
        owner=addition.owner or addition.source,
        symbol=addition.symbol,
        symbol_exists=context.session_data.get_symbol_data(addition.symbol) is not None,
        added_by=source.name,
    )
    operation(req, context, **addition.details)
    req.finish_intervals()
    return req


def prove(req: ProvisioningRequirements, context: ProvisioningContext) -> None:
    """Validate what is required, and determine the steps that bring it; what is there already takes neither."""
    if is_there(req, context):
        return
    validate(req, context)
    if not req.can_proceed:
        return
    req.historical_days = _calendar_days(req, context)
    _determine_provisioning_steps(req, context)


def is_there(req: ProvisioningRequirements, context: ProvisioningContext) -> bool:
    """Whether the session has all that is required, which is then noted on ``req``."""
    existing = context.session_data.get_symbol_data(req.symbol)
    if existing is None or not _has_everything(existing, req):
        return False
    req.can_proceed = req.symbol_validated = True
    req.reason += NOTHING_TO_DO
    return True


def _has_everything(existing: SymbolSessionData, req: ProvisioningRequirements) -> bool:
    """Whether a look at the symbol is enough to know that nothing is missing.

    A registered indicator has had its warm-up. How far back sessions of history reach takes a look at the calendar, and
    an operation with steps of its own decides for itself.
    """
    if req.provisioning_steps or (
        req.meets_session_config_requirements and not existing.meets_session_config_requirements
    ):
        return False
    return (
        all(name in existing.bars for name in req.intervals)
        and all(need.key in existing.indicators for need in req.indicators)
        and (req.meets_session_config_requirements or not any(_reaches_back(n, req) for n in req.intervals.values()))
    )


def _reaches_back(need: IntervalNeed, req: ProvisioningRequirements) -> bool:
    """Whether history is asked for that is not the warm-up of its indicators."""
    own = [indicator for indicator in req.indicators if indicator.interval == need.interval]
    return (
        need.trailing_sessions > 0
        or need.bars > max((i.settled_after for i in own), default=0)
        or need.lookback_sessions > max((i.lookback_sessions for i in own), default=0)
    )


def _calendar_days(req: ProvisioningRequirements, context: ProvisioningContext) -> int:
    """Sessions of history that the deepest need reaches back over, were no bar missing."""
    first = min((context.calendar_start(need) for need in req.intervals.values()), default=context.day)
    return context.sessions_since(first)


def _determine_provisioning_steps(req: ProvisioningRequirements, context: ProvisioningContext) -> None:
    """The steps from what the session holds to what is required; none when it holds everything."""
    existing = context.session_data.get_symbol_data(req.symbol)
    own_steps, steps = list(req.provisioning_steps), []
    full = req.meets_session_config_requirements
    upgrade = existing is not None and full and not existing.meets_session_config_requirements
    if existing is None:
        steps.append("create_symbol")
    elif upgrade:
        steps.append("upgrade_symbol")
    held = existing.bars if existing else {}
    new = [name for name in req.required_intervals if name not in held]
    deeper = [
        name
        for name, start_ns in run_starts(req).items()
        if name in held and starts_after(all_bars(held[name]), start_ns, req.proofs[name])
    ]
    steps += [f"add_interval_{name}" for name in new]
    if (new and req.needs_historical) or deeper:
        steps.append("load_historical")
    if new or deeper:
        steps.append("load_session")
    known = existing.indicators if existing else {}
    if any(need.key not in known for need in req.indicators):
        steps.append("register_indicator")
    full_already = existing is not None and existing.meets_session_config_requirements
    if (full or full_already) and (upgrade or new or deeper):
        steps.append("calculate_quality")
    req.provisioning_steps = steps + own_steps
    if not req.provisioning_steps:
        req.reason += NOTHING_TO_DO

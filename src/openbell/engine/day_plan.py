"""Plans of days, with the requirements of scanners and strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.engine.component_runner import ComponentRunner
from openbell.engine.declared_requirements import additions_of, requirements_of
from openbell.provisioning.symbol_plan import plan_symbol
from openbell.results.plan_result import DayPlan, RequirementPlan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from openbell.components.configured import ConfiguredClasses
    from openbell.engine.coordinator import SessionCoordinator
    from openbell.provisioning import Plan, Provisioner
    from openbell.provisioning.symbol_plan import SymbolPlan
    from openbell.timing import TimeManager

__all__ = ["plan_day"]


def plan_day(coordinator: SessionCoordinator, classes: ConfiguredClasses, day: date) -> DayPlan:
    """Return the needs of the config's symbols, and of the scanners and strategies that declare them.

    No session is run. If scanners or strategies declare requirements, the session is still provisioned, so that its
    history is that of a run.

    Args:
        coordinator: Begins the session.
        classes: The scanners and strategies that declare requirements.
        day: The session.
    """
    coordinator.begin_day(day)
    provisioner = coordinator.provisioner
    context, session_data = provisioner.context, provisioner.context.session_data
    plans = coordinator.plan_config_symbols()
    if not classes.scanners and not classes.strategies:
        return DayPlan(day, {plan.symbol: plan_symbol(plan, context) for plan in plans})
    _provision(plans, provisioner)
    required = list(_required(classes, provisioner, coordinator.time_manager))

    def planned(plan: Plan) -> SymbolPlan:
        return plan_symbol(plan, context, session_data.get_symbol_data(plan.symbol))

    return DayPlan(
        day,
        {plan.symbol: planned(plan) for plan in plans},
        tuple(RequirementPlan(plan.addition.owner, plan.symbol, needs, planned(plan)) for plan, needs in required),
    )


def _required(
    classes: ConfiguredClasses, provisioner: Provisioner, time_manager: TimeManager
) -> Iterator[tuple[Plan, tuple[str, ...]]]:
    """Plan and provision the requirements in the order of a run."""
    runner = ComponentRunner(classes, provisioner, time_manager, report=lambda _: None)
    components = {scanner.name: scanner.scanner for scanner in runner.scanners} | runner.strategies
    for name, component in components.items():
        declared = runner.call(name, "requirements", requirements_of, component)
        plans = runner.call(name, "requirements", provisioner.plan, additions_of(name, declared))
        for plan in plans:
            yield plan, tuple(dict.fromkeys(one.name for one in declared if one.symbol == plan.symbol))
        _provision(plans, provisioner)


def _provision(plans: Sequence[Plan], provisioner: Provisioner) -> None:
    # A refused addition is in the plan already: it is not logged as well.
    provisioner.execute([plan for plan in plans if not plan.proof.errors])

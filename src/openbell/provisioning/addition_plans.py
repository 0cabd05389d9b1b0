"""Plans of additions, validated together where their needs are the same."""

from __future__ import annotations

from itertools import compress
from operator import not_
from typing import TYPE_CHECKING

from openbell.logs import get_logger, logs_what_happens
from openbell.model.frozen import quick_row_maker
from openbell.provisioning.addition_sources import SOURCES
from openbell.provisioning.history_search import prefetch
from openbell.provisioning.steps import Plan, planned_steps
from openbell.provisioning.validation import Proof, validate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openbell.provisioning.context import ProvisioningContext
    from openbell.provisioning.needs import Addition, IntervalNeed, Needs

__all__ = ["planned"]

_plan_of = quick_row_maker(Plan)

_NO_PROOF = Proof()
_NOTHING_TO_DO = "; everything is there already, nothing to do"


def planned(asked: Sequence[tuple[Addition, Needs]], context: ProvisioningContext) -> list[Plan]:
    """Plan additions to distinct symbols, with one read of the store for all of them.

    Args:
        asked: The additions, each with its needs.
        context: The session.
    """
    there = [_is_there(addition.symbol, needs, context) for addition, needs in asked]
    missing = list(compress(asked, map(not_, there)))
    if len(missing) > 1:
        prefetch(((addition.symbol, needs) for addition, needs in missing), context)
    proofs = iter(_proofs(missing, context))
    plans = [
        _plan(addition, needs, None if is_there else next(proofs), context)
        for (addition, needs), is_there in zip(asked, there, strict=True)
    ]
    if logs_what_happens():
        for plan in plans:
            _log_phases(plan, context)
    return plans


def _is_there(symbol: str, needs: Needs, context: ProvisioningContext) -> bool:
    """Return whether the session alone shows that nothing is missing.

    An indicator that is there has had its warm-up. Other history cannot be judged without the calendar, and an
    operation's own steps always have to run.
    """
    existing = context.session_data.get_symbol_data(symbol)
    if existing is None or needs.steps or (needs.full_symbol and not existing.meets_session_config_requirements):
        return False
    if not needs.all_among(existing.bars, existing.indicators):
        return False
    return needs.full_symbol or not context.memo(_asks_history, needs)


def _asks_history(needs: Needs) -> bool:
    """Return whether needs ask for more history than the warm-up of their indicators."""
    return any(_exceeds_warm_up(need, needs) for need in needs.intervals.values())


def _exceeds_warm_up(need: IntervalNeed, needs: Needs) -> bool:
    own = [indicator for indicator in needs.indicators if indicator.interval == need.interval]
    return (
        need.trailing_sessions > 0
        or need.bars > max((i.settled_after for i in own), default=0)
        or need.lookback_sessions > max((i.lookback_sessions for i in own), default=0)
    )


def _log_phases(plan: Plan, context: ProvisioningContext) -> None:
    """Log what was analysed and validated."""
    tm, addition, needs = context.time_manager, plan.addition, plan.needs
    log = get_logger(
        session_time=tm.to_local(tm.now_ns).isoformat(),
        operation=addition.operation_type,
        symbol=addition.symbol,
        owner=addition.owner or addition.source,
    )
    bars = {name: need.bars for name, need in needs.intervals.items()}
    log.debug("analysed", bars_of_history=bars, indicators=[need.key for need in needs.indicators])
    if not plan.proof.errors:
        log.debug("validated", warnings=list(plan.proof.warnings), steps=[step.name for step in plan.steps])


def _plan(addition: Addition, needs: Needs, proof: Proof | None, context: ProvisioningContext) -> Plan:
    """Plan an addition, whose proof is None when everything is there already."""
    can_proceed = proof is None or not proof.errors
    steps = () if proof is None or proof.errors else planned_steps(addition.symbol, needs, proof, context)
    source = SOURCES.get(addition.source)
    exists = addition.symbol in context.session_data.current
    reason = (needs.reason or source.asks) + ("" if steps or not can_proceed else _NOTHING_TO_DO)
    return _plan_of(addition, needs, proof or _NO_PROOF, steps, exists, source.name, reason, context.day)


def _proofs(asked: Sequence[tuple[Addition, Needs]], context: ProvisioningContext) -> list[Proof]:
    """Validate additions, together where symbols with the same stored intervals have the same needs."""
    groups: dict[tuple[Needs, tuple[str, ...], tuple[str, ...]], list[int]] = {}
    for place, (addition, needs) in enumerate(asked):
        stored, bases = context.stored_intervals(addition.symbol), context.base_intervals(addition.symbol)
        groups.setdefault((needs, stored, bases), []).append(place)
    proofs: dict[int, Proof] = {}
    for (needs, _, _), places in groups.items():
        proofs.update(zip(places, validate([asked[place][0] for place in places], needs, context), strict=True))
    return [proofs[place] for place in range(len(asked))]

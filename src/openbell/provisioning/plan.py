"""What a run would need, day by day and symbol by symbol, and why: the answer of ``openbell plan``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openbell.market_data.request import gap_policy_of
from openbell.provisioning.history import run_starts

if TYPE_CHECKING:
    from openbell.actions import Action
    from openbell.provisioning import ProvisioningContext, ProvisioningRequirements
    from openbell.provisioning.requirements import HistoryProof

__all__ = ["describe_requirement"]


def describe_requirement(req: ProvisioningRequirements, context: ProvisioningContext) -> dict[str, Any]:
    """One symbol of the plan, as plain values."""
    policies = context.config.session_data_config.gap_policy
    return {
        "can_proceed": req.can_proceed,
        "errors": list(req.validation_errors),
        "warnings": list(req.warnings),
        "required_intervals": list(req.required_intervals),
        "base_interval": req.base_interval,
        "historical": {
            name: {
                "base": str(proof.need.base),
                "asked_bars": proof.need.bars,
                "asked_sessions": proof.need.trailing_sessions,
                "bars": proof.bars,
                "sessions": proof.sessions,
                "first_date": proof.first_session.isoformat() if proof.bars else None,
                "gap_policy": gap_policy_of(policies, req.symbol, name) if proof.need.interval.is_intraday else "none",
                "synthetic": _synthetic_bars(proof, context),
            }
            for name, proof in req.proofs.items()
        },
        "adjustment": context.data_manager.adjustment,
        "actions": [action.to_dict() for action in _actions(req, context)],
        "indicators": [need.key for need in req.indicators],
        "steps": list(req.provisioning_steps) if req.can_proceed else [],
        "why": [{"need": edge.need, "because": edge.because} for edge in req.why],
        "rows": _rows_to_read(req, context) if req.can_proceed else 0,
    }


def _synthetic_bars(proof: HistoryProof, context: ProvisioningContext) -> int:
    """How many bars of the history, from where it is needed, stand in for missing ones."""
    history = (proof.run.timestamp >= proof.start_ns) & (proof.run.end <= context.start_ns)
    return int((proof.run.count[history] == 0).sum())


def _actions(req: ProvisioningRequirements, context: ProvisioningContext) -> tuple[Action, ...]:
    """What the bars of the deepest interval are adjusted for, and the renames since."""
    if not req.can_proceed:
        return ()
    first = min((proof.first_session for proof in req.proofs.values()), default=context.day)
    return context.data_manager.actions(req.symbol, first)


def _rows_to_read(req: ProvisioningRequirements, context: ProvisioningContext) -> int:
    """Stored rows of all bases from where the deepest interval built from them starts, today's included."""
    firsts: dict[str, int] = {}
    for name, start_ns in run_starts(req).items():
        base = str(req.intervals[name].base)
        firsts[base] = min(firsts.get(base, start_ns), start_ns)
    rows = 0
    for base, start_ns in firsts.items():
        first = context.time_manager.day_of(start_ns)
        bars = context.data_manager.load_historical_bars(req.symbol, base, first, context.day, base=base)
        rows += int((bars.count[int(bars.timestamp.searchsorted(start_ns)) :] > 0).sum())
    return rows

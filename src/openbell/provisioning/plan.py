"""Needs of one symbol on one day, with their reasons, as ``openbell plan`` shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbell.market_data.request import gap_policy_of
from openbell.provisioning.history import run_starts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from openbell.actions import Action
    from openbell.provisioning import ProvisioningContext, ProvisioningRequirements
    from openbell.provisioning.requirements import HistoryProof, Need

__all__ = ["HistoryPlan", "SymbolPlan", "plan_symbol"]


@dataclass(frozen=True, slots=True)
class HistoryPlan:
    """The history of one interval: asked for and available.

    Attributes:
        base: The stored interval that is read.
        asked_bars: Bars of history that warm-up asks for.
        asked_sessions: Sessions of history that the config asks for.
        bars: Bars of history that there are.
        sessions: Sessions of history that have bars.
        first_date: The session of the first bar; None without bars.
        gap_policy: The gap policy of the interval.
        synthetic: Bars among ``bars`` that fill gaps.
    """

    base: str
    asked_bars: int
    asked_sessions: int
    bars: int
    sessions: int
    first_date: date | None
    gap_policy: str
    synthetic: int


@dataclass(frozen=True, slots=True)
class SymbolPlan:
    """The needs of one symbol, and whether they can be met.

    Attributes:
        can_proceed: Whether every rule passed.
        errors: The reasons against it.
        warnings: Shortfalls that do not stop it.
        required_intervals: The intervals that it takes, finest first.
        base_interval: The finest stored interval among their bases.
        historical: The history by interval.
        adjustment: What prices of earlier days are adjusted for: "raw", "split" or "total".
        actions: The corporate actions in its bars, by ex-date.
        indicators: The keys of its indicators.
        steps: The steps that would provision it; none when it cannot proceed.
        why: Every need with its reason.
        rows: Stored rows to read.
    """

    can_proceed: bool
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    required_intervals: tuple[str, ...]
    base_interval: str | None
    historical: Mapping[str, HistoryPlan]
    adjustment: str
    actions: tuple[Action, ...]
    indicators: tuple[str, ...]
    steps: tuple[str, ...]
    why: tuple[Need, ...]
    rows: int


def plan_symbol(req: ProvisioningRequirements, context: ProvisioningContext) -> SymbolPlan:
    """Return the plan of a requirement that was validated."""
    return SymbolPlan(
        can_proceed=req.can_proceed,
        errors=tuple(req.validation_errors),
        warnings=tuple(req.warnings),
        required_intervals=tuple(req.required_intervals),
        base_interval=req.base_interval,
        historical={name: _plan_history(req.symbol, proof, context) for name, proof in req.proofs.items()},
        adjustment=context.data_manager.adjustment,
        actions=_actions(req, context),
        indicators=tuple(need.key for need in req.indicators),
        steps=tuple(req.provisioning_steps) if req.can_proceed else (),
        why=tuple(req.why),
        rows=_rows_to_read(req, context) if req.can_proceed else 0,
    )


def _plan_history(symbol: str, proof: HistoryProof, context: ProvisioningContext) -> HistoryPlan:
    policies, interval = context.config.session_data_config.gap_policy, proof.need.interval
    return HistoryPlan(
        base=str(proof.need.base),
        asked_bars=proof.need.bars,
        asked_sessions=proof.need.trailing_sessions,
        bars=proof.bars,
        sessions=proof.sessions,
        first_date=proof.first_session if proof.bars else None,
        gap_policy=gap_policy_of(policies, symbol, str(interval)) if interval.is_intraday else "none",
        synthetic=_synthetic_bars(proof, context),
    )


def _synthetic_bars(proof: HistoryProof, context: ProvisioningContext) -> int:
    """Count the bars of the history that fill gaps, from where it is needed."""
    history = (proof.run.timestamp >= proof.start_ns) & (proof.run.end <= context.start_ns)
    return int((proof.run.count[history] == 0).sum())


def _actions(req: ProvisioningRequirements, context: ProvisioningContext) -> tuple[Action, ...]:
    """Return the actions that the bars of the deepest interval are adjusted for, and the renames since."""
    if not req.can_proceed:
        return ()
    first = min((proof.first_session for proof in req.proofs.values()), default=context.day)
    return context.data_manager.actions(req.symbol, first)


def _rows_to_read(req: ProvisioningRequirements, context: ProvisioningContext) -> int:
    """Count the stored rows of all bases from the start of the deepest interval, today's included."""
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

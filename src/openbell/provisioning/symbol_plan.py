"""Needs of one symbol on one day, with their reasons, as ``openbell plan`` shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from openbell.market_data.bar_requests import gap_policy_of
from openbell.provisioning.bars_to_load import bars_to_load
from openbell.provisioning.history_search import series_starts
from openbell.session.series import all_bars

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from openbell.actions import Action
    from openbell.model.bars import Bars
    from openbell.provisioning.context import Market, ProvisioningContext
    from openbell.provisioning.needs import Reason
    from openbell.provisioning.steps import Plan
    from openbell.session import SymbolSessionData

__all__ = ["HistoryPlan", "SymbolPlan", "plan_symbol"]


@dataclass(frozen=True, slots=True)
class HistoryPlan:
    """The history of one interval as asked for and as available.

    Attributes:
        base: The stored interval that is read.
        asked_bars: Bars of history that warm-up asks for.
        asked_sessions: Sessions of history that the config asks for.
        bars: Bars of history that the session will have, without synthetic ones. Series of one base start together, so
            these may be more than were asked for.
        sessions: Sessions that they lie in.
        first_date: The session of the first bar; None without bars.
        gap_policy: The gap policy of the interval.
        synthetic: Synthetic bars, which are not among ``bars``.
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
        errors: The errors of the rules that failed.
        warnings: Shortfalls that do not prevent it.
        required_intervals: The intervals that it takes, finest first.
        base_interval: The finest stored interval among their bases.
        historical: The history by interval.
        adjustment: What prices of earlier days are adjusted for: "raw", "split" or "total".
        actions: The corporate actions in its bars, by ex-date.
        indicators: The keys of its indicators.
        steps: The names of the steps that would provision it; empty when it cannot proceed.
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
    why: tuple[Reason, ...]
    rows: int


def plan_symbol(plan: Plan, context: ProvisioningContext, held: SymbolSessionData | None = None) -> SymbolPlan:
    """Return the plan of an addition that was validated.

    Args:
        plan: The addition.
        context: Where bars are looked for.
        held: The symbol in a session that was provisioned for the plan, whose series may reach back further.
    """
    needs, proof = plan.needs, plan.proof
    loaded = dict(proof.bars)
    if not proof.errors:
        loaded |= {name: bars for name, (bars, _) in bars_to_load(plan.symbol, proof, context).items()}
        loaded |= {name: all_bars(series) for name, series in held.bars.items()} if held is not None else {}
    return SymbolPlan(
        can_proceed=not proof.errors,
        errors=proof.errors,
        warnings=proof.warnings,
        required_intervals=tuple(needs.intervals),
        base_interval=needs.base_interval,
        historical={name: _plan_history(name, plan, loaded[name], context) for name in proof.histories},
        adjustment=context.data_manager.adjustment,
        actions=() if proof.errors else _actions(plan, context),
        indicators=tuple(need.key for need in needs.indicators),
        steps=tuple(step.name for step in plan.steps),
        why=needs.reasons,
        rows=0 if proof.errors else _rows_to_read(plan, loaded, context),
    )


def _plan_history(name: str, plan: Plan, loaded: Bars, context: ProvisioningContext) -> HistoryPlan:
    history, policies = plan.proof.histories[name], context.config.session_data_config.gap_policy
    need, market = history.need, context.market(plan.symbol)
    past = loaded.window(0, market.today_row(loaded.times))
    if plan.proof.errors:  # nothing is loaded for a refused addition
        past = past[int(past.timestamp.searchsorted(history.start_ns)) :]
    real = past.take(past.count > 0)
    days = {market.time_manager.day_of(int(start)) for start in _first_of_each_session(real, market)}
    return HistoryPlan(
        base=str(need.base),
        asked_bars=need.bars,
        asked_sessions=need.trailing_sessions,
        bars=len(real),
        sessions=len(days),
        first_date=min(days, default=None),
        gap_policy=gap_policy_of(policies, plan.symbol, name) if need.interval.is_intraday else "none",
        synthetic=len(past) - len(real),
    )


def _first_of_each_session(bars: Bars, market: Market) -> NDArray[np.int64]:
    """Return the start of the first bar in each session that has one."""
    if not len(bars):
        return bars.timestamp
    starts = market.sessions_from(market.time_manager.day_of(int(bars.timestamp[0]))).start_ns
    rows = np.unique(bars.timestamp.searchsorted(starts))
    return bars.timestamp[rows[rows < len(bars)]]


def _actions(plan: Plan, context: ProvisioningContext) -> tuple[Action, ...]:
    """Return the actions that the bars of the deepest interval are adjusted for, and the renames since."""
    first = min((history.first_session for history in plan.proof.histories.values()), default=context.day)
    return context.data_manager.actions(plan.symbol, first)


def _rows_to_read(plan: Plan, loaded: Mapping[str, Bars], context: ProvisioningContext) -> int:
    """Count the stored rows of all bases from the start of the deepest interval, today's included."""
    firsts: dict[str, int] = {}
    for name, start_ns in series_starts(plan.proof.histories).items():
        base = str(plan.needs.intervals[name].base)
        begins_ns = int(loaded[name].timestamp[0]) if len(loaded[name]) else start_ns
        firsts[base] = min(firsts.get(base, start_ns), start_ns, begins_ns)
    market, rows = context.market(plan.symbol), 0
    for base, start_ns in firsts.items():
        first = market.time_manager.day_of(start_ns)
        bars = context.data_manager.load_historical_bars(plan.symbol, base, first, market.day, base=base)
        rows += int((bars.count[int(bars.timestamp.searchsorted(start_ns)) :] > 0).sum())
    return rows

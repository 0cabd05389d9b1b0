"""Orders that follow from signals, by the map of the config."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbell.config.execution import TargetConfig
from openbell.errors import OrderError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openbell.config.execution import SignalTarget
    from openbell.execution.orders.strategy_orders import StrategyOrders

__all__ = ["SignalTerms", "SignalTrader"]


@dataclass(frozen=True, slots=True)
class SignalTerms:
    """Numbers of a signal, None where the config decides.

    Attributes:
        quantity: The target in units, negative for short.
        percent: The target as a percentage of equity.
        stop: The price of a stop order behind the position.
        target: The limit price at which the position is closed.
        limit: The limit price of the entry.
    """

    quantity: float | None = None
    percent: float | None = None
    stop: float | None = None
    target: float | None = None
    limit: float | None = None


class SignalTrader:
    """Turns signals into orders.

    Args:
        targets: What each action means, as ``execution.signals`` says.

    Attributes:
        warnings: Actions that have no entry, of the whole run.
    """

    def __init__(self, targets: Mapping[str, SignalTarget]) -> None:
        self._targets = targets
        self.warnings: dict[str, str] = {}
        self._seen: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._targets)

    def unused(self) -> list[str]:
        """Return a warning about entries that no signal used, if there were signals and all had entries."""
        idle = [action for action, meaning in self._targets.items() if action not in self._seen and meaning != "ignore"]
        if not idle or not self._seen or self.warnings:
            return []
        return [f"no signal of this run was {' or '.join(idle)}, of which execution.signals has entries."]

    def follow(self, orders: StrategyOrders, symbol: str, action: str, reason: str, terms: SignalTerms) -> None:
        """Place the orders that follow from a signal of a strategy."""
        self._seen.add(action)
        meaning = self._targets.get(action)
        if meaning is None:
            if action not in self.warnings:
                near = did_you_mean(action, self._targets)
                self.warnings[action] = (
                    f"signals of {action!r} are not traded: execution.signals has no entry for them.{near} "
                    f"Add {action}: {{percent: 10}}, {action}: close or {action}: ignore."
                )
            return
        if meaning == "ignore":
            return
        _require_side(action, meaning, terms)
        why = f"{action}: {reason}" if reason else action
        if meaning == "close":
            orders.close(symbol, reason=why)
        else:
            _to_target(orders, symbol, why, _measure(meaning, terms), terms)


def _require_side(action: str, meaning: SignalTarget, terms: SignalTerms) -> None:
    """Raise OrderError for a number of a signal that is of another side than its action.

    ``Signal(symbol, "SELL", quantity=10)`` with ``SELL: close`` is meant to sell 10, and would buy them.
    """
    given = {"quantity": terms.quantity, "percent": terms.percent}
    name, number = next(((n, v) for n, v in given.items() if v is not None), ("", 0.0))
    said = 0.0
    if isinstance(meaning, TargetConfig):
        ((measure, said),) = ((n, v) for n, v in meaning.model_dump().items() if v is not None)
    if not number or number * said > 0:
        return
    entry = f"{{{measure}: {said:.10g}}}" if isinstance(meaning, TargetConfig) else meaning
    is_what = "no flat position" if not said else "long" if number > 0 else "short"
    raise OrderError(
        f"{action} is {entry} in execution.signals, and {name}={number:.10g} is {is_what}: numbers of a signal say the "
        f"position to have, not the units to trade. Leave {name}= out, or give the signal an action of that side."
    )


def _measure(meaning: SignalTarget, terms: SignalTerms) -> dict[str, float]:
    """Return the target by its measure, which a number of the signal overrides."""
    if terms.quantity is not None:
        return {"quantity": terms.quantity}
    if terms.percent is not None:
        return {"percent": terms.percent}
    given = meaning.model_dump() if isinstance(meaning, TargetConfig) else {}
    return {name: value for name, value in given.items() if value is not None}


def _to_target(
    orders: StrategyOrders, symbol: str, reason: str, measure: Mapping[str, float], terms: SignalTerms
) -> None:
    before = [order for order in orders.portfolio.open_orders(symbol) if order.strategy == orders.strategy]
    placed = orders.order_target(
        symbol,
        quantity=measure.get("quantity"),
        percent=measure.get("percent"),
        value=measure.get("value"),
        limit=terms.limit,
        reason=reason,
    )
    if placed is None:
        return
    for order in before:  # stops and targets of the position before, which stay if the new order is rejected
        orders.supersede(order, placed)
    held = orders.portfolio.position(symbol).quantity
    orders.protect(placed, held + placed.quantity, stop=terms.stop, target=terms.target)

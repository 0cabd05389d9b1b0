"""Limits that every order is checked against before it is sent, in backtests and live alike."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbell.model.order import OrderType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.config.execution import RiskConfig
    from openbell.model.order import Order

__all__ = ["OrderRate", "Repeats", "RiskState", "collar_refusal", "daily_loss_floor", "risk_refusal"]

_SECOND_NS = 1_000_000_000
_MINUTE_NS = 60 * _SECOND_NS
_NEAR = 1e-9


@dataclass(frozen=True, slots=True)
class RiskState:
    """State of the account when an order is checked.

    Attributes:
        equity: Equity now.
        start_equity: Equity when the session began.
        gross: The value of all positions, longs and shorts added up.
        held: Units of the order's symbol that are held, signed.
        ordered: Units of its other open orders on the order's side, signed.
        growth: What open orders of other symbols would add to ``gross``.
        price: The last price of the symbol.
        multiplier: Money that one point of the price is worth, per unit.
        halted: Whether the largest daily loss was reached in this session.
        price_age_ns: How long ago the symbol's last bar of this session closed, in nanoseconds; None when none has.
    """

    equity: float
    start_equity: float
    gross: float
    held: float
    price: float
    multiplier: float = 1.0
    halted: bool = False
    price_age_ns: int | None = None
    ordered: float = 0.0
    growth: float = 0.0


def daily_loss_floor(config: RiskConfig, start_equity: float) -> float | None:
    """Return the equity at or below which the largest daily loss is reached, or None."""
    if config.max_daily_loss_percent is None:
        return None
    return start_equity * (1 - config.max_daily_loss_percent / 100)


def risk_refusal(config: RiskConfig, order: Order, state: RiskState) -> str | None:
    """Return the first limit that an order would break, with both numbers, or None.

    An order that makes its position smaller is bound by the price collar only. The number of orders per minute is
    checked by `OrderRate`.
    """
    return next(_refusals(config, order, state), None)


def _refusals(config: RiskConfig, order: Order, state: RiskState) -> Iterator[str]:
    if (refusal := collar_refusal(config, order, state.price)) is not None:
        yield refusal
    alone = state.held + order.remaining
    after, held = alone + state.ordered, abs(state.held) + _NEAR
    is_smaller = abs(alone) <= held and alone * state.held >= 0
    if is_smaller and abs(after) <= held:
        return
    if state.halted and not is_smaller:
        loss = state.start_equity - state.equity
        yield (
            f"the largest daily loss is reached: {loss:,.2f} of {state.start_equity:,.2f}, and "
            f"risk.max_daily_loss_percent is {config.max_daily_loss_percent:g}. No new orders in this session"
        )
    if not is_smaller:
        yield from _old_price(config, state)
    unit = _valued_at(order, state) * state.multiplier
    value, equity = abs(after) * unit, max(state.equity, 0.0)
    most = config.max_position_percent
    if most is not None and value > equity * most / 100 + _NEAR * value:
        yield (
            f"the position would be worth {value:,.2f}{_with_ordered(state)}, {_share(value, equity)} of equity, and "
            f"risk.max_position_percent is {most:g}"
        )
    bound = config.max_gross_leverage
    gross = state.gross + state.growth - abs(state.held) * abs(state.price) * state.multiplier + value
    if bound is not None and gross > equity * bound + _NEAR * gross:
        multiple = f"{gross / equity:.2f} times equity" if equity else "more than all equity"
        what = "positions with open orders" if state.ordered or state.growth else "positions"
        yield f"all {what} would be worth {gross:,.2f}, {multiple}, and risk.max_gross_leverage is {bound:g}"


def collar_refusal(config: RiskConfig, order: Order, last_price: float) -> str | None:
    """Return why the prices of an order lie too far from the last one, with both numbers, or None."""
    collar = config.price_collar_percent
    if collar is None or last_price <= 0:
        return None
    for name, price in (("limit", order.limit), ("stop", order.stop)):
        if price is not None and abs(price / last_price - 1) * 100 > collar + _NEAR:
            return (
                f"its {name} of {price:.10g} is {abs(price / last_price - 1):.1%} from the last price of "
                f"{last_price:.10g}, and risk.price_collar_percent is {collar:g}"
            )
    return None


def _with_ordered(state: RiskState) -> str:
    return f" with {abs(state.ordered):,.10g} units that are ordered" if state.ordered else ""


def _old_price(config: RiskConfig, state: RiskState) -> Iterator[str]:
    most, age_ns = config.max_price_age_seconds, state.price_age_ns
    if most is None or (age_ns is not None and age_ns <= most * _SECOND_NS):
        return
    age = (
        "none of its bars has closed in this session"
        if age_ns is None
        else f"its last bar closed {age_ns / 1e9:g} s ago"
    )
    yield f"{age}, and risk.max_price_age_seconds is {most:g}"


def _valued_at(order: Order, state: RiskState) -> float:
    """Return the price at which an order is valued, its limit or stop or else the last price."""
    if order.type in (OrderType.LIMIT, OrderType.STOP_LIMIT) and order.limit is not None:
        return abs(order.limit)
    if order.type is OrderType.STOP and order.stop is not None:
        return abs(order.stop)
    return abs(state.price)


def _share(value: float, equity: float) -> str:
    return f"{value / equity:.1%}" if equity else "more than all"


class OrderRate:
    """Counts orders of the last minute of the session clock.

    Args:
        most: The most orders in 60 seconds; None for no bound.
    """

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._times: deque[int] = deque()

    def refusal(self, now_ns: int) -> str | None:
        """Count an order, or return why it is one too many, with both numbers.

        A refused order is not counted.
        """
        if self._most is None:
            return None
        while self._times and self._times[0] <= now_ns - _MINUTE_NS:
            self._times.popleft()
        if len(self._times) >= self._most:
            nth = len(self._times) + 1
            return f"it would be order {nth} in 60 seconds, and risk.max_orders_per_minute is {self._most}"
        self._times.append(now_ns)
        return None


class Repeats:
    """Remembers the last orders, so that one which is given twice is sent once.

    Args:
        seconds: Time for which an equal order is refused; None for never.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._last: dict[tuple[object, ...], tuple[int, str]] = {}

    def refusal(self, order: Order, now_ns: int) -> str | None:
        """Remember an order, or return which earlier one it repeats."""
        if self._seconds is None:
            return None
        terms = order.type, order.limit, order.stop, order.trail, order.trail_percent
        key = order.strategy, order.symbol, order.quantity, *terms
        before = self._last.get(key)
        if before is not None and now_ns - before[0] < self._seconds * _SECOND_NS:
            seconds = (now_ns - before[0]) / 1e9
            return f"it repeats {before[1]} of {seconds:g} s before, and risk.duplicate_seconds is {self._seconds:g}"
        self._last[key] = now_ns, order.id
        return None

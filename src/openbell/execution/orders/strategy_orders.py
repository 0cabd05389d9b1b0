"""Orders as one strategy gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.errors import OrderError
from openbell.execution.account.portfolio import Portfolio
from openbell.execution.orders.order_checks import NO_PRICE
from openbell.execution.orders.order_terms import Terms, checked_number, checked_price, checked_quantity
from openbell.execution.orders.position_targets import is_too_small, units_of_value
from openbell.execution.orders.requests import Replace

if TYPE_CHECKING:
    from datetime import date

    from openbell.execution.desk import TradingDesk
    from openbell.model.order import Order

__all__ = ["StrategyOrders"]


class StrategyOrders:
    """Orders of one strategy in one session.

    Args:
        desk: The desk.
        strategy: The strategy's name.

    Attributes:
        strategy: The strategy's name.
        portfolio: The account's portfolio.
    """

    def __init__(self, desk: TradingDesk, strategy: str) -> None:
        self.portfolio = Portfolio(desk)
        self._desk = desk
        self.strategy = strategy
        self._session = desk.session

    def order(
        self,
        symbol: str,
        quantity: float,
        type: str | None,  # noqa: A002 -- the word that users write
        limit: float | None,
        stop: float | None,
        trail: float | None,
        trail_percent: float | None,
        tif: str,
        until: date | None,
        extended: bool,
        tag: str,
        reason: str,
    ) -> Order:
        """Place an order, as `StrategyContext.order` describes it."""
        self._desk.require_open(self._session)
        terms = Terms.of(type, limit, stop, trail, trail_percent, tif, until, extended, tag)
        return self._desk.place(self.strategy, _symbol(symbol), checked_quantity(quantity), terms, reason=reason)

    def bracket(
        self,
        symbol: str,
        quantity: float,
        *,
        stop: float | None,
        target: float | None,
        limit: float | None = None,
        tif: str = "day",
        tag: str = "",
        reason: str = "",
    ) -> tuple[Order, ...]:
        """Place an entry order with a stop and a target, where the fill of one cancels the other."""
        self._desk.require_open(self._session)
        units, symbol = checked_quantity(quantity), _symbol(symbol)
        stop, target = checked_price("stop", stop), checked_price("target", target)
        if not units:
            raise OrderError("a bracket of 0 units does nothing; a quantity is positive to buy and negative to sell")
        if stop is None and target is None:
            raise OrderError("a bracket has stop= or target=, or both; without them it is an order")
        if stop is not None and target is not None and (stop >= target if units > 0 else stop <= target):
            side, order = ("buys", "below") if units > 0 else ("sells short", "above")
            raise OrderError(
                f"a bracket that {side} has its stop {order} its target, not {stop:.10g} and {target:.10g}"
            )
        entry = Terms.of(limit=limit, tif=tif, tag=tag)
        first = self._desk.place(self.strategy, symbol, units, entry, reason=reason)
        return first, *self.protect(first, units, stop=stop, target=target)

    def protect(self, entry: Order, units: float, *, stop: float | None, target: float | None) -> list[Order]:
        """Place a stop and a target for the position that an order leads to.

        Args:
            entry: The order.
            units: The position when it has filled, signed.
            stop: The price of the stop order, or None.
            target: The limit price of the target, or None.
        """
        legs = {
            "stop": Terms.of(stop=stop, tif="gtc", tag=entry.tag),
            "target": Terms.of(limit=target, tif="gtc", tag=entry.tag),
        }
        return [
            self._desk.place(self.strategy, entry.symbol, -units, legs[why], reason=why, parent=entry.id, oco=entry.id)
            for why, price in (("stop", stop), ("target", target))
            if price is not None and units
        ]

    def order_target(
        self,
        symbol: str,
        *,
        quantity: float | None = None,
        value: float | None = None,
        percent: float | None = None,
        tag: str = "",
        limit: float | None = None,
        reason: str = "",
    ) -> Order | None:
        """Place the order from the position to a target, and cancel the last such order of the symbol.

        Returns:
            The order; None when the position is at its target, or too near to it.
        """
        desk, symbol = self._desk, _symbol(symbol)
        desk.require_open(self._session)
        given = {n: v for n, v in (("quantity", quantity), ("value", value), ("percent", percent)) if v is not None}
        if len(given) != 1:
            raise OrderError(f"order_target has one of quantity=, value= and percent=; it has {len(given)} of them")
        ((measure, amount),) = given.items()
        amount = checked_number(measure, amount)
        terms = Terms.of(limit=limit, tag=tag)
        if last := desk.targets.orders.pop(symbol, None):
            desk.cancel(last, "another target took its place")
        held = desk.account.quantity(symbol)
        if measure == "quantity":
            wanted = amount
        else:
            if measure == "percent":
                desk.targets.largest_percent = max(desk.targets.largest_percent, abs(amount))
                amount *= desk.equity * (1 - desk.config.cash_buffer_percent / 100) / 100
            found = units_of_value(desk, symbol, amount, held)
            if found is None:  # an order of 0 units, so that its rejection is an event like any other
                return desk.place(self.strategy, symbol, 0.0, terms, reason=NO_PRICE)
            wanted = found
        if wanted == held or (measure != "quantity" and is_too_small(desk, symbol, held, wanted)):
            return None
        order = desk.place(self.strategy, symbol, wanted - held, terms, reason=reason)
        desk.targets.orders[symbol] = order.id
        return order

    def close(self, symbol: str, *, tag: str = "", reason: str = "") -> Order | None:
        """Cancel the open orders of a symbol, then close the account's position."""
        desk, symbol = self._desk, _symbol(symbol)
        desk.require_open(self._session)
        for order in desk.open_orders.of_symbol(symbol):
            desk.cancel(order.id, "the position is closed")
        held = desk.account.quantity(symbol)
        if not held:
            desk.markets.require_known(symbol)
            return None
        return desk.place(self.strategy, symbol, -held, Terms.of(tag=tag), reason=reason)

    def close_all(self, *, tag: str = "", reason: str = "") -> tuple[Order, ...]:
        """Cancel all open orders, then close all positions of the account."""
        self.cancel_all()
        closed = [self.close(symbol, tag=tag, reason=reason) for symbol in list(self._desk.account.holdings)]
        return tuple(order for order in closed if order is not None)

    def cancel(self, order: Order | str) -> bool:
        """Request the cancellation of an order, and return whether it is open."""
        self._desk.require_open(self._session)
        return self._desk.cancel(_order_id(order), f"{self.strategy} cancelled it")

    def supersede(self, order: Order, by: Order) -> None:
        """Request the cancellation of an order, unless the one that replaces it is rejected."""
        self._desk.cancel(order.id, f"{by.id} took its place", unless_rejected=by.id)

    def cancel_all(self, symbol: str | None = None) -> int:
        """Request the cancellation of all open orders, of one symbol or of all, and return their number."""
        self._desk.require_open(self._session)
        orders = self.portfolio.open_orders(symbol)
        return sum(self._desk.cancel(order.id, f"{self.strategy} cancelled it") for order in orders)

    def replace(
        self,
        order: Order | str,
        *,
        quantity: float | None = None,
        limit: float | None = None,
        stop: float | None = None,
        trail: float | None = None,
        trail_percent: float | None = None,
    ) -> bool:
        """Request a change of an open order, as `StrategyContext.replace` describes it."""
        self._desk.require_open(self._session)
        key = _order_id(order)
        now = self._desk.open_orders.by_id.get(key)
        if now is None:
            return False
        given = {"limit": limit, "stop": stop, "trail": trail, "trail_percent": trail_percent}
        prices = {name: checked_price(name, price) for name, price in given.items()}
        for name, price in prices.items():
            if price is not None and getattr(now, name) is None:
                raise OrderError(f"{key} is a {now.type} order without {name}=; cancel it and give another one")
        units = None if quantity is None else checked_quantity(quantity)
        if units is not None and units * now.quantity < 0:
            side = "buys" if now.quantity > 0 else "sells"
            raise OrderError(
                f"{key} {side}; a quantity of {units:,.10g} would turn it round. Cancel it, and give another one"
            )
        return self._desk.replace(Replace(key, units, **prices))


def _symbol(symbol: object) -> str:
    if not isinstance(symbol, str) or not symbol:
        raise OrderError(f"a symbol is a text such as 'SPY', not {symbol!r}")
    return symbol


def _order_id(order: Order | str) -> str:
    key = order if isinstance(order, str) else getattr(order, "id", None)
    if not isinstance(key, str):
        raise OrderError(f"an order is what order() returned, or its id, not {order!r}")
    return key

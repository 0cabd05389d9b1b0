"""The orders of an account at Alpaca, and what they leave behind.

Whatever is written on the stream of trade updates is gathered in `said`, in the order in which it happened.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from live.alpaca_holdings import ZERO, Holdings
from live.alpaca_orders import (
    FORBIDDEN,
    INVALID,
    NOT_FOUND,
    UNPROCESSABLE,
    BrokerOrder,
    RefusedError,
    plain,
    text_of,
)
from live.alpaca_rules import check_increment, order_of


class OrderBook(Holdings):
    """The orders of an account.

    Attributes:
        orders: All orders by id.
        rejections: So many of the next orders are rejected after they were accepted.
        unborrowable: Symbols that cannot be borrowed, whatever their asset says.
        said: Trade updates that nobody has taken yet.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.orders: dict[str, BrokerOrder] = {}
        self.rejections = 0
        self.unborrowable: set[str] = set()
        self.said: list[dict[str, Any]] = []

    # Money

    @property
    def buying_power(self) -> Decimal:
        waiting = sum((self.cost(o) for o in self.orders.values() if o.is_live and self._is_entry(o)), ZERO)
        return max(ZERO, self.multiplier * self.equity - self.values(1) + self.values(-1) - waiting)

    def _is_entry(self, order: BrokerOrder) -> bool:
        return order.parent is None and self.quantity(order.symbol) * order.sign >= 0

    def cost(self, order: BrokerOrder) -> Decimal:
        last = self.last.get(order.symbol, ZERO)
        price = order.limit_price or order.stop_price or last
        return order.rest * (max(price, last * Decimal("1.03")) if order.side == "sell" else price)

    def available(self, symbol: str) -> Decimal:
        """The shares of a position that no order holds back."""
        quantity = self.quantity(symbol)
        held = sum((order.rest for order in self.held_back(symbol, -1 if quantity > 0 else 1)), ZERO)
        return quantity - held if quantity > 0 else quantity + held

    # Orders

    def live(self, symbol: str) -> list[BrokerOrder]:
        return [order for order in self.orders.values() if order.symbol == symbol and order.is_live]

    def is_taken(self, client_order_id: str) -> bool:
        return any(order.client_order_id == client_order_id for order in self.orders.values())

    def held_back(self, symbol: str, sign: int) -> list[BrokerOrder]:
        """The orders that hold shares of a position back."""
        return [order for order in self.live(symbol) if order.sign == sign and self.quantity(symbol) * sign < 0]

    def check_available(self, order: BrokerOrder) -> None:
        """See that an order closes no more than is there."""
        existing, others = abs(self.quantity(order.symbol)), self.held_back(order.symbol, order.sign)
        held = sum((other.rest for other in others if other is not order), ZERO)
        if order.rest > existing - held:
            left = plain(max(ZERO, existing - held))
            raise RefusedError(
                FORBIDDEN,
                f"insufficient qty available for order (requested: {plain(order.rest)}, available: {left})",
                available=left, existing_qty=plain(existing), held_for_orders=plain(held),
                related_orders=[other.id for other in others], symbol=order.symbol,
            )  # fmt: skip

    def find(self, **named: str) -> BrokerOrder:
        """The order that has something."""
        ((name, wanted),) = named.items()
        for order in self.orders.values():
            if getattr(order, name) == wanted:
                return order
        raise RefusedError(NOT_FOUND, f"order not found for {wanted}")

    def submit(self, body: dict[str, Any]) -> dict[str, Any]:
        """Take an order, and return what is answered."""
        order = order_of(self, body)
        for each in (order, *order.legs):
            self.orders[each.id] = each
        if not self.is_trading:
            order.status = "accepted"
        answer = order.json(nested=True)
        self._say(order.status, order)
        if self.rejections:
            self.rejections -= 1
            self.end(order, "rejected", "failed_at")
        elif self.is_trading:
            self.begin(order)
        return answer

    def begin(self, order: BrokerOrder) -> None:
        order.status = "new"
        self._say("new", order)

    def cancel(self, order: BrokerOrder) -> None:
        if not order.is_open:
            raise RefusedError(UNPROCESSABLE, f'order is already in "{order.status}" state')
        order.at["cancel_requested_at"] = self.now_ns
        self.end(order, "canceled", "canceled_at")

    def end(self, order: BrokerOrder, status: str, stamp: str) -> None:
        """End an order and all of its group."""
        for each in (order, *order.family):
            if each.is_open:
                each.status = status if each is order or status == "expired" else "canceled"
                each.at[stamp if each.status == status else "canceled_at"] = self.now_ns
                self._say(each.status, each)

    def replace(self, order: BrokerOrder, body: dict[str, Any]) -> dict[str, Any]:
        """Put a new order in the place of one, and return what is answered."""
        if order.status not in ("new", "accepted", "partially_filled", "held"):
            raise RefusedError(UNPROCESSABLE, f"cannot replace order in {order.status} status")
        own_id = body.get("client_order_id") or self.new_id()
        if self.is_taken(own_id):
            raise RefusedError(INVALID, "client_order_id must be unique")
        trail = "trail_price" if order.trail_price is not None else "trail_percent"
        fields = {"qty": "qty", "limit_price": "limit_price", "stop_price": "stop_price", "trail": trail}
        changes: dict[str, Any] = {fields[name]: Decimal(body[name]) for name in fields if body.get(name) is not None}
        if body.get("time_in_force"):
            changes["time_in_force"] = body["time_in_force"]
        if all(getattr(order, name) == value for name, value in changes.items()):
            raise RefusedError(UNPROCESSABLE, "order parameters are not changed")
        if "qty" in changes and order.order_class:
            raise RefusedError(UNPROCESSABLE, "qty cannot be changed for advanced orders")
        if changes.get("qty", order.qty) <= order.filled_qty:
            raise RefusedError(UNPROCESSABLE, "qty must be > filled_qty")
        for name in ("limit_price", "stop_price"):
            check_increment(name, changes.get(name))
        new = replace(
            order, id=self.new_id(), client_order_id=own_id, created_ns=self.now_ns, replaces=order.id, at={}, **changes
        )
        before, order.status = order.status, "replaced"
        try:
            self._check_new(new)
        except RefusedError:
            order.status = before
            raise
        self._take_place(order, new)
        return new.json(nested=True)

    def _check_new(self, new: BrokerOrder) -> None:
        if not new.order_class and self.quantity(new.symbol) * new.sign < 0:
            self.check_available(new)
        elif self._is_entry(new) and self.cost(new) > self.buying_power:
            raise RefusedError(FORBIDDEN, "insufficient buying power", buying_power=plain(self.buying_power))

    def _take_place(self, order: BrokerOrder, new: BrokerOrder) -> None:
        self.orders[new.id] = new
        order.replaced_by = new.id
        order.at["replaced_at"] = self.now_ns
        order.legs = []
        for leg in new.legs:
            leg.parent = new
        if new.parent is not None:
            new.parent.legs[new.parent.legs.index(order)] = new
        self._say("replaced", order)
        if new.status != "held":
            self._say("new", new)

    # What happens to them

    def fill(self, order: BrokerOrder, price: Decimal, qty: Decimal) -> None:
        """Fill so much of an order."""
        done = order.filled_qty + qty
        order.filled_avg_price = ((order.filled_avg_price or ZERO) * order.filled_qty + price * qty) / done
        order.filled_qty = done
        order.status = "partially_filled" if order.rest else "filled"
        order.at["filled_at"] = self.now_ns
        self.move(order.symbol, qty * order.sign, price)
        execution, kind = self.new_id(), "partial_fill" if order.rest else "fill"
        facts = {"price": plain(price), "qty": plain(qty)}
        self.note(
            "FILL", execution, transaction_time=text_of(self.now_ns), type=kind, **facts, side=order.side,
            symbol=order.symbol, leaves_qty=plain(order.rest), order_id=order.id, cum_qty=plain(done),
            order_status=order.status,
        )  # fmt: skip
        self._say(kind, order, execution, **facts, position_qty=plain(self.quantity(order.symbol)))
        self._after_fill(order)

    def _after_fill(self, order: BrokerOrder) -> None:
        exits = order.family if order.parent or order.order_class == "oco" else []
        for other in exits:
            if other.is_open and order.rest:
                other.qty = order.rest
            elif other.is_open:
                self.end(other, "canceled", "canceled_at")
        if not order.rest and not exits:
            for leg in order.legs[:1]:  # the limit works first, and the stop behind it
                self.begin(leg)

    def _say(self, event: str, order: BrokerOrder, execution: str = "", **more: Any) -> None:
        order.at["updated_at"] = self.now_ns
        known = {"event": event, "execution_id": execution or self.new_id(), "timestamp": text_of(self.now_ns)}
        self.said.append({**known, "event_id": self.new_id(), "order": order.json(), **more})

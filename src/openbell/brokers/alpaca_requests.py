"""Requests about orders at Alpaca, whose answers are reported as events."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from openbell.brokers.alpaca_account import executions_of
from openbell.brokers.alpaca_ids import MOST_CHARACTERS
from openbell.brokers.alpaca_orders import REPLACED, UnsupportedError, changes_of, request_of
from openbell.brokers.alpaca_rest import NotFoundError, NotUniqueError, RefusedError
from openbell.model.broker_events import BrokerMissing
from openbell.model.order import FOREIGN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openbell.brokers.alpaca_ids import AlpacaIds
    from openbell.brokers.alpaca_order_updates import OrderUpdates
    from openbell.brokers.alpaca_rest import AlpacaTrading
    from openbell.model.broker_events import BrokerEvent
    from openbell.model.json_object import JsonObject
    from openbell.model.order import Order

__all__ = ["OrderRequests"]


class OrderRequests:
    """Sends requests, waits for their answers and reports these.

    Each method may raise `RefusedError`, `UnsupportedError` or `NoAnswerError`; events that were reported before the
    error hold all the same.

    Args:
        rest: The trading API.
        ids: The ids of the run's orders.
        news: Reports orders and executions.
        put: Takes other events.
    """

    def __init__(
        self, rest: AlpacaTrading, ids: AlpacaIds, news: OrderUpdates, put: Callable[[BrokerEvent], None]
    ) -> None:
        self._rest = rest
        self._ids = ids
        self._updates = news
        self._put = put

    def submit(self, orders: Sequence[Order]) -> None:
        """Send an order, or an entry with its legs."""
        sent_as = self._ids.sent_as(orders[0].id)
        if len(sent_as) > MOST_CHARACTERS:
            text = f"its id at Alpaca would have {len(sent_as)} characters, and {MOST_CHARACTERS} are taken at most"
            raise UnsupportedError(f"{text}: shorten the strategy's name")
        self._ids.know(orders)
        try:
            row = self._rest.submit(request_of(orders, sent_as))
        except NotUniqueError:
            self.ask(orders, 0)  # an earlier attempt has reached Alpaca
            return
        self._ids.learn(row)
        self._updates.answer(row)

    def cancel(self, order: Order) -> None:
        """Request the cancellation of an order."""
        row, _ = self._require(order)
        try:
            self._rest.cancel(str(row["id"]))
        except RefusedError:
            # The order may just have filled, which is reported before the refusal.
            self.ask((order,), 0)
            raise
        self._updates.answer(self._rest.order(str(row["id"])))

    def replace(self, order: Order, version: int) -> None:
        """Request that an open order gets the units and prices of ``order``."""
        row, _ = self._require(order)
        sent_as = self._ids.sent_as(order.id, version)
        if row["client_order_id"] != sent_as and (changes := changes_of(order, row)):
            try:
                row = self._rest.replace(str(row["id"]), sent_as, changes)
            except NotUniqueError:
                row, _ = self._require(order)
            self._ids.learn_one(order.id, str(row["id"]))
        self._updates.answer(row)

    def ask(self, orders: Sequence[Order], version: int) -> None:
        """Request the state and executions of an order, or of an entry with its legs."""
        self._ids.know(orders)
        found = self._find(orders[0], version)
        if found is None:
            self._put(BrokerMissing(orders[0].id))
            return
        row, earlier = found
        rows = [row]
        if len(orders) > 1:
            row = self._rest.order(str(row["id"]))
            self._ids.learn(row)
            rows = [row, *(row.get("legs") or ())]
        self._updates.answer(row, executions_of(self._rest, rows, earlier, self._ids.own_of))

    def _require(self, order: Order) -> tuple[JsonObject, list[str]]:
        """Return an order as `_find` does.

        Raises:
            RefusedError: Alpaca has no such order.
        """
        found = self._find(order, 0)
        if found is None:
            raise RefusedError(f"Alpaca has no order {order.id}")
        return found

    def _find(self, order: Order, version: int) -> tuple[JsonObject, list[str]] | None:
        """Return an order as Alpaca has it, with earlier ids, or None.

        The earlier ids are Alpaca's ids of the orders that it has replaced.
        """
        row = self._first_found(order, version)
        earlier: list[str] = []
        while row is not None:
            self._ids.learn_one(order.id, str(row["id"]))
            if row["status"] != REPLACED or not row.get("replaced_by"):
                return row, earlier
            earlier.append(str(row["id"]))
            row = self._rest.order(str(row["replaced_by"]))
        return None

    def _first_found(self, order: Order, version: int) -> JsonObject | None:
        """Return an order as Alpaca has it, perhaps one that was replaced since, or None."""
        if (known := self._ids.at_broker(order.id)) is not None:
            with suppress(NotFoundError):
                return self._rest.order(known)
        if order.reason == FOREIGN:
            return self._rest.order(order.id)  # an order that is not the run's has Alpaca's id
        for each in range(version + 1):
            if (row := self._rest.order_of_client(self._ids.sent_as(order.id, each))) is not None:
                return row
        if order.parent is None:
            return None
        # A leg has an id from Alpaca, which the answer about its entry names.
        entry = self._rest.order_of_client(self._ids.sent_as(order.parent))
        if entry is None:
            return None
        self._ids.know((order,))
        self._ids.learn(self._rest.order(str(entry["id"])))
        known = self._ids.at_broker(order.id)
        return None if known is None else self._rest.order(known)

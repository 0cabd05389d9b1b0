"""Updates of orders at Alpaca, from the stream and from answers, reported in a consistent order."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from openbell.brokers.alpaca_orders import REPLACED, broker_order, fill_of_update
from openbell.model.broker_events import BrokerAnswer, BrokerRefusal
from openbell.model.order import OPEN_STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from openbell.brokers.alpaca_ids import AlpacaIds
    from openbell.model.broker_events import BrokerEvent, BrokerFill, BrokerOrder, RequestKind
    from openbell.model.json_object import JsonObject

__all__ = ["OrderUpdates"]

_FILLS = ("fill", "partial_fill")
_REFUSED: Mapping[str, RequestKind] = {"order_cancel_rejected": "cancel", "order_replace_rejected": "replace"}


class OrderUpdates:
    """Turns updates from the stream and from answers into events.

    May be used from any thread. An answer that arrives after a newer update from the stream does not undo it. An update
    of a leg waits until the answer about its entry has shown which leg it is.

    Args:
        ids: The ids of the run's orders.
        put: Takes events.
    """

    def __init__(self, ids: AlpacaIds, put: Callable[[BrokerEvent], None]) -> None:
        self._ids = ids
        self._put = put
        self._lock = threading.RLock()
        self._newest: dict[str, BrokerOrder] = {}
        self._unclear: list[JsonObject] = []

    def update(self, data: JsonObject) -> None:
        """Report an update from the stream, or hold it until its leg is learned."""
        with self._lock:
            if self._ids.is_unclear(data["order"]):
                self._unclear.append(data)
            else:
                self._pass_on(data)

    def answer(self, row: JsonObject, fills: Iterable[BrokerFill] = ()) -> None:
        """Report an order from an answer, with its legs, and executions."""
        with self._lock:
            legs = [leg for leg in row.get("legs") or () if self._ids.own(leg) is not None]
            orders = tuple(self._newest_state(each) for each in (row, *legs) if each["status"] != REPLACED)
            self._put(BrokerAnswer(orders, tuple(fills)))
            self.sort_out()

    def sort_out(self, *, all_of_them: bool = False) -> None:
        """Report held updates whose legs are learned by now, or all held updates."""
        with self._lock:
            waiting, self._unclear = self._unclear, []
            for data in waiting:
                if not all_of_them and self._ids.is_unclear(data["order"]):
                    self._unclear.append(data)
                else:
                    self._pass_on(data)

    def _pass_on(self, data: JsonObject) -> None:
        row, event = data["order"], str(data["event"])
        own = self._ids.own(row)
        if own is not None and row["status"] != REPLACED:
            self._ids.learn_one(own, str(row["id"]))
        fills = (fill_of_update(data, own),) if event in _FILLS else ()
        # An order that was replaced is reported by the order in its place.
        orders = () if row["status"] == REPLACED else (self._newest_state(row),)
        if orders or fills:
            self._put(BrokerAnswer(orders, fills))
        if own is not None and (request := _REFUSED.get(event)) is not None:
            self._put(BrokerRefusal(own, request, f"Alpaca: it could not {request} the order any more"))

    def _newest_state(self, row: JsonObject) -> BrokerOrder:
        """Return an order, in the newest state that was reported of it."""
        made = broker_order(row, self._ids.own(row))
        newest = self._newest.get(str(row["id"]))
        if newest is not None and newest.is_own == made.is_own and _rank(newest) > _rank(made):
            return newest
        self._newest[str(row["id"])] = made
        return made


def _rank(order: BrokerOrder) -> tuple[bool, float, int]:
    """Return a sort key by which the states of an order follow each other."""
    return order.status not in OPEN_STATUSES, abs(order.filled), order.time_ns

"""Ids of orders at Alpaca and those of the run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from openbell.model.order import OrderType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openbell.model.json_object import JsonObject
    from openbell.model.order import Order

__all__ = ["MOST_CHARACTERS", "AlpacaIds"]

MOST_CHARACTERS = 128
"""The longest id that Alpaca takes with an order."""

_GROUPS = ("bracket", "oto", "oco")


class AlpacaIds:
    """Says which order of the run is which at Alpaca. May be used from any thread.

    An order is sent with an id that follows from the run, its own id, and how often it was replaced. The legs of an
    entry get ids of Alpaca's own, which have to be learned from the entry.

    Args:
        run_id: The id of the run.
    """

    def __init__(self, run_id: str) -> None:
        self._prefix = f"{run_id}/"
        self._lock = threading.Lock()
        self._own: dict[str, str] = {}
        self._at_broker: dict[str, str] = {}
        self._foreign: set[str] = set()
        self._legs: dict[tuple[str, bool], str] = {}

    def sent_as(self, order_id: str, version: int = 0) -> str:
        """Return the id that an order is sent with."""
        return f"{self._prefix}{order_id}/{version}"

    def own(self, row: JsonObject) -> str | None:
        """Return the run's id of an order, or None when it did not give it, or has not learned of it."""
        with self._lock:
            if (known := self._own.get(str(row["id"]))) is not None:
                return known
        sent = str(row["client_order_id"])
        return sent.removeprefix(self._prefix).rpartition("/")[0] if sent.startswith(self._prefix) else None

    def own_of(self, broker_id: str) -> str | None:
        """Return the run's id of an order by Alpaca's, if it is known."""
        with self._lock:
            return self._own.get(broker_id)

    def at_broker(self, order_id: str) -> str | None:
        """Return Alpaca's id of an order, if it is known."""
        with self._lock:
            return self._at_broker.get(order_id)

    def is_unclear(self, row: JsonObject) -> bool:
        """Return whether it may be a leg of which one has not learned yet."""
        return row.get("order_class") in _GROUPS and self.own(row) is None

    def is_unknown(self, broker_id: str) -> bool:
        """Return whether one has not learned yet whose order that is."""
        with self._lock:
            return broker_id not in self._own and broker_id not in self._foreign

    def know(self, orders: Iterable[Order]) -> None:
        """Know orders that the run has given, so that legs can be told from each other."""
        with self._lock:
            for order in orders:
                if order.parent is not None:
                    self._legs[order.parent, order.type is OrderType.LIMIT] = order.id

    def learn_one(self, order_id: str, broker_id: str) -> None:
        """Learn Alpaca's id of an order."""
        with self._lock:
            self._own[broker_id] = order_id
            self._at_broker[order_id] = broker_id
            self._foreign.discard(broker_id)

    def learn_earlier(self, order_id: str, broker_id: str) -> None:
        """Learn the id of an order in whose place another one is."""
        with self._lock:
            self._own[broker_id] = order_id

    def learn(self, row: JsonObject) -> None:
        """Learn whose an order is, and its legs where it comes with them."""
        own, legs = self.own(row), row.get("legs") or ()
        if own is None:
            if not self.is_unclear(row) or legs:
                with self._lock:
                    self._foreign.update(str(each["id"]) for each in (row, *legs))
            return
        self.learn_one(own, str(row["id"]))
        for leg in legs:
            known = self.own(leg) or self._legs.get((own, leg["type"] == "limit"))
            if known is not None:
                self.learn_one(known, str(leg["id"]))

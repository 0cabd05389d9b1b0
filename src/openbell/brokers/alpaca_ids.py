"""Ids of orders at Alpaca and those of the run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from openbell.model.order import OrderType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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

    def note(self, row: JsonObject) -> None:
        """Note the id of an order of the run."""
        if (own := self.own(row)) is not None:
            with self._lock:
                self._own[str(row["id"])] = own
                self._at_broker[own] = str(row["id"])

    def learn_one(self, order_id: str, broker_id: str) -> None:
        """Learn Alpaca's id of an order."""
        with self._lock:
            self._own[broker_id] = order_id
            self._at_broker[order_id] = broker_id

    def learn(self, orders: Sequence[Order], row: JsonObject) -> None:
        """Learn which is which of an entry and its legs.

        Args:
            orders: The legs, with the entry or without.
            row: The entry with its legs, as Alpaca writes it.
        """
        self.note(row)
        legs = [order for order in orders if order.parent is not None]
        with self._lock:
            for leg_row in _legs(row):
                for order in legs:
                    if (order.type is OrderType.LIMIT) is (leg_row["type"] == "limit"):
                        self._own[str(leg_row["id"])] = order.id
                        self._at_broker[order.id] = str(leg_row["id"])


def _legs(row: JsonObject) -> Iterable[JsonObject]:
    legs: list[JsonObject] = row.get("legs") or []
    return legs

"""Mapping between the run's ids of orders and those of Alpaca."""

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
    """Mapping between the run's ids of orders and those of Alpaca.

    May be used from any thread. An order is sent with a client id made of the run's id, the order's id and the number
    of its replacements. The legs of an entry get ids from Alpaca, which have to be learned from the entry.

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
        """Return the client id that an order is sent with, after ``version`` replacements."""
        return f"{self._prefix}{order_id}/{version}"

    def own(self, row: JsonObject) -> str | None:
        """Return the run's id of an order, or None if it is not known as the run's."""
        with self._lock:
            if (known := self._own.get(str(row["id"]))) is not None:
                return known
        sent = str(row["client_order_id"])
        return sent.removeprefix(self._prefix).rpartition("/")[0] if sent.startswith(self._prefix) else None

    def own_of(self, broker_id: str) -> str | None:
        """Return the run's id of an order by Alpaca's, or None if unknown."""
        with self._lock:
            return self._own.get(broker_id)

    def at_broker(self, order_id: str) -> str | None:
        """Return Alpaca's id of an order by the run's, or None if unknown."""
        with self._lock:
            return self._at_broker.get(order_id)

    def is_unclear(self, row: JsonObject) -> bool:
        """Return whether an order may be a leg of the run's that is not learned yet."""
        return row.get("order_class") in _GROUPS and self.own(row) is None

    def is_unknown(self, broker_id: str) -> bool:
        """Return whether it is not learned yet if an order is the run's."""
        with self._lock:
            return broker_id not in self._own and broker_id not in self._foreign

    def know(self, orders: Iterable[Order]) -> None:
        """Record orders of the run, so that the legs of an entry can be distinguished."""
        with self._lock:
            for order in orders:
                if order.parent is not None:
                    self._legs[order.parent, order.type is OrderType.LIMIT] = order.id

    def learn_one(self, order_id: str, broker_id: str) -> None:
        """Record Alpaca's id of an order of the run."""
        with self._lock:
            self._own[broker_id] = order_id
            self._at_broker[order_id] = broker_id
            self._foreign.discard(broker_id)

    def learn_earlier(self, order_id: str, broker_id: str) -> None:
        """Record Alpaca's id of an order that was replaced.

        It remains an id of the run's order.
        """
        with self._lock:
            self._own[broker_id] = order_id

    def learn(self, row: JsonObject) -> None:
        """Record whether an order and its legs are the run's, and their ids if so."""
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

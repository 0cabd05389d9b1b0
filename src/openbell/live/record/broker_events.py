"""Conversion of a broker's events to and from lines of a record."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from openbell.model.broker_events import (
    AccountChange,
    AccountSnapshot,
    BrokerAnswer,
    BrokerConnected,
    BrokerFill,
    BrokerLost,
    BrokerMissing,
    BrokerNoAnswer,
    BrokerOrder,
    BrokerPosition,
    BrokerRefusal,
)
from openbell.model.order import OrderStatus, OrderType, TimeInForce

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from openbell.model.broker_events import BrokerEvent
    from openbell.model.json_object import JsonObject

__all__ = ["event_of_line", "line_of_event"]

_NAMES: Mapping[type[BrokerEvent], str] = {
    BrokerAnswer: "BrokerAnswer",
    BrokerMissing: "BrokerMissing",
    BrokerRefusal: "BrokerRefusal",
    BrokerNoAnswer: "BrokerSilence",
    AccountSnapshot: "BrokerBooks",
    BrokerLost: "BrokerLost",
    BrokerConnected: "BrokerBack",
}
"""The name of each kind of event in a line, which records of earlier runs have and which therefore never changes."""
_BY_NAME = {name: kind for kind, name in _NAMES.items()}


def _order(values: Mapping[str, Any]) -> BrokerOrder:
    words = {
        "status": OrderStatus(values["status"]),
        "type": OrderType(values["type"]),
        "tif": TimeInForce(values["tif"]),
    }
    return BrokerOrder(**{**values, **words})


_PARTS: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    "orders": _order,
    "fills": lambda values: BrokerFill(**values),
    "positions": lambda values: BrokerPosition(**values),
    "payments": lambda values: AccountChange(**values),
}


def line_of_event(event: BrokerEvent) -> JsonObject:
    """Return an event as a JSON object."""
    values = {field.name: getattr(event, field.name) for field in fields(event)}
    return {
        "broker": _NAMES[type(event)],
        **{name: _plain(value) if name in _PARTS else value for name, value in values.items()},
    }


def event_of_line(line: JsonObject) -> BrokerEvent:
    """Return the event of a line."""
    kind = _BY_NAME[line["broker"]]
    values = {field.name: line[field.name] for field in fields(kind)}
    for name, maker in _PARTS.items():
        if name in values:
            values[name] = tuple(maker(one) for one in values[name])
    return kind(**values)


def _plain(parts: Sequence[Any]) -> list[JsonObject]:
    return [part._asdict() for part in parts]

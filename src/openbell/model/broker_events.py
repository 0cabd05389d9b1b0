"""Events of a broker over the network, as they arrive in a live session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from openbell.model.order import OrderStatus, OrderType, TimeInForce

__all__ = [
    "AccountChange",
    "AccountSnapshot",
    "BrokerAnswer",
    "BrokerConnected",
    "BrokerEvent",
    "BrokerFill",
    "BrokerLost",
    "BrokerMissing",
    "BrokerNoAnswer",
    "BrokerOrder",
    "BrokerPosition",
    "BrokerRefusal",
    "RequestKind",
]

RequestKind: TypeAlias = Literal["submit", "cancel", "replace"]
"""Requests about an order that a run sends to a broker."""


class BrokerFill(NamedTuple):
    """An execution of an order, or of part of it.

    Attributes:
        order_id: The run's id of the order; the broker's id for an order that the run did not submit.
        execution_id: The broker's id of the execution.
        symbol: The symbol.
        quantity: Units, positive when bought and negative when sold.
        price: The price of a unit.
        total: Units of the order filled so far, this execution included; signed.
        time_ns: When it happened, nanoseconds since 1970 UTC.
    """

    order_id: str
    execution_id: str
    symbol: str
    quantity: float
    price: float
    total: float
    time_ns: int


class BrokerOrder(NamedTuple):
    """An order as the broker reports it.

    Attributes:
        order_id: The run's id of the order; the broker's id for an order that the run did not submit.
        symbol: The symbol.
        status: Its state.
        quantity: Units, positive to buy and negative to sell.
        filled: Units filled so far, signed as ``quantity``.
        average: The mean price of the filled units; None before the first fill.
        type: The kind of order.
        tif: How long it lasts.
        limit: The limit price, or None.
        stop: The stop price, or None.
        trail: The distance of a trailing stop in money, or None.
        trail_percent: The same as a percentage, or None.
        extended: Whether it may fill outside of regular hours.
        reason: Why it ended or was rejected, in words; may be empty.
        time_ns: When it last changed, nanoseconds since 1970 UTC.
        is_own: Whether this run submitted it.
    """

    order_id: str
    symbol: str
    status: OrderStatus
    quantity: float
    filled: float
    average: float | None
    type: OrderType
    tif: TimeInForce
    limit: float | None = None
    stop: float | None = None
    trail: float | None = None
    trail_percent: float | None = None
    extended: bool = False
    reason: str = ""
    time_ns: int = 0
    is_own: bool = True


class BrokerPosition(NamedTuple):
    """A position as the broker reports it.

    Attributes:
        symbol: The symbol.
        quantity: Units, negative when short.
        average_price: The mean price at which the units were opened.
        price: The price at which the broker values the units now.
    """

    symbol: str
    quantity: float
    average_price: float
    price: float


class AccountChange(NamedTuple):
    """Change of the account other than a fill, such as a dividend, a fee, a deposit or a split.

    Attributes:
        payment_id: The broker's id of the change.
        kind: What it is: dividend, fee, interest, transfer, split, or the broker's own word.
        symbol: The symbol; empty when it has none.
        quantity: Units that were added, negative when removed; 0 for money alone.
        amount: Money that the account received, negative when it paid.
        time_ns: When, nanoseconds since 1970 UTC; midnight of the date when only the date is known.
        text: What the broker says about it.
    """

    payment_id: str
    kind: str
    symbol: str
    quantity: float
    amount: float
    time_ns: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class BrokerAnswer:
    """Orders and fills as the broker reports them, unasked or on request.

    Attributes:
        orders: Orders as they are now.
        fills: Executions, the oldest first. An execution that is reported twice has the same id both times.
    """

    orders: tuple[BrokerOrder, ...] = ()
    fills: tuple[BrokerFill, ...] = ()


@dataclass(frozen=True, slots=True)
class BrokerMissing:
    """Reply that the broker has no order of an id.

    Attributes:
        order_id: The run's id of the order that was requested.
    """

    order_id: str


@dataclass(frozen=True, slots=True)
class BrokerRefusal:
    """Refusal of a request, by the broker or because the broker has no such request.

    Attributes:
        order_id: The run's id of the order.
        request: The request.
        reason: Why, in words.
    """

    order_id: str
    request: RequestKind
    reason: str


@dataclass(frozen=True, slots=True)
class BrokerNoAnswer:
    """Unknown outcome of a request that the broker did not answer.

    Attributes:
        order_id: The run's id of the order.
        request: The request.
        reason: What happened, in words.
    """

    order_id: str
    request: RequestKind
    reason: str


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """The account as the broker reports it.

    Attributes:
        cash: The account's cash.
        positions: All positions.
        orders: All open orders.
        fills: The executions since the requested time, the oldest first.
        payments: Other changes of the account since that time.
        blocked: Why the broker takes no orders for this account; empty when it does.
        error: Why the account could not be read; all other fields are then empty.
        adopts: Whether the run takes over positions that the account holds from outside the run, as its user decided.
    """

    cash: float = 0.0
    positions: tuple[BrokerPosition, ...] = ()
    orders: tuple[BrokerOrder, ...] = ()
    fills: tuple[BrokerFill, ...] = ()
    payments: tuple[AccountChange, ...] = ()
    blocked: str = ""
    error: str = ""
    adopts: bool = False


@dataclass(frozen=True, slots=True)
class BrokerLost:
    """Loss of the broker's event stream, or failure to connect to it.

    Attributes:
        reason: Why.
        is_final: Whether a retry is pointless.
    """

    reason: str
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class BrokerConnected:
    """Connection to the broker's event stream, which does not carry earlier events.

    These have to be requested.
    """


BrokerEvent: TypeAlias = (
    BrokerAnswer | BrokerMissing | BrokerRefusal | BrokerNoAnswer | AccountSnapshot | BrokerLost | BrokerConnected
)
"""Everything that a broker over the network reports."""

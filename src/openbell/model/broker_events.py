"""Events of a broker over the network, as they arrive in a live session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from openbell.model.order import OrderStatus, OrderType, TimeInForce

__all__ = [
    "BrokerAnswer",
    "BrokerBack",
    "BrokerBooks",
    "BrokerEvent",
    "BrokerFill",
    "BrokerLost",
    "BrokerMissing",
    "BrokerOrder",
    "BrokerPayment",
    "BrokerPosition",
    "BrokerRefusal",
    "BrokerSilence",
    "RequestKind",
]

RequestKind: TypeAlias = Literal["submit", "cancel", "replace"]
"""What a run asks of a broker about an order."""


class BrokerFill(NamedTuple):
    """An execution of an order, or of part of it.

    Attributes:
        order_id: The run's own id of the order; the broker's for an order that the run did not give.
        execution_id: The broker's id of the execution.
        symbol: The symbol.
        quantity: Units, positive when bought and negative when sold.
        price: The price of a unit.
        total: Units of the order that are filled after it, signed.
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
    """An order as the broker has it.

    Attributes:
        order_id: The run's own id of the order; the broker's for an order that the run did not give.
        symbol: The symbol.
        status: Its state.
        quantity: Units, positive to buy and negative to sell.
        filled: Units filled so far, signed as ``quantity``.
        average: The mean price of them; None before the first.
        type: The kind of order.
        tif: How long it lasts.
        limit: The limit price, or None.
        stop: The stop price, or None.
        trail: The distance of a trailing stop in money, or None.
        trail_percent: The same as a percentage, or None.
        extended: Whether it may fill outside of regular hours.
        reason: Why it ended or was rejected, in words; empty when there is nothing to say.
        time_ns: When it last changed, nanoseconds since 1970 UTC.
        is_own: Whether this run gave it.
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
    """A position as the broker has it.

    Attributes:
        symbol: The symbol.
        quantity: Units, negative when short.
        average_price: The mean price at which they were opened.
        price: The price that the broker values them at now.
    """

    symbol: str
    quantity: float
    average_price: float
    price: float


class BrokerPayment(NamedTuple):
    """Anything else that changed the account, such as a dividend, a fee, a deposit or a split.

    Attributes:
        payment_id: The broker's id of it.
        kind: What it is: dividend, fee, interest, transfer, split, or the broker's own word.
        symbol: The symbol; empty when it has none.
        quantity: Units that came or went; 0 for money alone.
        amount: Money, negative when it was paid.
        time_ns: When, nanoseconds since 1970 UTC; the midnight of its date where only that is known.
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
    """Orders and fills as the broker reports them, by itself or because it was asked.

    Attributes:
        orders: Orders as they are now.
        fills: Executions, the oldest first. Those that are reported twice have the same id.
    """

    orders: tuple[BrokerOrder, ...] = ()
    fills: tuple[BrokerFill, ...] = ()


@dataclass(frozen=True, slots=True)
class BrokerMissing:
    """The broker does not have an order of that id.

    Attributes:
        order_id: The run's id of the order that was asked for.
    """

    order_id: str


@dataclass(frozen=True, slots=True)
class BrokerRefusal:
    """The broker refuses a request, or it cannot be asked of this broker at all.

    Attributes:
        order_id: The run's id of the order.
        request: What was asked.
        reason: Why, in words.
    """

    order_id: str
    request: RequestKind
    reason: str


@dataclass(frozen=True, slots=True)
class BrokerSilence:
    """Nobody knows what became of a request, because its answer did not come.

    Attributes:
        order_id: The run's id of the order.
        request: What was asked.
        reason: What happened, in words.
    """

    order_id: str
    request: RequestKind
    reason: str


@dataclass(frozen=True, slots=True)
class BrokerBooks:
    """The account as the broker has it.

    Attributes:
        cash: Money.
        positions: Everything that is held.
        orders: Every open order.
        fills: The executions since the time that was asked for, the oldest first.
        payments: What else changed the account since then.
        blocked: Why the broker takes no orders of this account (empty when it does).
        error: Why the books could not be had; then all else is empty.
        adopts: Whether the run is to take over what it holds otherwise, which nobody but its user decides.
    """

    cash: float = 0.0
    positions: tuple[BrokerPosition, ...] = ()
    orders: tuple[BrokerOrder, ...] = ()
    fills: tuple[BrokerFill, ...] = ()
    payments: tuple[BrokerPayment, ...] = ()
    blocked: str = ""
    error: str = ""
    adopts: bool = False


@dataclass(frozen=True, slots=True)
class BrokerLost:
    """The broker's stream of events is lost, or could not be made.

    Attributes:
        reason: Why.
        is_final: Whether it makes no sense to try again.
    """

    reason: str
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class BrokerBack:
    """The broker's stream of events is there, and what happened before it has to be asked for."""


BrokerEvent: TypeAlias = (
    BrokerAnswer | BrokerMissing | BrokerRefusal | BrokerSilence | BrokerBooks | BrokerLost | BrokerBack
)
"""Everything that a broker over the network reports."""

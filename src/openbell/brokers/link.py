"""Protocol of a link to a broker over the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openbell.model.order import Order

__all__ = ["BrokerAccount", "BrokerLink"]


class BrokerAccount(NamedTuple):
    """The account that a link trades on.

    Attributes:
        broker: The name of the broker.
        number: The account's number.
        is_paper: Whether it trades with paper money.
    """

    broker: str
    number: str
    is_paper: bool

    def __str__(self) -> str:
        money = "paper money" if self.is_paper else "LIVE MONEY"
        return f"{money} at {self.broker}, account {self.number}"


class BrokerLink(Protocol):
    """A link between a run and a broker, for requests and events.

    Only `account` and `close_out` wait for the broker; the results of all other methods arrive as events, which go to
    the function that the link was made with. All methods are called by the thread of the session. The client ids of
    orders are made of the run's id, the order's id and the number of its replacements, so that the broker itself
    refuses an order that is sent twice. An event about an order of the run has the run's id of the order.

    Attributes:
        name: The name of the broker.
    """

    name: str

    def account(self) -> BrokerAccount:
        """Wait for the broker's answer, and return the account.

        Raises:
            BrokerError: The keys are refused, or there is no answer.
        """

    def connect(self) -> None:
        """Begin to connect to the broker's events, which ends in `BrokerConnected` or `BrokerLost`."""

    def know(self, orders: Iterable[Order]) -> None:
        """Record orders that the run has sent before, perhaps in another process.

        From then on, events about them have the run's ids.
        """

    def submit(self, orders: Sequence[Order]) -> None:
        """Send an order, or an entry together with its legs.

        The result is a `BrokerAnswer`, or a `BrokerRefusal` or `BrokerNoAnswer` about the first order.
        """

    def cancel(self, order: Order) -> None:
        """Request the cancellation of an order, with the same results as `submit`."""

    def replace(self, order: Order, version: int) -> None:
        """Request that an open order gets the units and prices of ``order``.

        The results are the same as for `submit`.

        Args:
            order: The order as it should become.
            version: The number of this replacement, 1 for the first.
        """

    def ask(self, orders: Sequence[Order], version: int = 0) -> None:
        """Request the state of an order, or of an entry with its legs.

        The result is a `BrokerAnswer` with their executions, a `BrokerMissing` about the first order, or no event if
        the broker refuses or does not answer.

        Args:
            orders: The orders.
            version: The most replacements that there may have been.
        """

    def ask_books(self, since_ns: int) -> None:
        """Request an `AccountSnapshot` with the events since a time, in nanoseconds since 1970 UTC."""

    def disconnect(self) -> None:
        """Give up the connection to the events, after which a `BrokerLost` may still arrive."""

    def close(self) -> None:
        """Free all connections and threads, after which no event arrives."""

    def close_out(self, symbols: Sequence[str]) -> list[str]:
        """Cancel all open orders of this run and close its positions in some symbols.

        For a run whose process no longer responds. The call waits for the broker's answers.

        Returns:
            One text for each thing that was done.

        Raises:
            BrokerError: The broker does not answer, or refuses something.
        """

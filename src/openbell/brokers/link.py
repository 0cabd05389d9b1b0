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
        number: The account's number, by which people tell it from others.
        is_paper: Whether its money is play money.
    """

    broker: str
    number: str
    is_paper: bool

    def __str__(self) -> str:
        money = "paper money" if self.is_paper else "LIVE MONEY"
        return f"{money} at {self.broker}, account {self.number}"


class BrokerLink(Protocol):
    """Way of a run's requests to a broker, and of the broker's events to the run.

    No method but `account` waits: what comes of it arrives as an event, which the link puts where its maker wants
    it. All are called by the thread of the session. The ids of orders at the broker follow from the run's id, the
    order's id and how often it was replaced, so that the broker itself refuses what is sent twice; an event of an
    order that the run gave carries the run's own id of it.

    Attributes:
        name: The name of the broker, for people.
    """

    name: str

    def account(self) -> BrokerAccount:
        """Return the account, once the broker has answered.

        Raises:
            BrokerError: The keys are refused, or there is no answer.
        """

    def connect(self) -> None:
        """Begin to listen to the broker's events, which ends in `BrokerBack` or `BrokerLost`."""

    def know(self, orders: Iterable[Order]) -> None:
        """Hear of orders that the run gave before, also in another process.

        It tells what the broker says of them by their own ids from then on.
        """

    def submit(self, orders: Sequence[Order]) -> None:
        """Send an order, or an entry together with its legs.

        It ends in a `BrokerAnswer`, or in a `BrokerRefusal` or a `BrokerSilence` of the first of them.
        """

    def cancel(self, order: Order) -> None:
        """Ask for an order to be cancelled, which ends in a `BrokerAnswer`, a refusal or silence."""

    def replace(self, order: Order, version: int) -> None:
        """Ask for an open order to have the units and prices of ``order``.

        Args:
            order: The order as it should be.
            version: The number of its change, 1 for the first.
        """

    def ask(self, orders: Sequence[Order], version: int = 0) -> None:
        """Ask how an order stands, or all that were sent together, by their ids.

        It ends in a `BrokerAnswer` with their executions, in a `BrokerMissing` of the first, or in no answer at all.

        Args:
            orders: The orders.
            version: How often they may have been replaced.
        """

    def ask_books(self, since_ns: int) -> None:
        """Ask for the account with all that has happened since a time, which ends in `BrokerBooks`."""

    def disconnect(self) -> None:
        """Give up the stream of events, after which a `BrokerLost` may still come."""

    def close(self) -> None:
        """Free everything, after which nothing comes."""

    def close_out(self, symbols: Sequence[str]) -> list[str]:
        """Cancel all open orders of this run and close its positions in some symbols, for a run that does not answer.

        It waits for the broker's answers.

        Returns:
            What was done, in words.

        Raises:
            BrokerError: The broker does not answer, or refuses.
        """

"""Traffic of a live run with its broker, outside of the session clock."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from openbell.execution.networked.outbox import Amend, Ask, AskBooks, Send, Withdraw
from openbell.feeds.reconnect_schedule import ReconnectSchedule
from openbell.model.broker_events import AccountSnapshot, BrokerConnected, BrokerLost

if TYPE_CHECKING:
    from openbell.execution.networked.outbox import Outgoing
    from openbell.execution.networked.real_broker import RealBroker
    from openbell.live.broker.broker_terms import BrokerTerms
    from openbell.live.record.feed_record import FeedRecord
    from openbell.model.broker_events import BrokerEvent

__all__ = ["ANSWER_NS", "BrokerTraffic"]

_SECOND_NS = 1_000_000_000
ANSWER_NS = 5 * _SECOND_NS
"""How long a request may be unanswered before the broker is asked about its order."""
_BOOKS_EVERY_NS = 60 * _SECOND_NS
_BOOKS_AT_NS = 30 * _SECOND_NS
"""The second of each minute at which the books are compared, halfway between two bars."""
_OVERLAP_NS = 60 * _SECOND_NS
"""Overlap of the times that successive books cover, since the broker may book an execution late."""
_HOLD_NS = 10 * _SECOND_NS
"""The longest time that bars wait for the books, after the broker's events were lost or before a session."""


class BrokerTraffic:
    """Sends a session's requests to its broker, and receives the broker's events.

    Orders are recorded on disk before they are sent. The broker is asked about orders whose requests it does not
    answer, and its books are compared with the run's once a minute and after each loss of the connection.

    Args:
        broker_terms: The terms on which the run trades.
        record: Records the orders that are sent.
        seed: The seed of the random waits between attempts to connect.

    Attributes:
        broker_terms: The terms on which the run trades.
        events: The events that have come and were not passed on.
        since_ns: When the run first looked at the account, nanoseconds since 1970 UTC.
        is_connected: Whether the broker's events come.
        trouble: Why there are no events or no books, as far as that is known.
        has_ended: Why no further connection is tried (empty while one is).
    """

    def __init__(self, broker_terms: BrokerTerms, record: FeedRecord, seed: int = 0) -> None:
        self.broker_terms = broker_terms
        self._link = broker_terms.link
        self._record = record
        self._adopts = broker_terms.adopts
        self._reconnecting = ReconnectSchedule(seed)
        self.events: list[BrokerEvent] = []
        self.since_ns = broker_terms.since_ns
        self.is_connected = False
        self.trouble = "no answer"
        self.has_ended = ""
        self._has_begun = False
        self._books_due_ns: int | None = None
        self._books_asked_ns: deque[int] = deque()
        self._known_until_ns = self.since_ns
        self._hold_until_ns = 0
        self._asked_ns: dict[str, int] = {}

    # The connection

    def connect(self, now_ns: int) -> None:
        """Connect to the stream of the broker's events."""
        self.since_ns = self.since_ns or now_ns
        self._known_until_ns = self._known_until_ns or now_ns
        self._reconnecting.attempted(now_ns)
        self._link.connect()

    def came(self, event: BrokerEvent, now_ns: int) -> None:
        """Handle an event of the broker, and keep it for the session."""
        if isinstance(event, BrokerLost):
            self.is_connected, self.trouble = False, event.reason
            self.has_ended = event.reason if event.is_final else ""
            if not event.is_final:
                self._reconnecting.lost(now_ns)
                self._hold_until_ns = now_ns + _HOLD_NS
        elif isinstance(event, BrokerConnected):
            self.is_connected = True
            self._reconnecting.connected(now_ns)
            if self._has_begun:
                self.ask_books(now_ns)
        elif isinstance(event, AccountSnapshot):
            self._hold_until_ns = 0
            self._reconnecting.heard(now_ns)
            self.trouble = event.error
            asked_ns = self._books_asked_ns.popleft()
            if event.error:
                self._books_due_ns = now_ns + ANSWER_NS
            else:
                self._known_until_ns = max(self._known_until_ns, asked_ns - _OVERLAP_NS)
            if self._adopts and not event.error:
                event, self._adopts = replace(event, adopts=True), False
        self.events.append(event)

    # The books

    def ask_books(self, now_ns: int) -> None:
        """Ask for the books, and hold back bars until they come or ten seconds have passed."""
        self._hold_until_ns = now_ns + _HOLD_NS
        self._ask_books(now_ns)

    def _ask_books(self, now_ns: int) -> None:
        self._books_due_ns = (now_ns + _BOOKS_AT_NS) // _BOOKS_EVERY_NS * _BOOKS_EVERY_NS + _BOOKS_AT_NS
        self._books_asked_ns.append(now_ns)
        self._link.ask_books(self._known_until_ns)

    def holds(self, now_ns: int) -> bool:
        """Return whether bars wait for the books."""
        return now_ns < self._hold_until_ns

    def begin(self, broker: RealBroker, now_ns: int, longest_ns: int) -> None:
        """Send again what the broker may not have received, and ask for the books.

        To be called when the run knows its own orders, because the legs of these have ids of the broker's.

        Args:
            broker: The session's broker.
            now_ns: The time outside of the session clock, nanoseconds since 1970 UTC.
            longest_ns: The age up to which an order may still be sent, in nanoseconds.
        """
        self._has_begun = True
        self._link.know(broker.orders.given())
        broker.go_on(now_ns, longest_ns)
        self.send(broker, now_ns)
        if self.is_connected:
            self.ask_books(now_ns)

    # The session's requests

    def send(self, broker: RealBroker, now_ns: int) -> None:
        """Send the session's requests to its broker, orders after they are on disk."""
        if not (outgoing := broker.take_outgoing()):
            return
        if sent := [order for one in outgoing if isinstance(one, Send) for order in one.orders]:
            self._record.sends(now_ns, sent)
        for one in outgoing:
            self._send_one(one, now_ns)

    def _send_one(self, one: Outgoing, now_ns: int) -> None:
        match one:
            case Send(orders):
                self._asked_ns[orders[0].id] = now_ns
                self._link.submit(orders)
            case Withdraw(order):
                self._link.cancel(order)
            case Amend(order, version):
                self._link.replace(order, version)
            case Ask(orders, version):
                self._asked_ns[orders[0].id] = now_ns
                self._link.ask(orders, version)
            case AskBooks():
                self._ask_books(now_ns)

    # Time

    def act(self, broker: RealBroker | None, now_ns: int) -> None:
        """Reconnect, ask for the books and ask about unanswered orders, as far as that is due."""
        due_ns = self._reconnecting.next_ns
        if due_ns is not None and now_ns >= due_ns:
            self.connect(now_ns)
        if self.is_connected and self._books_due_ns is not None and now_ns >= self._books_due_ns:
            self._ask_books(now_ns)
        for question in list(broker.orders.in_flight()) if broker is not None else ():
            if now_ns >= self._answer_due_ns(question, now_ns):
                self._send_one(question, now_ns)

    def next_ns(self, broker: RealBroker | None, now_ns: int) -> int | None:
        """Return when `act` is due next, None when that is not known."""
        due = [self._reconnecting.next_ns, self._books_due_ns if self.is_connected else None]
        if self._hold_until_ns > now_ns:
            due.append(self._hold_until_ns)
        due += [self._answer_due_ns(one, now_ns) for one in broker.orders.in_flight()] if broker is not None else []
        return min((one for one in due if one is not None), default=None)

    def _answer_due_ns(self, question: Ask, now_ns: int) -> int:
        return self._asked_ns.setdefault(question.orders[0].id, now_ns) + ANSWER_NS

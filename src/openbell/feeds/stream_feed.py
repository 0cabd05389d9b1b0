"""Feed over a websocket in any protocol, read by a thread of its own."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic

from openbell.errors import ConfigError
from openbell.feeds.arrivals import Inbox
from openbell.feeds.current_connection import CurrentConnection
from openbell.feeds.stream_connection import R, StreamConnection
from openbell.feeds.websocket_bounds import WebSocketBounds
from openbell.model.feed_events import FeedConnected, FeedHistory, FeedLost

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from openbell.feeds.arrivals import Arrivals, FilledArrivals
    from openbell.feeds.current_connection import LinkState
    from openbell.feeds.feed import SymbolIntervals
    from openbell.feeds.server_text import ServerText
    from openbell.model.broker_events import BrokerEvent
    from openbell.model.feed_events import FeedEvent

__all__ = ["StreamFeed"]


class StreamFeed(ABC, Generic[R]):
    """Live bars over a websocket.

    Every request for history gets exactly one answer, with an error when the connection is lost or given up before. A
    subscription without a connection is not sent. No event of an old connection arrives after `disconnect`, nor after
    another `connect`.

    Args:
        words: Cleans texts of the server.
        name: The label of the bars.
        arrivals: Takes the events; None makes an inbox by the machine's clock.
        bounds: The limits of times and sizes.
        extra: The extra of openbell that installs the required packages.

    Attributes:
        name: The label of the bars.
        intervals: The intervals that the server sends, finest first; empty until they are known.
        limit: The most symbols of a subscription; None when unknown.
        arrivals: The events as they arrive, and the time.

    Raises:
        ConfigError: The package websockets is missing.
    """

    def __init__(
        self,
        words: ServerText,
        *,
        name: str,
        arrivals: FilledArrivals | None = None,
        bounds: WebSocketBounds | None = None,
        extra: str = "websocket",
    ) -> None:
        _require_package(extra)
        self._words = words
        self._bounds = bounds or WebSocketBounds()
        self.name = name
        self.intervals: tuple[str, ...] = ()
        self.limit: int | None = None
        self._inbox: FilledArrivals = Inbox() if arrivals is None else arrivals
        self.arrivals: Arrivals = self._inbox
        self._lock = threading.Lock()
        self._current: CurrentConnection[R] = CurrentConnection(f"feed {name}")
        self._unanswered: dict[int, None] = {}
        self._is_closed = False
        self._asked = 0

    @property
    def filled(self) -> FilledArrivals:
        """The arrivals, to which other senders of events for the same session may add."""
        return self._inbox

    @property
    def state(self) -> LinkState:
        """State of the connection."""
        return self._current.state

    @property
    def asked(self) -> int:
        """Number of requests to the server so far, connections begun or given up included."""
        return self._asked

    @property
    def read(self) -> int:
        """Number of messages read from the present connection and passed on."""
        return self._current.read

    @property
    def place(self) -> str:
        """The server's host and port, without keys."""
        return self._words.place

    def begin(self, day: date) -> None:
        """Do nothing, because the server sends bars by its clock, whatever session comes next."""

    def intervals_of(self, symbol: str) -> SymbolIntervals | None:  # noqa: ARG002 -- the same for all symbols
        """Return None, because every symbol has all ``intervals``."""
        return None

    @abstractmethod
    def _new_connection(self) -> StreamConnection[R]:
        """Return a new connection that has not begun to connect."""

    def connect(self) -> None:
        """Begin to connect, which ends in `FeedConnected` or `FeedLost`.

        An existing connection is given up.

        Raises:
            ConfigError: The feed was closed.
        """
        with self._lock:
            if self._is_closed:
                raise ConfigError("the feed was closed. Make another one.")
            self._give_up()
            self._current.begin(self._new_connection())

    def disconnect(self) -> None:
        """Give up the connection, after which no event of it arrives."""
        with self._lock:
            self._give_up()

    def close(self) -> None:
        """Close the connection and end the thread, after which no event arrives.

        The call waits a moment for the server to close.
        """
        with self._lock:
            self._unanswered.clear()
            self._give_up()
            self._is_closed = True
            thread = self._current.end()
        if thread is not None:
            thread.close(2 * self._bounds.close_s)

    def _ask(self, question: Callable[[R], None]) -> bool:
        """Call a function with the reader, and return whether there is a connection.

        The function is called in the connection's thread.
        """
        with self._lock:
            if self._current.state != "open":
                return False
            self._asked += 1  # before it is sent, so that whoever waits for the answer sees it counted
            self._current.ask(question)
            return True

    def _expect_answer(self, number: int) -> bool:
        """Record a request for history, and return whether it can be sent.

        Without a connection it is answered with an error.
        """
        with self._lock:
            self._unanswered[number] = None
            if self._current.state != "open":
                self._end_requests("there is no connection to the feed")
                return False
            return True

    def _give_up(self) -> None:
        """Give up the connection and end its requests, with the lock held."""
        self._asked += 1
        self._current.give_up()
        self._end_requests("the connection was given up")

    def _end_requests(self, error: str) -> None:
        for number in self._unanswered:
            self._inbox.put(FeedHistory(number, error=error))
        self._unanswered.clear()

    def _put(self, connection: StreamConnection[R], events: Sequence[FeedEvent | BrokerEvent]) -> None:
        """Pass on the events of a connection, unless it is an old one."""
        with self._lock:
            if connection is not self._current.connection:
                return
            for event in events:
                if isinstance(event, FeedConnected):
                    self._current.opened()
                elif isinstance(event, FeedHistory):
                    self._unanswered.pop(event.number, None)
                self._inbox.put(event)
                if isinstance(event, FeedLost):
                    self._current.lost()
                    # After the loss, so that the errors are not taken for answers of a feed that is still connected.
                    self._end_requests(f"the connection was lost: {event.reason}")
            # After the events, so that whoever waits for this number finds them.
            self._current.read += 1


def _require_package(extra: str) -> None:
    try:
        import websockets.asyncio.client  # noqa: F401 - only whether it is there
    except ImportError:
        raise ConfigError(
            f"a feed over a websocket needs the package websockets. Install it with: pip install 'openbell[{extra}]'"
        ) from None

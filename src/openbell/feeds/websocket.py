"""Feed over a websocket, in the protocol of docs/live-feed-protocol.md."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal, TypeAlias

from openbell.errors import ConfigError, shortened
from openbell.feeds.arrivals import Inbox
from openbell.feeds.loop_thread import LoopThread
from openbell.feeds.server_words import ServerWords
from openbell.feeds.websocket_bounds import WebSocketBounds
from openbell.feeds.websocket_connection import WebSocketConnection
from openbell.model.feed_events import FeedBack, FeedHistory, FeedLost
from openbell.model.symbol import checked_symbol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from openbell.feeds.arrivals import Arrivals, FilledArrivals
    from openbell.feeds.feed import HistoryRequest
    from openbell.feeds.websocket_fields import Hello
    from openbell.feeds.websocket_messages import MessageReader
    from openbell.model.feed_events import FeedEvent

__all__ = ["LinkState", "WebSocketFeed"]

LinkState: TypeAlias = Literal["closed", "opening", "open"]
"""State of the connection, from the first attempt until it is lost or given up."""


class WebSocketFeed:
    """Live bars and their history over a websocket, read by a thread of its own.

    Every request for history ends in exactly one answer, with an error when the connection is lost or given up before.
    What is subscribed while there is no connection is not asked for. Nothing of an old connection comes after
    `disconnect`, nor after another `connect`.

    Args:
        url: The address, ``ws://`` or ``wss://``. It may hold keys, which show in no text.
        name: The label of the bars. A server that calls itself otherwise is refused.
        arrivals: Where events come; by default, an inbox by the machine's clock.
        bounds: The most that is waited for or taken.

    Attributes:
        name: The label of the bars.
        intervals: The intervals that the server sends, finest first; empty until the first `FeedBack`.
        limit: The most symbols that it takes at once; None when it does not say.
        arrivals: Where its events come, and the time that passes.

    Raises:
        ConfigError: It is no such address, or the package websockets is missing.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        arrivals: FilledArrivals | None = None,
        bounds: WebSocketBounds | None = None,
    ) -> None:
        _require_package()
        self._words = ServerWords(url)
        self._url = url
        self._bounds = bounds or WebSocketBounds()
        self.name = name
        self.intervals: tuple[str, ...] = ()
        self.limit: int | None = None
        self._inbox: FilledArrivals = Inbox() if arrivals is None else arrivals
        self.arrivals: Arrivals = self._inbox
        self._lock = threading.Lock()
        self._thread: LoopThread | None = None
        self._connection: WebSocketConnection | None = None
        self._cancel: Callable[[], None] | None = None
        self._state: LinkState = "closed"
        self._unanswered: dict[int, None] = {}
        self._is_closed = False
        self._asked = 0

    @property
    def state(self) -> LinkState:
        """State of the connection."""
        return self._state

    @property
    def asked(self) -> int:
        """Number of times that anything was asked of the server, or a connection made or given up."""
        return self._asked

    @property
    def place(self) -> str:
        """The server's host and port, for people."""
        return self._words.place

    @property
    def address(self) -> str:
        """The server's address without keys."""
        return self._words.clean(self._url, len(self._url))

    def begin(self, day: date) -> None:
        """Hear which session comes next, which changes nothing for a server that goes by the clock."""

    def connect(self) -> None:
        """Begin to connect, which ends in `FeedBack` or `FeedLost`.

        A connection that there still is, is given up.

        Raises:
            ConfigError: The feed was closed.
        """
        with self._lock:
            if self._is_closed:
                raise ConfigError("the feed was closed. Make another one.")
            self._give_up()
            if self._thread is None:
                self._thread = LoopThread(f"feed {self.name}")
            self._connection = WebSocketConnection(self._url, self._words, self._bounds, self._greet, self._put)
            self._state = "opening"
            self._cancel = self._thread.start(self._connection.run())

    def subscribe(self, symbols: Iterable[str]) -> None:
        """Ask for the bars of further symbols, which ends in a `FeedAnswer` with the whole subscription."""
        wanted = [checked_symbol(symbol) for symbol in symbols]
        self._ask(lambda reader: reader.subscribe(wanted))

    def unsubscribe(self, symbols: Iterable[str]) -> None:
        """Ask for no more bars of symbols, which ends in a `FeedAnswer`, too."""
        unwanted = [checked_symbol(symbol) for symbol in symbols]
        self._ask(lambda reader: reader.unsubscribe(unwanted))

    def request_history(self, request: HistoryRequest) -> None:
        """Ask for closed bars, which ends in a `FeedHistory`."""
        with self._lock:
            self._unanswered[request.number] = None
            if self._state != "open":
                self._end_requests("there is no connection to the feed")
                return
        self._ask(lambda reader: reader.request_history(request))

    def disconnect(self) -> None:
        """Give up the connection, after which nothing more of it comes."""
        with self._lock:
            self._give_up()

    def close(self) -> None:
        """Free everything, after which nothing comes.

        It waits a moment for the other side to close.
        """
        with self._lock:
            self._unanswered.clear()
            self._give_up()
            self._is_closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.close(2 * self._bounds.close_s)

    def _ask(self, question: Callable[[MessageReader], None]) -> None:
        with self._lock:
            if self._state == "open" and self._thread is not None and self._connection is not None:
                self._asked += 1
                self._thread.call(self._connection.ask, question)

    def _give_up(self) -> None:
        """Forget the connection, with the lock held."""
        self._asked += 1
        self._connection = None
        self._state = "closed"
        self._end_requests("the connection was given up")
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    def _end_requests(self, error: str) -> None:
        for number in self._unanswered:
            self._inbox.put(FeedHistory(number, error=error))
        self._unanswered.clear()

    def _greet(self, hello: Hello) -> str:
        """Take the hello, and return why the feed is of no use, or nothing."""
        if hello.name != self.name:
            return (
                f"{self._words.place} sends bars of the feed {shortened(hello.name)}, and the config says "
                f"{shortened(self.name)}: bars of two feeds are not mixed. Change the name there, or the address"
            )
        gone = [interval for interval in self.intervals if interval not in hello.intervals]
        if gone:
            return f"{self._words.place} no longer sends bars of {', '.join(gone)}, which it did before"
        self.intervals, self.limit = hello.intervals, hello.limit
        return ""

    def _put(self, connection: WebSocketConnection, events: Sequence[FeedEvent]) -> None:
        """Pass events of a connection on, unless it is an old one."""
        with self._lock:
            if connection is not self._connection:
                return
            for event in events:
                if isinstance(event, FeedBack):
                    self._state = "open"
                elif isinstance(event, FeedHistory):
                    self._unanswered.pop(event.number, None)
                self._inbox.put(event)
                if isinstance(event, FeedLost):
                    self._state = "closed"
                    self._connection = self._cancel = None
                    # After the loss, so that nobody takes these for the last answers of a feed that is there.
                    self._end_requests(f"the connection was lost: {event.reason}")


def _require_package() -> None:
    try:
        import websockets.asyncio.client  # noqa: F401 - only whether it is there
    except ImportError:
        raise ConfigError(
            "a feed over a websocket needs the package websockets. Install it with: pip install 'openbell[websocket]'"
        ) from None

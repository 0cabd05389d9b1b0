"""Feed over a websocket, in the protocol of docs/live-feed-protocol.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.errors import shortened
from openbell.feeds.current_connection import LinkState
from openbell.feeds.server_text import ServerText
from openbell.feeds.stream_feed import StreamFeed
from openbell.feeds.websocket_connection import WebSocketConnection
from openbell.feeds.websocket_messages import MessageReader
from openbell.model.symbol import listed_symbols

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openbell.feeds.arrivals import FilledArrivals
    from openbell.feeds.feed import HistoryRequest
    from openbell.feeds.websocket_bounds import WebSocketBounds
    from openbell.feeds.websocket_fields import Hello

__all__ = ["LinkState", "WebSocketFeed"]


class WebSocketFeed(StreamFeed[MessageReader]):
    """Live bars and their history over a websocket, in openbell's own protocol.

    Args:
        url: The address, ``ws://`` or ``wss://``. It may hold keys, which no text of the feed shows.
        name: The label of the bars. A server with another name is refused.
        arrivals: Takes the events; None makes an inbox by the machine's clock.
        bounds: The limits of times and sizes.

    Attributes:
        name: The label of the bars.
        intervals: The intervals that the server sends, finest first; empty until the first `FeedConnected`.
        limit: The most symbols of a subscription; None when unknown.
        arrivals: The events as they arrive, and the time.

    Raises:
        ConfigError: The address is not valid, or the package websockets is missing.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        arrivals: FilledArrivals | None = None,
        bounds: WebSocketBounds | None = None,
    ) -> None:
        super().__init__(ServerText(url), name=name, arrivals=arrivals, bounds=bounds)
        self._url = url

    @property
    def address(self) -> str:
        """The server's address, without keys that it may hold."""
        return self._words.clean(self._url, len(self._url))

    def subscribe(self, symbols: Iterable[str]) -> None:
        """Ask for the bars of further symbols, which ends in a `FeedAnswer` with the whole subscription."""
        wanted = listed_symbols(symbols, "subscribe")
        self._ask(lambda reader: reader.subscribe(wanted))

    def unsubscribe(self, symbols: Iterable[str]) -> None:
        """Ask for no more bars of symbols, which ends in a `FeedAnswer`, too."""
        unwanted = listed_symbols(symbols, "unsubscribe")
        self._ask(lambda reader: reader.unsubscribe(unwanted))

    def request_history(self, request: HistoryRequest) -> None:
        """Request closed bars, answered by a `FeedHistory`."""
        if self._expect_answer(request.number):
            self._ask(lambda reader: reader.request_history(request))

    def _new_connection(self) -> WebSocketConnection:
        return WebSocketConnection(
            self._url, self._words, self._bounds, self._put, lambda: self.arrivals.now_ns, self._greet
        )

    def _greet(self, hello: Hello) -> str:
        """Take intervals and limit from the hello, or return a reason against it.

        The reason says why the server cannot be used; without one it is empty.
        """
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

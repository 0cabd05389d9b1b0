"""One connection to a feed in the protocol of docs/live-feed-protocol.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.feeds.stream_connection import StreamConnection, UnusableServerError
from openbell.feeds.websocket_fields import BadMessageError, Hello, json_object
from openbell.feeds.websocket_messages import MessageReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from websockets.asyncio.client import ClientConnection

    from openbell.feeds.server_text import ServerText
    from openbell.feeds.websocket_bounds import WebSocketBounds
    from openbell.model.broker_events import BrokerEvent
    from openbell.model.feed_events import FeedEvent

__all__ = ["WebSocketConnection"]


class WebSocketConnection(StreamConnection[MessageReader]):
    """A connection, which begins with the server's hello.

    Args:
        url: The server's address.
        words: Cleans texts of the server.
        bounds: The limits of times and sizes.
        put: Takes this connection and its events.
        now_ns: Returns the machine's time, nanoseconds since 1970 UTC.
        greet: Takes the hello, and returns the reason why the server cannot be used, or an empty text.
    """

    def __init__(
        self,
        url: str,
        words: ServerText,
        bounds: WebSocketBounds,
        put: Callable[[StreamConnection[MessageReader], Sequence[FeedEvent | BrokerEvent]], None],
        now_ns: Callable[[], int],
        greet: Callable[[Hello], str],
    ) -> None:
        super().__init__(url, words, bounds, put, now_ns)
        self._greet = greet

    async def _open(self, connection: ClientConnection) -> MessageReader:
        text = await self._message(connection, "hello")
        try:
            hello = Hello(json_object(text))
        except BadMessageError as exc:
            raise UnusableServerError(f"{self._words.place} speaks another protocol: {exc}") from None
        if reason := self._greet(hello):
            raise UnusableServerError(reason, is_final=True)
        return MessageReader(hello.intervals, self._bounds, self._words, self._outgoing.put_nowait)

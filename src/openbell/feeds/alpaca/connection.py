"""One connection to Alpaca's stream, from authentication to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.feeds.alpaca.codes import ends_connection, refusal
from openbell.feeds.alpaca.messages import AlpacaReader, error_of, items_of
from openbell.feeds.stream_connection import StreamConnection, UnusableServerError
from openbell.feeds.websocket_fields import BadMessageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from websockets.asyncio.client import ClientConnection

    from openbell.feeds.alpaca.messages import Codec
    from openbell.feeds.server_text import ServerText
    from openbell.feeds.websocket_bounds import WebSocketBounds
    from openbell.model.broker_events import BrokerEvent
    from openbell.model.feed_events import FeedEvent
    from openbell.vendors.alpaca import AlpacaKeys

__all__ = ["AlpacaConnection"]


class AlpacaConnection(StreamConnection[AlpacaReader]):
    """A connection to Alpaca's stream, which authenticates with the account's keys.

    Args:
        url: The address of the feed's stream.
        words: Cleans texts of the server.
        bounds: The limits of times and sizes.
        put: Takes events.
        now_ns: Returns the machine's time, nanoseconds since 1970 UTC.
        keys: The account's keys.
        codec: Encodes and decodes messages.
        is_over: Returns whether the session of a date has closed by now.
    """

    reports_clock = True

    def __init__(
        self,
        url: str,
        words: ServerText,
        bounds: WebSocketBounds,
        put: Callable[[StreamConnection[AlpacaReader], Sequence[FeedEvent | BrokerEvent]], None],
        now_ns: Callable[[], int],
        *,
        keys: AlpacaKeys,
        codec: Codec,
        is_over: Callable[[date], bool],
    ) -> None:
        super().__init__(url, words, bounds, put, now_ns)
        self._keys = keys
        self._codec = codec
        self._is_over = is_over

    @property
    def _headers(self) -> Mapping[str, str]:
        return {"Content-Type": self._codec.content_type}

    async def _open(self, connection: ClientConnection) -> AlpacaReader:
        await self._success(connection, "connected")
        keys = {"action": "auth", "key": self._keys.key_id, "secret": self._keys.secret}
        await connection.send(self._codec.encode(keys))
        await self._success(connection, "authenticated")
        return AlpacaReader(self._codec, self._bounds, self._words, self._outgoing.put_nowait, self._is_over)

    async def _success(self, connection: ClientConnection, words: str) -> None:
        """Wait for the message of a success such as "connected".

        Raises:
            UnusableServerError: Another message arrived, or none in time.
        """
        data = await self._message(connection, words)
        try:
            for item in items_of(self._codec, data):
                if item.get("T") == "error":
                    code, text = error_of(item, self._words)
                    end = ends_connection(code, text, is_asking=False)
                    raise end or UnusableServerError(refusal(code, text))
                if item.get("T") == "success" and item.get("msg") == words:
                    return
        except BadMessageError as exc:
            raise UnusableServerError(f"{self._words.place} speaks another protocol: {exc}") from None
        raise UnusableServerError(
            f"{self._words.place} speaks another protocol: it did not say that openbell is {words}"
        )

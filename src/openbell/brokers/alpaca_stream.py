"""Alpaca's stream of trade updates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from openbell.feeds.stream_connection import StreamConnection, UnusableServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from websockets.asyncio.client import ClientConnection

    from openbell.feeds.server_text import ServerText
    from openbell.feeds.websocket_bounds import WebSocketBounds
    from openbell.model.broker_events import BrokerEvent
    from openbell.model.feed_events import FeedEvent
    from openbell.model.json_object import JsonObject
    from openbell.vendors.alpaca import AlpacaKeys

__all__ = ["TradeUpdates", "TradeUpdatesReader"]

_STREAM = "trade_updates"


class TradeUpdatesReader:
    """Parses messages of the stream, which arrive as JSON in binary frames.

    Args:
        words: Cleans texts of the server.
        heard: Takes the data of each update.
    """

    def __init__(self, words: ServerText, heard: Callable[[JsonObject], None]) -> None:
        self._words = words
        self._heard = heard

    def read(self, text: str | bytes) -> Sequence[FeedEvent]:
        """Pass on an update, and return no events.

        Raises:
            UnusableServerError: The message is an error, or is not valid. Updates that are lost with the connection are
                requested after the next one is open.
        """
        message = _object(text, self._words)
        data = message.get("data")
        if message.get("action") == "error" or not isinstance(data, dict):
            cause = data.get("error_message", "no words") if isinstance(data, dict) else "no words"
            raise UnusableServerError(f"{self._words.place} says: {self._words.clean(str(cause))}")
        if message.get("stream") == _STREAM:
            try:
                self._heard(data)
            except (KeyError, ValueError, TypeError, AttributeError) as exc:
                raise UnusableServerError(f"an update of an order is invalid ({type(exc).__name__}: {exc})") from exc
        elif message.get("stream") == "authorization" and data.get("status") != "authorized":
            raise UnusableServerError(f"{self._words.place} no longer accepts the keys", is_final=True)
        return ()


class TradeUpdates(StreamConnection[TradeUpdatesReader]):
    """A connection to the stream of trade updates, which authenticates with the account's keys.

    Args:
        url: The address of the stream.
        words: Cleans texts of the server.
        bounds: The limits of times and sizes.
        put: Takes this connection and the events that it is open or lost.
        now_ns: Returns the machine's time, nanoseconds since 1970 UTC.
        keys: The account's keys.
        heard: Takes the data of each update.
    """

    def __init__(
        self,
        url: str,
        words: ServerText,
        bounds: WebSocketBounds,
        put: Callable[[StreamConnection[TradeUpdatesReader], Sequence[FeedEvent | BrokerEvent]], None],
        now_ns: Callable[[], int],
        *,
        keys: AlpacaKeys,
        heard: Callable[[JsonObject], None],
    ) -> None:
        super().__init__(url, words, bounds, put, now_ns)
        self._keys = keys
        self._heard = heard

    async def _open(self, connection: ClientConnection) -> TradeUpdatesReader:
        await connection.send(json.dumps({"action": "auth", "key": self._keys.key_id, "secret": self._keys.secret}))
        data = await self._data(connection, "authorization")
        if data.get("status") != "authorized":
            raise UnusableServerError(
                f"{self._words.place} does not accept the keys. Check APCA_API_KEY_ID and APCA_API_SECRET_KEY, and "
                "whether they are of paper money",
                is_final=True,
            )
        await connection.send(json.dumps({"action": "listen", "data": {"streams": [_STREAM]}}))
        data = await self._data(connection, "listening")
        if _STREAM not in data.get("streams", ()):
            raise UnusableServerError(f"{self._words.place} sends no {_STREAM}")
        return TradeUpdatesReader(self._words, self._heard)

    async def _data(self, connection: ClientConnection, stream: str) -> JsonObject:
        """Return the data of the next message, which must be of ``stream``.

        Raises:
            UnusableServerError: Another message arrived, or none in time.
        """
        message = _object(await self._message(connection, stream), self._words)
        data = message.get("data")
        if message.get("action") == "error" and isinstance(data, dict):
            raise UnusableServerError(f"{self._words.place} says: {self._words.clean(str(data.get('error_message')))}")
        if message.get("stream") != stream or not isinstance(data, dict):
            raise UnusableServerError(f"{self._words.place} speaks another protocol: it did not say {stream}")
        return data


def _object(text: str | bytes, words: ServerText) -> JsonObject:
    """Return the JSON object in a message.

    Raises:
        UnusableServerError: There is none.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise UnusableServerError(f"{words.place} speaks another protocol: it sent no JSON")
    return message

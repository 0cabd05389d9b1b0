"""Messages of Alpaca's stream, parsed into events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from openbell.errors import shortened
from openbell.feeds.alpaca.bars import date_of_bar, read_bar, read_status
from openbell.feeds.alpaca.codes import ends_connection
from openbell.feeds.alpaca.subscription import Subscription
from openbell.feeds.json_bars import BadRowError
from openbell.feeds.server_text import Troubles
from openbell.feeds.websocket_fields import BadMessageError, symbol_of
from openbell.model.feed_events import FeedMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from openbell.feeds.server_text import ServerText
    from openbell.feeds.websocket_bounds import WebSocketBounds
    from openbell.model.feed_events import FeedEvent
    from openbell.model.json_object import JsonObject

__all__ = ["AlpacaReader", "Codec", "JsonCodec", "MsgpackCodec"]


class Codec(Protocol):
    """An encoding of messages.

    Attributes:
        content_type: Its name in the header of a connection.
    """

    content_type: str

    def encode(self, message: JsonObject) -> str | bytes:
        """Encode a message."""

    def decode(self, data: str | bytes) -> Any:
        """Decode a message.

        Raises:
            ValueError: The data cannot be decoded.
        """


class JsonCodec:
    """JSON in text messages."""

    content_type = "application/json"

    def encode(self, message: JsonObject) -> str | bytes:
        """Encode a message."""
        return json.dumps(message)

    def decode(self, data: str | bytes) -> Any:
        """Decode a message.

        Raises:
            ValueError: The data is not JSON.
        """
        return json.loads(data)


class MsgpackCodec:
    """msgpack in binary messages."""

    content_type = "application/msgpack"

    def encode(self, message: JsonObject) -> str | bytes:
        """Encode a message."""
        import msgpack

        packed: bytes = msgpack.packb(message)
        return packed

    def decode(self, data: str | bytes) -> Any:
        """Decode a message.

        Raises:
            ValueError: The data is neither msgpack nor JSON in text.
        """
        import msgpack

        if isinstance(data, str):
            return json.loads(data)  # a proxy may answer in JSON
        try:
            return msgpack.unpackb(data)
        except (msgpack.UnpackException, RecursionError) as exc:
            raise ValueError(type(exc).__name__) from None


def items_of(codec: Codec, data: str | bytes) -> list[JsonObject]:
    """Return the objects in a message.

    Raises:
        BadMessageError: The message is not a list of objects.
    """
    try:
        message = codec.decode(data)
    except (ValueError, RecursionError) as exc:
        raise BadMessageError(f"a message is not {codec.content_type} ({shortened(f'{exc}')})") from None
    if not isinstance(message, list) or not all(isinstance(item, dict) for item in message):
        raise BadMessageError(f"a message is a list of objects, not {shortened(f'{message}')}")
    return message


class AlpacaReader:
    """Parses the messages of one connection after authentication, and tracks its subscription.

    Args:
        codec: Encodes and decodes messages.
        bounds: The limits of times and sizes.
        words: Cleans texts of the server.
        reply: Sends a message to the server.
        is_over: Returns whether the session of a date has closed by now.
    """

    def __init__(
        self,
        codec: Codec,
        bounds: WebSocketBounds,
        words: ServerText,
        reply: Callable[[str | bytes], None],
        is_over: Callable[[date], bool],
    ) -> None:
        self._codec = codec
        self._words = words
        self._is_over = is_over
        self._trouble = Troubles(words, bounds.shown).reported
        self._reported_codes: set[object] = set()
        self._subscription = Subscription(lambda message: reply(codec.encode(message)), bounds.symbols)
        self.subscribe = self._subscription.subscribe
        self.unsubscribe = self._subscription.unsubscribe

    def read(self, text: str | bytes) -> Sequence[FeedEvent]:
        """Return the events of a message, for invalid parts a `FeedMessage` with the reason.

        Raises:
            UnusableServerError: The message is an error that ends the connection.
        """
        try:
            items = items_of(self._codec, text)
        except BadMessageError as exc:
            return self._trouble(str(exc))
        events: list[FeedEvent] = []
        for item in items:
            try:
                events += self._events(item)
            except (BadMessageError, BadRowError) as exc:
                events += self._trouble(str(exc))
        return events

    def _events(self, item: JsonObject) -> Sequence[FeedEvent]:
        match item.get("T"):
            case "b" | "u":
                return [read_bar(self._known(item), "1m", item)]
            case "d":
                bar = read_bar(self._known(item), "1d", item)
                # Until the close, the server sends a daily bar that is not complete.
                return [bar] if self._is_over(date_of_bar(bar)) else []
            case "s":
                status = read_status(self._known(item), item, self._words)
                return [] if status is None else [status]
            case "subscription":
                return self._subscription.answered(item)
            case "error":
                return self._error(item)
            case "success":
                return []
            case other:
                raise BadMessageError(f"nobody subscribed to messages of the type {shortened(f'{other}')}")

    def _known(self, item: JsonObject) -> str:
        """Return the symbol of a message.

        Raises:
            BadMessageError: The symbol is not subscribed.
        """
        symbol = symbol_of(item.get("S"))
        if symbol not in self._subscription:
            raise BadMessageError(f"{shortened(symbol)} is not subscribed")
        return symbol

    def _error(self, item: JsonObject) -> Sequence[FeedEvent]:
        code, text = error_of(item, self._words)
        is_asking = self._subscription.is_asking
        if (end := ends_connection(code, text, is_asking=is_asking)) is not None:
            raise end
        if is_asking:
            return self._subscription.rejected(code, text)
        if code in self._reported_codes:
            return []
        self._reported_codes.add(code)
        return [FeedMessage(f"Alpaca says {code} {text}")]


def error_of(item: JsonObject, words: ServerText) -> tuple[int, str]:
    """Return the code and the cleaned text of an error.

    Raises:
        BadMessageError: The message has no code.
    """
    code = item.get("code")
    if type(code) is not int:
        raise BadMessageError(f"an error has no code: {shortened(f'{item}')}")
    return code, words.clean(f"{item.get('msg') or ''}") or "without words"

"""One connection to a feed over a websocket, from the first attempt to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from openbell.feeds.websocket_fields import Hello, NonsenseError, json_object
from openbell.feeds.websocket_messages import MessageReader
from openbell.model.feed_events import FeedBack, FeedLost

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from websockets.asyncio.client import ClientConnection
    from websockets.exceptions import ConnectionClosed

    from openbell.feeds.server_words import ServerWords
    from openbell.feeds.websocket_bounds import WebSocketBounds
    from openbell.model.feed_events import FeedEvent

__all__ = ["WebSocketConnection"]

_REFUSED = (401, 403)
_POLICY_VIOLATION = 1008
_TOO_BIG = 1009

# The library's debug log holds the address with its keys, and its errors come as events.
_SILENT = logging.getLogger("openbell.feeds.wire")
_SILENT.disabled = True


class WebSocketConnection:
    """A connection, used within one event loop.

    Args:
        url: The server's address.
        words: Cleans texts of the server.
        bounds: The most that is waited for or taken.
        greet: Takes the hello, and returns why the connection is of no use, or nothing.
        put: Takes events.
    """

    def __init__(
        self,
        url: str,
        words: ServerWords,
        bounds: WebSocketBounds,
        greet: Callable[[Hello], str],
        put: Callable[[WebSocketConnection, Sequence[FeedEvent]], None],
    ) -> None:
        self._url = url
        self._words = words
        self._bounds = bounds
        self._greet = greet
        self._put = put
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()
        self._reader: MessageReader | None = None

    def ask(self, question: Callable[[MessageReader], None]) -> None:
        """Ask the server, if it has said hello."""
        if self._reader is not None:
            question(self._reader)

    async def run(self) -> None:
        """Connect and read until the connection ends, the last event of which is a `FeedLost`."""
        from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

        lost = FeedLost("an error of openbell ended the connection, see the log")
        try:
            await self._live()
        except ConnectionClosed as exc:
            lost = self._closed(exc)
        except InvalidStatus as exc:
            status = exc.response.status_code
            lost = FeedLost(f"{self._words.place} answers with HTTP {status}", is_final=status in _REFUSED)
        except WebSocketException as exc:
            lost = FeedLost(f"no websocket at {self._words.place}: {self._words.clean(str(exc))}")
        except ImportError as exc:
            lost = FeedLost(f"no connection to {self._words.place}: {self._words.clean(str(exc))}", is_final=True)
        except _UselessError as exc:
            lost = FeedLost(self._words.clean(str(exc)), is_final=exc.is_final)
        except OSError as exc:
            lost = FeedLost(f"no connection to {self._words.place}: {self._words.of_network_error(exc)}")
        finally:
            self._put(self, [lost])

    async def _live(self) -> None:
        from websockets.asyncio.client import connect

        connection = await connect(
            self._url,
            open_timeout=self._bounds.answer_s,
            ping_interval=self._bounds.ping_s,
            ping_timeout=self._bounds.ping_s,
            close_timeout=self._bounds.close_s,
            max_size=self._bounds.message_bytes,
            proxy=None if self._words.is_local else True,
            logger=_SILENT,
        )
        sender = asyncio.create_task(self._send_all(connection))
        try:
            reader = self._reader = await self._open(connection)
            self._put(self, [FeedBack()])
            while True:
                self._put(self, reader.read(await connection.recv()))
        finally:
            sender.cancel()
            try:
                await connection.close()
            finally:
                connection.transport.abort()

    async def _open(self, connection: ClientConnection) -> MessageReader:
        """Wait for the hello, and return a reader of what follows."""
        try:
            async with asyncio.timeout(self._bounds.answer_s):
                text = await connection.recv()
        except TimeoutError:
            raise _UselessError(f"{self._words.place} said no hello within {self._bounds.answer_s:g} seconds") from None
        try:
            hello = Hello(json_object(text))
        except NonsenseError as exc:
            raise _UselessError(f"{self._words.place} speaks another protocol: {exc}") from None
        if reason := self._greet(hello):
            raise _UselessError(reason, is_final=True)
        return MessageReader(hello.intervals, self._bounds, self._words, self._outgoing.put_nowait)

    async def _send_all(self, connection: ClientConnection) -> None:
        from websockets.exceptions import ConnectionClosed

        # Whoever reads gets the same error, and tells it.
        with contextlib.suppress(ConnectionClosed):
            while True:
                await connection.send(await self._outgoing.get())

    def _closed(self, exc: ConnectionClosed) -> FeedLost:
        """Return the loss in words."""
        if exc.sent is not None and not exc.rcvd_then_sent:
            if exc.sent.code == _TOO_BIG:
                return FeedLost(f"the feed sent a message of more than {self._bounds.message_bytes:,} bytes")
            return FeedLost(f"the feed broke the rules of websockets: {self._words.clean(exc.sent.reason)}")
        if exc.rcvd is not None:
            said = f"{exc.rcvd.code} {self._words.clean(exc.rcvd.reason)}".strip()
            return FeedLost(f"the feed closed the connection ({said})", is_final=exc.rcvd.code == _POLICY_VIOLATION)
        cause = exc.__cause__
        if isinstance(cause, OSError):
            return FeedLost(f"the connection broke off: {self._words.of_network_error(cause)}")
        return FeedLost("the connection broke off")


class _UselessError(Exception):
    """A server that one can connect to, but not use."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final

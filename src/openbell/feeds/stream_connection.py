"""One connection over a websocket in any protocol, from attempt to end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from openbell.feeds.http_dates import date_header_ns, pause_of
from openbell.model.feed_events import FeedClock, FeedConnected, FeedLost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from websockets.asyncio.client import ClientConnection
    from websockets.exceptions import ConnectionClosed

    from openbell.feeds.server_text import ServerText
    from openbell.feeds.websocket_bounds import WebSocketBounds
    from openbell.model.broker_events import BrokerEvent
    from openbell.model.feed_events import FeedEvent

__all__ = ["Reader", "StreamConnection", "UnusableServerError"]

_REFUSED = (401, 403)
_POLICY_VIOLATION = 1008
_TOO_BIG = 1009

# Disabled, because the library's debug log holds the address with its keys, and errors are reported as events.
_SILENT = logging.getLogger("openbell.feeds.wire")
_SILENT.disabled = True


class Reader(Protocol):
    """A parser of messages into events."""

    def read(self, text: str | bytes) -> Sequence[FeedEvent | BrokerEvent]:
        """Return the events of a message.

        Raises:
            UnusableServerError: The connection cannot be used any more.
        """


R = TypeVar("R", bound=Reader)


class UnusableServerError(Exception):
    """A server accepts the connection but cannot be used.

    Args:
        reason: The reason, as text for users.
        is_final: Whether further attempts make no sense.
        after_s: The fewest seconds until the next attempt.
    """

    def __init__(self, reason: str, *, is_final: bool = False, after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.is_final = is_final
        self.after_s = after_s


class StreamConnection(ABC, Generic[R]):
    """A connection, used within one event loop.

    Args:
        url: The server's address.
        words: Cleans texts of the server.
        bounds: The limits of times and sizes.
        put: Takes this connection and its events.
        now_ns: Returns the machine's time, nanoseconds since 1970 UTC.

    Attributes:
        reports_clock: Whether the Date header of the server's response is reported as a `FeedClock`.
    """

    reports_clock = False

    def __init__(
        self,
        url: str,
        words: ServerText,
        bounds: WebSocketBounds,
        put: Callable[[StreamConnection[R], Sequence[FeedEvent | BrokerEvent]], None],
        now_ns: Callable[[], int],
    ) -> None:
        self._url = url
        self._words = words
        self._bounds = bounds
        self._put = put
        self._now_ns = now_ns
        self._outgoing: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._reader: R | None = None

    def ask(self, question: Callable[[R], None]) -> None:
        """Call a function with the reader, if the connection is open."""
        if self._reader is not None:
            question(self._reader)

    async def run(self) -> None:
        """Connect and read until the connection ends, the last event of which is a `FeedLost`."""
        from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

        lost = FeedLost("an error of openbell ended the connection, see the log")
        try:
            await self._connect_and_read()
        except ConnectionClosed as exc:
            lost = self._loss_of(exc)
        except InvalidStatus as exc:
            status = exc.response.status_code
            lost = FeedLost(
                f"{self._words.place} answers with HTTP {status}",
                is_final=status in _REFUSED,
                after_s=pause_of(exc.response.headers.get("Retry-After")),
            )
        except WebSocketException as exc:
            lost = FeedLost(f"no websocket at {self._words.place}: {self._words.clean(str(exc))}")
        except ImportError as exc:
            lost = FeedLost(f"no connection to {self._words.place}: {self._words.clean(str(exc))}", is_final=True)
        except UnusableServerError as exc:
            lost = FeedLost(self._words.clean(str(exc)), is_final=exc.is_final, after_s=exc.after_s)
        except OSError as exc:
            lost = FeedLost(f"no connection to {self._words.place}: {self._words.of_network_error(exc)}")
        finally:
            self._put(self, [lost])

    @property
    def _headers(self) -> Mapping[str, str]:
        """Headers of the request for a connection."""
        return {}

    @abstractmethod
    async def _open(self, connection: ClientConnection) -> R:
        """Exchange the first messages of the protocol, and return a reader of all further ones.

        Raises:
            UnusableServerError: The server cannot be used.
        """

    async def _connect_and_read(self) -> None:
        from websockets.asyncio.client import connect

        asked_ns = self._now_ns()
        connection = await connect(
            self._url,
            additional_headers=self._headers,
            open_timeout=self._bounds.answer_s,
            ping_interval=self._bounds.ping_s,
            ping_timeout=self._bounds.ping_s,
            close_timeout=self._bounds.close_s,
            max_size=self._bounds.message_bytes,
            proxy=None if self._words.is_local else True,
            logger=_SILENT,
        )
        heard_ns = self._now_ns()
        sender = asyncio.create_task(self._send_all(connection))
        try:
            reader = await self._open(connection)
            self._reader = reader
            self._put(self, [*self._clock(connection, asked_ns, heard_ns), FeedConnected()])
            while True:
                self._put(self, reader.read(await connection.recv()))
        finally:
            sender.cancel()
            try:
                await connection.close()
            finally:
                connection.transport.abort()

    def _clock(self, connection: ClientConnection, asked_ns: int, heard_ns: int) -> Sequence[FeedEvent]:
        if not self.reports_clock or connection.response is None:
            return []
        server_ns = date_header_ns(connection.response.headers.get("Date"))
        return [] if server_ns is None else [FeedClock(server_ns, asked_ns, heard_ns)]

    async def _message(self, connection: ClientConnection, what: str) -> str | bytes:
        """Return the next message.

        Raises:
            UnusableServerError: No message arrived within ``bounds.answer_s`` seconds.
        """
        try:
            async with asyncio.timeout(self._bounds.answer_s):
                return await connection.recv()
        except TimeoutError:
            raise UnusableServerError(
                f"{self._words.place} sent no {what} within {self._bounds.answer_s:g} seconds"
            ) from None

    async def _send_all(self, connection: ClientConnection) -> None:
        from websockets.exceptions import ConnectionClosed

        # The reading coroutine gets the same error, and reports it.
        with contextlib.suppress(ConnectionClosed):
            while True:
                await connection.send(await self._outgoing.get())

    def _loss_of(self, exc: ConnectionClosed) -> FeedLost:
        """Return the event for a closed connection, with the reason as text."""
        if exc.sent is not None and not exc.rcvd_then_sent:
            if exc.sent.code == _TOO_BIG:
                return FeedLost(f"the feed sent a message of more than {self._bounds.message_bytes:,} bytes")
            return FeedLost(f"the feed broke the rules of websockets: {self._words.clean(exc.sent.reason)}")
        if exc.rcvd is not None:
            reason = f"{exc.rcvd.code} {self._words.clean(exc.rcvd.reason)}".strip()
            return FeedLost(f"the feed closed the connection ({reason})", is_final=exc.rcvd.code == _POLICY_VIOLATION)
        cause = exc.__cause__
        if isinstance(cause, OSError):
            return FeedLost(f"the connection broke off: {self._words.of_network_error(cause)}")
        return FeedLost("the connection broke off")

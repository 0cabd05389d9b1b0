"""Alpaca's stream of trade updates over a websocket, in binary frames."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from live.alpaca_server import KEYS
from live.socket_server import SocketServer, bound

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response


class TradeUpdates(SocketServer):
    """A stream server in a thread of its own.

    Args:
        date_text: Returns what its clock shows.

    Attributes:
        refuses: Whether good keys are refused.
        refuses_to_listen: Whether it acknowledges no stream.
        sent: Trade updates that went out on some connection.
        connects: How often a client has connected.
    """

    def __init__(self, date_text: Callable[[], str]) -> None:
        self._date_text = date_text
        self.refuses = False
        self.refuses_to_listen = False
        self.sent: list[dict[str, Any]] = []
        self.connects = 0
        self._listening: dict[ServerConnection, int] = {}
        self._connections: set[ServerConnection] = set()
        super().__init__("trade updates")

    @property
    def listeners(self) -> int:
        """How many clients listen."""
        return len(self._listening)

    @property
    def said(self) -> int:
        """How many updates went out on the newest connection."""
        return list(self._listening.values() or [0])[-1]

    def say(self, update: dict[str, Any]) -> None:
        """Send an update to all that listen."""
        self._do(self._broadcast(update))

    def error(self, text: str) -> None:
        """Say an error, and close all connections."""
        self._do(self._error(text))

    def cut(self) -> None:
        """Break all connections off."""
        self._do(self._cut())

    # In its thread

    async def _start(self) -> None:
        self._server = await serve(self._serve, sock=bound(self.port), process_response=self._date, ping_interval=None)

    async def _cut(self) -> None:
        for connection in list(self._connections):
            connection.transport.close()
            await connection.wait_closed()

    async def _error(self, text: str) -> None:
        for connection in list(self._connections):
            with suppress(ConnectionClosed):
                await connection.send(json.dumps({"action": "error", "data": {"error_message": text}}).encode())
            await connection.close()

    def _date(self, connection: ServerConnection, request: Request, response: Response) -> Response:
        del response.headers["Date"]
        response.headers["Date"] = self._date_text()
        return response

    async def _broadcast(self, update: dict[str, Any]) -> None:
        for connection in list(self._listening):
            self._listening[connection] += 1
            await self._tell(connection, "trade_updates", update)
        if self._listening:
            self.sent.append(update)

    async def _tell(self, connection: ServerConnection, stream: str, data: dict[str, Any]) -> None:
        with suppress(ConnectionClosed):
            await connection.send(json.dumps({"stream": stream, "data": data}).encode())

    async def _serve(self, connection: ServerConnection) -> None:
        self.connects += 1
        self._connections.add(connection)
        may_listen = False
        try:
            async for text in connection:
                message = json.loads(text)
                action = message["action"]
                if action in ("auth", "authenticate"):
                    may_listen = _keys_of(message) == (KEYS.key_id, KEYS.secret) and not self.refuses
                    status = "authorized" if may_listen else "unauthorized"
                    await self._tell(connection, "authorization", {"status": status, "action": "authenticate"})
                elif not may_listen:
                    await self._tell(connection, "authorization", {"status": "unauthorized", "action": action})
                elif action == "listen":
                    await self._listen(connection, message["data"]["streams"])
        except ConnectionClosed:
            pass
        finally:
            self._connections.discard(connection)
            self._listening.pop(connection, None)

    async def _listen(self, connection: ServerConnection, streams: list[str]) -> None:
        known = [name for name in streams if name == "trade_updates" and not self.refuses_to_listen]
        self._listening.pop(connection, None)
        await self._tell(connection, "listening", {"streams": known})
        if known:
            self._listening[connection] = 0


def _keys_of(message: dict[str, Any]) -> tuple[str | None, str | None]:
    """The keys of a message, in the form of the documents or in that of Alpaca's own client."""
    if message["action"] == "auth":
        return message.get("key"), message.get("secret")
    data = message.get("data") or {}
    return data.get("key_id"), data.get("secret_key")

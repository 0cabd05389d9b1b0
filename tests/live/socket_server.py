"""A websocket server of a test in a thread of its own, which can refuse connections and keeps its port meanwhile."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from live.virtual_time import HANGS_AFTER_S

if TYPE_CHECKING:
    from collections.abc import Coroutine

_Result = TypeVar("_Result")


class SocketServer:
    """Base of servers that listen on one port from their making on.

    Args:
        name: What the thread is called.

    Attributes:
        port: The port.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name)
        self._thread.start()
        # Keeps the port while nobody listens there.
        self._keeper = bound(0)
        self.port = self._keeper.getsockname()[1]
        self._server: Any = None
        self.accept()

    def stop(self) -> None:
        """End it."""
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._keeper.close()

    def cut(self) -> None:
        """Break all connections off."""
        raise NotImplementedError

    def refuse(self) -> None:
        """Listen no longer, and break all connections off."""
        self.cut()
        if self._server is not None:
            self._do(self._stop())

    def accept(self) -> None:
        """Listen."""
        self._do(self._start())

    # In the server's thread

    def _do(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(HANGS_AFTER_S)

    async def _start(self) -> None:
        raise NotImplementedError

    async def _stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()
        self._server = None


def bound(port: int) -> socket.socket:
    """A socket at a port, which several may have, but only one listens at."""
    # With its protocol, by which asyncio knows that it may switch off the wait for more to send.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(("127.0.0.1", port))
    return made

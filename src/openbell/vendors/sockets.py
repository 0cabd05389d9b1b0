"""Open sockets of an HTTP adapter, which another thread can shut."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3 import PoolManager

__all__ = ["OpenSockets"]


class OpenSockets:
    """Collects the sockets of the pool managers that it watches.

    May be used from any thread.
    """

    def __init__(self) -> None:
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()

    def watch(self, manager: PoolManager) -> None:
        """Collect each socket that connections of a pool manager open from now on."""
        note = self._note

        class Http(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                note(self.sock)

        class Https(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                note(self.sock)

        class HttpPool(HTTPConnectionPool):
            ConnectionCls = Http

        class HttpsPool(HTTPSConnectionPool):
            ConnectionCls = Https

        manager.pool_classes_by_scheme = {"http": HttpPool, "https": HttpsPool}

    def shut(self) -> None:
        """Shut all sockets, so that threads that read or write them get an error."""
        with self._lock:
            for each in self._sockets:
                with contextlib.suppress(OSError):
                    # Not the method of a TLS socket, which another thread may be reading from.
                    socket.socket.shutdown(each, socket.SHUT_RDWR)

    @contextlib.contextmanager
    def shut_after(self, seconds: float) -> Iterator[threading.Event]:
        """Shut all sockets if the ``with`` block takes longer than a number of seconds.

        Yields:
            An event that is set when they were shut; a body read until then may look complete without being so.
        """
        late = threading.Event()

        def end() -> None:
            late.set()
            self.shut()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield late
        finally:
            timer.cancel()

    def _note(self, opened: Any) -> None:
        with self._lock:
            self._sockets = {each for each in self._sockets if each.fileno() != -1}
            self._sockets.add(opened)

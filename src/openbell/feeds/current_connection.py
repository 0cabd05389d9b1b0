"""The current connection to a stream, of those that were made so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Literal, TypeAlias

from openbell.feeds.loop_thread import LoopThread
from openbell.feeds.stream_connection import R, StreamConnection

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CurrentConnection", "LinkState"]

LinkState: TypeAlias = Literal["closed", "opening", "open"]
"""State of the connection, from the first attempt until it is lost or given up."""


class CurrentConnection(Generic[R]):
    """One connection at a time, in a thread of its own.

    It has no lock: the owner holds one during each call.

    Args:
        name: The name of the thread.

    Attributes:
        state: The state of the connection.
        connection: The connection, None when there is none.
        read: Number of messages read from this connection and passed on.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.state: LinkState = "closed"
        self.connection: StreamConnection[R] | None = None
        self.read = 0
        self._thread: LoopThread | None = None
        self._cancel: Callable[[], None] | None = None

    def begin(self, connection: StreamConnection[R]) -> None:
        """Begin to connect, after the previous connection was given up."""
        if self._thread is None:
            self._thread = LoopThread(self._name)
        self.connection = connection
        self.state, self.read = "opening", 0
        self._cancel = self._thread.start(connection.run())

    def opened(self) -> None:
        """Record that the connection is open."""
        self.state = "open"

    def lost(self) -> None:
        """Record that the connection has ended."""
        self.state = "closed"
        self.connection = self._cancel = None

    def give_up(self) -> None:
        """End the connection, if there is one, and forget it."""
        cancel = self._cancel
        self.lost()
        if cancel is not None:
            cancel()

    def ask(self, question: Callable[[R], None]) -> None:
        """Call a function with the connection's reader, in the connection's thread, if there is a connection."""
        if self._thread is not None and self.connection is not None:
            self._thread.call(self.connection.ask, question)

    def end(self) -> LoopThread | None:
        """Give up the connection for good, and return its thread.

        The thread is to be closed without the owner's lock.
        """
        self.give_up()
        thread, self._thread = self._thread, None
        return thread

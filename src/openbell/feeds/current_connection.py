"""The connection to a stream that is used now, of those that were made so far."""

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

    Its owner holds a lock of its own in each call.

    Args:
        name: What the thread is called.

    Attributes:
        state: The state of the connection.
        connection: The connection, None when there is none.
        read: Number of messages that were read and passed on, over this connection.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.state: LinkState = "closed"
        self.connection: StreamConnection[R] | None = None
        self.read = 0
        self._thread: LoopThread | None = None
        self._cancel: Callable[[], None] | None = None

    def begin(self, connection: StreamConnection[R]) -> None:
        """Begin to connect, after the connection before was given up."""
        if self._thread is None:
            self._thread = LoopThread(self._name)
        self.connection = connection
        self.state, self.read = "opening", 0
        self._cancel = self._thread.start(connection.run())

    def opened(self) -> None:
        """Take up that the connection is there."""
        self.state = "open"

    def lost(self) -> None:
        """Take up that the connection has ended."""
        self.state = "closed"
        self.connection = self._cancel = None

    def give_up(self) -> None:
        """End the connection, if there is one, and forget it."""
        cancel = self._cancel
        self.lost()
        if cancel is not None:
            cancel()

    def ask(self, question: Callable[[R], None]) -> None:
        """Ask something in the connection's thread, if there is a connection."""
        if self._thread is not None and self.connection is not None:
            self._thread.call(self.connection.ask, question)

    def end(self) -> LoopThread | None:
        """Give the connection up for good, and return the thread, which is to be closed without the lock."""
        self.give_up()
        thread, self._thread = self._thread, None
        return thread

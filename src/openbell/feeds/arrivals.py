"""Arrival of events in a live session, and the time outside of the session clock."""

from __future__ import annotations

from collections import deque
from threading import Condition, Timer
from typing import TYPE_CHECKING, NamedTuple, Protocol

from openbell.timing.clock import WallClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.model.broker_events import BrokerEvent
    from openbell.model.feed_events import FeedEvent

__all__ = ["Arrival", "Arrivals", "FilledArrivals", "Inbox"]


class Arrival(NamedTuple):
    """An event with the time of its arrival.

    Attributes:
        time_ns: The time of arrival, nanoseconds since 1970 UTC.
        event: The event.
    """

    time_ns: int
    event: FeedEvent | BrokerEvent


class Arrivals(Protocol):
    """Events of a feed as they arrive, and the time outside of the session clock.

    A live session takes this time from here alone, so that one in accelerated time needs only other arrivals.
    """

    @property
    def now_ns(self) -> int:
        """Time now, nanoseconds since 1970 UTC."""

    def next(self, until_ns: int) -> Arrival | None:
        """Wait for the next event, and return None at a time or after `wake`."""

    def wake(self) -> None:
        """Let `next` return None once, even if it waits.

        May be called from any thread.
        """


class FilledArrivals(Arrivals, Protocol):
    """Arrivals that a feed's own thread fills."""

    def put(self, event: FeedEvent | BrokerEvent) -> None:
        """Add an event that arrives now, from any thread."""

    def at(self, time_ns: int, action: Callable[[], None]) -> None:
        """Call ``action`` when a time is reached, in any thread."""


class Inbox:
    """Arrivals by the machine's clock, filled by the thread that reads from a feed."""

    def __init__(self) -> None:
        self._events: deque[Arrival] = deque()
        self._changed = Condition()
        self._is_woken = False
        self._clock = WallClock()

    @property
    def now_ns(self) -> int:
        """The machine's time, nanoseconds since 1970 UTC."""
        return self._clock.now_ns

    def put(self, event: FeedEvent | BrokerEvent) -> None:
        """Add an event that arrives now, from any thread."""
        with self._changed:
            self._events.append(Arrival(self.now_ns, event))
            self._changed.notify_all()

    def at(self, time_ns: int, action: Callable[[], None]) -> None:
        """Call ``action`` when a time is reached, in a thread of its own."""
        timer = Timer(max(0.0, (time_ns - self.now_ns) / 1e9), action)
        timer.daemon = True
        timer.start()

    def wake(self) -> None:
        """Let `next` return None once if no event is there, from any thread."""
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()

    def next(self, until_ns: int) -> Arrival | None:
        """Wait for the next event, and return None at a time or after `wake`."""
        with self._changed:
            while not self._events and not self._is_woken:
                left = (until_ns - self.now_ns) / 1e9
                if left <= 0:
                    return None
                # In short steps, so that Ctrl-C works on every system.
                self._changed.wait(min(left, 0.2))
            self._is_woken = False
            return self._events.popleft() if self._events else None

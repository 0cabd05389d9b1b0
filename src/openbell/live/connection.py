"""Connection to a feed, made again when it is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.feeds.feed import Feed
    from openbell.model.feed_events import FeedLost

__all__ = ["Connection"]

_SECOND_NS = 1_000_000_000
_FIRST_NS, _LONGEST_NS = 1 * _SECOND_NS, 60 * _SECOND_NS


class Connection:
    """Says when to connect again, and does it.

    Args:
        feed: The feed.
        say: Tells people.

    Attributes:
        is_down: Whether there is no connection.
        lost_since_ns: Since when bars may be missing, nanoseconds since 1970 UTC.
        next_ns: When to try again, None when that is not due.
        has_ended: Whether it makes no sense to try again.
        losses: How many times a connection was lost.
    """

    def __init__(self, feed: Feed, say: Callable[[str], None]) -> None:
        self._feed = feed
        self._say = say
        self.is_down = True
        self.has_ended = False
        self.lost_since_ns = 0
        self.next_ns: int | None = None
        self.losses = 0
        self._attempts = 0

    def lost(self, event: FeedLost, time_ns: int) -> None:
        """Take up that there is no connection."""
        if not self.is_down:
            self.losses += 1
            self.lost_since_ns = time_ns
        self.is_down = True
        delay_ns = min(_FIRST_NS * 2**self._attempts, _LONGEST_NS)
        self._attempts += 1
        self.has_ended = event.is_final
        self.next_ns = None if event.is_final else time_ns + delay_ns
        again = "it is final" if event.is_final else f"next try in {delay_ns / 1e9:g} s"
        self._say(f"the feed {self._feed.name} is down: {event.reason} ({again})")

    def came_back(self) -> bool:
        """Take up that there is a connection.

        Returns:
            Whether bars were lost meanwhile.
        """
        was_lost = self.is_down and self.losses > 0
        self.is_down, self.next_ns, self._attempts = False, None, 0
        if was_lost:
            self._say(f"the feed {self._feed.name} is back")
        return was_lost

    def act(self, now_ns: int) -> None:
        """Try again if that is due."""
        if self.next_ns is not None and now_ns >= self.next_ns:
            self.next_ns = None
            self._feed.connect()

"""Intervals that a live session has of each symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.feeds.feed import SymbolIntervals

if TYPE_CHECKING:
    from openbell.feeds.feed import Feed
    from openbell.live.record.feed_record import FeedRecord

__all__ = ["OfferedIntervals"]


class OfferedIntervals:
    """Asks the feed for the intervals of a symbol once, and records what it says of that symbol alone.

    Args:
        feed: The feed.
        record: What is recorded of the run.
        day: The session's day, as the record has it.
    """

    def __init__(self, feed: Feed, record: FeedRecord, day: str) -> None:
        self._feed = feed
        self._record = record
        self._day = day
        self._known: dict[str, SymbolIntervals] = {}

    def __call__(self, symbol: str) -> SymbolIntervals:
        """Return the intervals of a symbol."""
        known = self._known.get(symbol)
        if known is None:
            said = self._feed.intervals_of(symbol)
            if said is not None:
                self._record.offered(self._day, symbol, *said)
            known = self._known[symbol] = said or SymbolIntervals(self._feed.intervals, self._feed.intervals)
        return known

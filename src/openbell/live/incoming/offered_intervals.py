"""Intervals that a feed has of each symbol in a live session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.feeds.feed import SymbolIntervals

if TYPE_CHECKING:
    from openbell.feeds.feed import Feed
    from openbell.live.record.feed_record import FeedRecord

__all__ = ["OfferedIntervals"]


class OfferedIntervals:
    """Returns the intervals that the feed has of a symbol.

    The feed is asked once for each symbol, and intervals that are particular to a symbol are recorded.

    Args:
        feed: The feed.
        record: The record of the run.
        day: The session's day, as the record has it.
    """

    def __init__(self, feed: Feed, record: FeedRecord, day: str) -> None:
        self._feed = feed
        self._record = record
        self._day = day
        self._known: dict[str, SymbolIntervals] = {}

    def __call__(self, symbol: str) -> SymbolIntervals:
        """Return the intervals of a symbol, those of the whole feed unless the feed knows better."""
        known = self._known.get(symbol)
        if known is None:
            particular = self._feed.intervals_of(symbol)
            if particular is not None:
                self._record.offered(self._day, symbol, *particular)
            known = self._known[symbol] = particular or SymbolIntervals(self._feed.intervals, self._feed.intervals)
        return known

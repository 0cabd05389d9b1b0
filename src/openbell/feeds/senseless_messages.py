"""Words about messages of a feed that make no sense."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.model.feed_events import FeedMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openbell.feeds.server_words import ServerWords

__all__ = ["MOST_SHOWN", "Troubles"]

MOST_SHOWN = 500
"""So much of a text of the server is shown."""


class Troubles:
    """Troubles of one connection, the first of which are reported one by one.

    Args:
        words: Cleans texts of the server.
        shown: How many are reported one by one; after these it is said when they have doubled.
    """

    def __init__(self, words: ServerWords, shown: int) -> None:
        self._words = words
        self._shown = shown
        self._count = 0

    def reported(self, text: str) -> Sequence[FeedMessage]:
        """Return words about a message, if there were not too many already."""
        self._count += 1
        count, shown = self._count, self._shown
        if count <= shown:
            return [FeedMessage(self._words.clean(text, MOST_SHOWN))]
        is_doubled = count % shown == 0 and (count // shown).bit_count() == 1
        return [FeedMessage(f"{count} messages of the feed made no sense by now")] if is_doubled else []

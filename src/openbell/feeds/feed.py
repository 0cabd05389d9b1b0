"""Protocol of a feed, a source of live bars and their history."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from openbell.feeds.arrivals import Arrivals

__all__ = ["Feed", "HistoryRequest", "SymbolIntervals"]


class SymbolIntervals(NamedTuple):
    """Intervals of one symbol, finest first.

    Attributes:
        stored: The intervals that there are bars of.
        bases: The stored intervals on the grid of the sessions, from which other bars are derived.
    """

    stored: tuple[str, ...]
    bases: tuple[str, ...]


class HistoryRequest(NamedTuple):
    """A request for closed bars of one symbol and interval.

    Attributes:
        number: The number by which the answer refers to the request.
        symbol: The symbol.
        interval: One of the intervals that the feed has.
        first: The first day, in the exchange's time zone.
        from_ns: The earliest start of a bar, nanoseconds since 1970 UTC.
        to_ns: The latest close of a bar, nanoseconds since 1970 UTC.
    """

    number: int
    symbol: str
    interval: str
    first: date
    from_ns: int
    to_ns: int


class Feed(Protocol):
    """Source of live bars.

    No method waits for the server: results arrive as events, in the order in which the feed sent them. All methods are
    called by the thread of the session.

    Attributes:
        name: The label of its bars. Warm-up and live bars are joined only if they have the same label.
        intervals: The intervals that the feed sends and has history of, finest first.
        limit: The most symbols of a subscription; None when unknown.
    """

    name: str
    intervals: tuple[str, ...]
    limit: int | None

    @property
    def arrivals(self) -> Arrivals:
        """The events as they arrive, and the time."""

    def begin(self, day: date) -> None:
        """Prepare for the session of a day, before any request for that session."""

    def intervals_of(self, symbol: str) -> SymbolIntervals | None:
        """Return the intervals of a symbol on the session's day, or None.

        None says that every symbol has all ``intervals``.
        """

    def connect(self) -> None:
        """Begin to connect, which ends in `FeedConnected` or `FeedLost`."""

    def subscribe(self, symbols: Iterable[str]) -> None:
        """Subscribe to the bars of further symbols, answered by a `FeedAnswer` with all subscribed symbols."""

    def unsubscribe(self, symbols: Iterable[str]) -> None:
        """Unsubscribe from the bars of symbols, answered by a `FeedAnswer`, too."""

    def request_history(self, request: HistoryRequest) -> None:
        """Request closed bars, answered by a `FeedHistory`."""

    def disconnect(self) -> None:
        """Give up the connection, after which a `FeedLost` may still arrive."""

    def close(self) -> None:
        """Free all connections and threads, after which no event arrives."""

"""Protocol of a feed, which is where live bars and their history come from."""

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
        stored: Those that there are bars of.
        bases: Those of them that lie on the grid of the sessions, and that others are made of.
    """

    stored: tuple[str, ...]
    bases: tuple[str, ...]


class HistoryRequest(NamedTuple):
    """A request for closed bars of one symbol and interval.

    Attributes:
        number: The number that the answer carries.
        symbol: The symbol.
        interval: One of the intervals that the feed has.
        first: The first day, in the exchange's time zone.
        from_ns: Bars that begin then or later are wanted, nanoseconds since 1970 UTC.
        to_ns: Bars that have closed by then are wanted, likewise.
    """

    number: int
    symbol: str
    interval: str
    first: date
    from_ns: int
    to_ns: int


class Feed(Protocol):
    """Source of live bars.

    No method waits: what comes of it arrives as an event, in the order in which the feed sent it. All are called by
    the thread of the session.

    Attributes:
        name: The label of its bars. Warm-up and stream of one label can be put together.
        intervals: The intervals that it sends and has history of, finest first.
        limit: The most symbols that it takes at once; None when it does not say.
    """

    name: str
    intervals: tuple[str, ...]
    limit: int | None

    @property
    def arrivals(self) -> Arrivals:
        """Its events as they come, and the time that passes."""

    def begin(self, day: date) -> None:
        """Hear which session comes next, before anything is asked of it."""

    def intervals_of(self, symbol: str) -> SymbolIntervals | None:
        """Return the intervals that it has of a symbol on that day, None when it has all of its intervals of each."""

    def connect(self) -> None:
        """Begin to connect, which ends in `FeedBack` or `FeedLost`."""

    def subscribe(self, symbols: Iterable[str]) -> None:
        """Ask for the bars of further symbols, which ends in a `FeedAnswer` with the whole subscription."""

    def unsubscribe(self, symbols: Iterable[str]) -> None:
        """Ask for no more bars of symbols, which ends in a `FeedAnswer`, too."""

    def request_history(self, request: HistoryRequest) -> None:
        """Ask for closed bars, which ends in a `FeedHistory`."""

    def disconnect(self) -> None:
        """Give up the connection, after which a `FeedLost` may still come."""

    def close(self) -> None:
        """Free everything, after which nothing comes."""

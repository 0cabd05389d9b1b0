"""Events of a feed, as they arrive in a live session."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

__all__ = [
    "FeedAnswer",
    "FeedBar",
    "FeedClock",
    "FeedConnected",
    "FeedEvent",
    "FeedHealth",
    "FeedHistory",
    "FeedLost",
    "FeedMessage",
    "TradingStatus",
]

FeedHealth: TypeAlias = Literal["LIVE", "BACKFILLING", "STALE", "DOWN", "LAGGING"]
"""State of a feed over all its subscriptions; ``LAGGING`` is a live feed that the session does not keep up with."""


class FeedBar(NamedTuple):
    """A closed bar as a feed sends it, for the first time or corrected.

    Attributes:
        symbol: The symbol.
        interval: The canonical interval, one of those that the feed has.
        start_ns: When the bar begins, nanoseconds since 1970 UTC; of a daily bar, midnight UTC of its date.
        open: Opening price.
        high: Highest price.
        low: Lowest price.
        close: Closing price.
        volume: Units traded.
    """

    symbol: str
    interval: str
    start_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True)
class FeedAnswer:
    """The whole subscription as the feed has acknowledged it, with the symbols that it refuses.

    Attributes:
        symbols: All symbols that the feed sends bars of from now on.
        refused: Why the feed refuses other symbols that were requested, by symbol.
    """

    symbols: frozenset[str]
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FeedHistory:
    """The answer to a request for history.

    Attributes:
        number: The number of the request.
        bars: Bars in ascending time, by symbol and interval as asked for.
        error: Why there are no bars; empty when the request succeeded.
        actions: Corporate actions of the symbol, with the columns of `ACTION_SCHEMA`; None when the feed has none.
    """

    number: int
    bars: Sequence[FeedBar] = ()
    error: str = ""
    actions: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class TradingStatus:
    """Halt or resumption of trading in a symbol.

    Attributes:
        symbol: The symbol.
        is_halted: Whether it is halted from now on.
        reason: What the feed says about it.
    """

    symbol: str
    is_halted: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FeedLost:
    """Loss of the connection to the feed, or failure to connect.

    Attributes:
        reason: Why.
        is_final: Whether a retry is pointless, for example because the feed refuses the account.
        after_s: The least seconds before the next attempt, where the feed asks for a delay.
    """

    reason: str
    is_final: bool = False
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class FeedConnected:
    """Connection to the feed, on which nothing is subscribed yet."""


@dataclass(frozen=True, slots=True)
class FeedMessage:
    """Text about the feed for people, such as its warnings or a message that cannot be parsed.

    Attributes:
        text: The text.
    """

    text: str


@dataclass(frozen=True, slots=True)
class FeedClock:
    """Time of a server to the second, beside this machine's time before and after the request.

    Attributes:
        server_ns: The second that the server's answer named, nanoseconds since 1970 UTC.
        asked_ns: The machine's time when the request was sent, nanoseconds since 1970 UTC.
        heard_ns: The machine's time when the answer had arrived, nanoseconds since 1970 UTC.
    """

    server_ns: int
    asked_ns: int
    heard_ns: int

    @property
    def ahead_ns(self) -> int:
        """Least nanoseconds by which the machine's clock is ahead of the server's (negative when behind)."""
        if self.heard_ns < self.server_ns:
            return self.heard_ns - self.server_ns
        return max(0, self.asked_ns - self.server_ns - _SECOND_NS)


_SECOND_NS = 1_000_000_000


FeedEvent: TypeAlias = (
    FeedBar | FeedAnswer | FeedHistory | TradingStatus | FeedLost | FeedConnected | FeedMessage | FeedClock
)

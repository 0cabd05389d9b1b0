"""Events of a feed, as they arrive in a live session."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

__all__ = [
    "FeedAnswer",
    "FeedBack",
    "FeedBar",
    "FeedClock",
    "FeedEvent",
    "FeedHealth",
    "FeedHistory",
    "FeedLost",
    "FeedMessage",
    "TradingStatus",
]

FeedHealth: TypeAlias = Literal["LIVE", "BACKFILLING", "STALE", "DOWN", "LAGGING"]
"""State of a feed as a whole, judged over all that is subscribed; or, of one that is live, that the session lags."""


class FeedBar(NamedTuple):
    """A closed bar as a feed sends it, for the first time or corrected.

    Attributes:
        symbol: The symbol.
        interval: The canonical interval, one of those that the feed has.
        start_ns: When the bar begins, nanoseconds since 1970 UTC; of a daily bar, midnight UTC of its date.
        open: Opening price; likewise high, low and close.
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
    """The whole subscription as the feed has acknowledged it, and what it refuses.

    Attributes:
        symbols: All symbols that the feed sends bars of from now on.
        refused: Why it does not send others that were asked for, by symbol.
    """

    symbols: frozenset[str]
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FeedHistory:
    """The answer to a request for history.

    Attributes:
        number: The number of the request.
        bars: Bars in ascending time, by symbol and interval as asked for.
        error: Why there are none; empty when the request was answered.
        actions: Corporate actions of the symbol, with the columns of `ACTION_SCHEMA`; None when the feed has none.
    """

    number: int
    bars: Sequence[FeedBar] = ()
    error: str = ""
    actions: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class TradingStatus:
    """Trading in a symbol is halted, or goes on.

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
    """The connection is lost, or could not be made.

    Attributes:
        reason: Why.
        is_final: Whether it makes no sense to try again, because the feed refuses the account, say.
        after_s: The fewest seconds until the next attempt, where the feed asks for patience.
    """

    reason: str
    is_final: bool = False
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class FeedBack:
    """The connection is there, and nothing is subscribed yet."""


@dataclass(frozen=True, slots=True)
class FeedMessage:
    """Something that the feed says and people should read, such as a message that makes no sense.

    Attributes:
        text: The words.
    """

    text: str


@dataclass(frozen=True, slots=True)
class FeedClock:
    """The second that a server named in an answer, beside the time of this machine.

    Attributes:
        server_ns: The second, nanoseconds since 1970 UTC.
        asked_ns: The machine's time when the question went out, likewise.
        heard_ns: The machine's time when the answer had come.
    """

    server_ns: int
    asked_ns: int
    heard_ns: int

    @property
    def ahead_ns(self) -> int:
        """Nanoseconds by which the machine's clock is ahead of the server's at the least (negative when behind)."""
        if self.heard_ns < self.server_ns:
            return self.heard_ns - self.server_ns
        return max(0, self.asked_ns - self.server_ns - _SECOND_NS)


_SECOND_NS = 1_000_000_000


FeedEvent: TypeAlias = (
    FeedBar | FeedAnswer | FeedHistory | TradingStatus | FeedLost | FeedBack | FeedMessage | FeedClock
)

"""The most that a feed over a websocket may send, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["WebSocketBounds"]


@dataclass(frozen=True)
class WebSocketBounds:
    """The most that is waited for or taken.

    Attributes:
        answer_s: Seconds for the connection, and again for the hello.
        ping_s: Seconds between two pings, and for the answer to one; None sends none.
        close_s: Seconds for the other side to close.
        message_bytes: Size of one message, unpacked.
        history_bars: Bars in the answer to one request, over all its pages.
        symbols: Symbols in one answer.
        shown: How many troubles of one connection are reported one by one. Later, it is said when they have doubled.
    """

    answer_s: float = 10.0
    ping_s: float | None = 20.0
    close_s: float = 1.0
    message_bytes: int = 4 << 20
    history_bars: int = 1_000_000
    symbols: int = 100_000
    shown: int = 20

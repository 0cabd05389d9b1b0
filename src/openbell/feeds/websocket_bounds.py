"""Limits of times and sizes of a feed over a websocket."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["WebSocketBounds"]


@dataclass(frozen=True)
class WebSocketBounds:
    """Limits of times and sizes.

    Attributes:
        answer_s: The most seconds to connect, and again for each of the first messages.
        ping_s: The seconds between two pings, and the most for the answer to one; None sends no pings.
        close_s: The most seconds for the server to close.
        message_bytes: The most bytes of one message, decompressed.
        history_bars: The most bars in the answer to one request, over all its pages.
        symbols: The most symbols in one answer.
        shown: The number of troubles of one connection reported one by one; later, only each doubling is reported.
    """

    answer_s: float = 10.0
    ping_s: float | None = 20.0
    close_s: float = 1.0
    message_bytes: int = 4 << 20
    history_bars: int = 1_000_000
    symbols: int = 100_000
    shown: int = 20

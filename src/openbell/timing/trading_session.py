"""One session of an exchange, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

__all__ = ["Segment", "TradingSession"]


@dataclass(frozen=True, slots=True)
class Segment:
    """Unbroken trading time within a session, in nanoseconds since 1970 UTC."""

    open_ns: int
    close_ns: int
    is_regular: bool


@dataclass(frozen=True, slots=True)
class TradingSession:
    """One trading session, with times in nanoseconds since 1970 UTC.

    Attributes:
        day: The date that names it.
        open_ns: The regular open.
        close_ns: The regular close.
        first_ns: When trading begins; before ``open_ns`` in extended hours.
        last_ns: When trading ends; after ``close_ns`` in extended hours.
        segments: Unbroken trading times, in order.
    """

    day: date
    open_ns: int
    close_ns: int
    first_ns: int
    last_ns: int
    segments: tuple[Segment, ...]

"""Times in the headers of HTTP."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

__all__ = ["date_header_ns", "pause_of"]

_LONGEST_S = 3600.0


def date_header_ns(text: str | None) -> int | None:
    """Return the second that a Date header names, in nanoseconds since 1970 UTC, or None when it names none."""
    try:
        return None if text is None else int(parsedate_to_datetime(text).timestamp()) * 1_000_000_000
    except (ValueError, TypeError, OverflowError):
        return None


def pause_of(text: str | None) -> float:
    """Return the seconds that a Retry-After header asks for, an hour at most (0 when it gives no number)."""
    try:
        seconds = float(text or 0)
    except ValueError:
        return 0.0
    return min(max(seconds, 0.0), _LONGEST_S) if seconds == seconds else 0.0

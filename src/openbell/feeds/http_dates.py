"""Times in HTTP headers."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

__all__ = ["date_header_ns", "pause_of"]

_LONGEST_S = 3600.0


def date_header_ns(text: str | None) -> int | None:
    """Return the time in a Date header, or None if it cannot be parsed.

    It is in nanoseconds since 1970 UTC.
    """
    try:
        return None if text is None else int(parsedate_to_datetime(text).timestamp()) * 1_000_000_000
    except (ValueError, TypeError, OverflowError):
        return None


def pause_of(text: str | None) -> float:
    """Return the seconds in a Retry-After header, at most an hour.

    They are 0 if the header has no number.
    """
    try:
        seconds = float(text or 0)
    except ValueError:
        return 0.0
    return min(max(seconds, 0.0), _LONGEST_S) if seconds == seconds else 0.0

"""Conversion of texts and days to and from addresses."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

from openbell.errors import ConfigError, printable

__all__ = ["day_of", "query"]


def query(**asked: object) -> str:
    """Return the query of an address, with surrogates in texts replaced."""
    return urlencode(asked, errors="replace")


def day_of(text: str) -> date:
    """Return the day that an address names.

    Raises:
        ConfigError: The text is no day.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{printable(text, 40)} is not a day. A day is written as 2024-03-11.") from None

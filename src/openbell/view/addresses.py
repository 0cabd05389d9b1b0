"""Days and texts as addresses hold them."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

from openbell.errors import ConfigError, printable

__all__ = ["day_of", "query"]


def query(**asked: object) -> str:
    """Return the part of an address behind its question mark, also of texts that no file could hold."""
    return urlencode(asked, errors="replace")


def day_of(text: str) -> date:
    """Return the day of an address.

    Raises:
        ConfigError: It is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{printable(text, 40)} is no day. A day is written as 2024-03-11.") from None

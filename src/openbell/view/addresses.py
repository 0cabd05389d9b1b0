"""Days, intervals and texts as addresses hold them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from openbell.errors import ConfigError, printable
from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["day_of", "interval_of", "query"]


def query(**asked: object) -> str:
    """Return the query of an address, with surrogates in texts replaced."""
    return urlencode(asked, errors="replace")


def day_of(text: str) -> date:
    """Return the day that an address names.

    Raises:
        ConfigError: The text is not a day.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{printable(text, 40)} is not a day. A day is written as 2024-03-11.") from None


def interval_of(asked: Mapping[str, str]) -> str:
    """Return the interval that an address asks for in its canonical form, empty when it asks for none.

    Raises:
        IntervalError: It is none.
    """
    text = asked.get("interval", "")
    return str(parse_interval(text)) if text else ""

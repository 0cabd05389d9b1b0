"""Validation of bars that are rows of numbers in JSON."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from openbell.errors import shortened
from openbell.model.feed_events import FeedBar

__all__ = ["BadRowError", "bar_of", "utc_text"]

_SECOND_NS = 1_000_000_000
_DAY_S = 86_400
_LATEST_S = 7_258_118_400  # the year 2200
_HIGHEST = 1e12
_MOST_TRADED = 1e18
_VALUES = ("open", "high", "low", "close", "volume")
# Adjusted prices carry rounding noise in the last digits, which is no contradiction.
_NOISE = 1e-9


class BadRowError(ValueError):
    """A row that is not a valid bar, with the reason as text."""


def bar_of(symbol: str, interval: str, row: Any) -> FeedBar:
    """Validate a row, and return its bar.

    The row has the start in seconds since 1970 UTC, open, high, low, close and volume.

    Raises:
        BadRowError: The row is not a valid bar.
    """
    if type(row) is not list or len(row) != 1 + len(_VALUES):
        raise BadRowError(f"{symbol} {interval}: a bar is a list of start, {', '.join(_VALUES)}, not {_shown(row)}")
    start, opened, high, low, close, volume = row
    if type(start) is not int or not 0 < start < _LATEST_S:
        raise BadRowError(f"{symbol} {interval}: {_shown(start)} is not a start in whole seconds since 1970 UTC")
    if interval == "1d" and start % _DAY_S:
        raise BadRowError(f"{symbol} 1d: a daily bar begins at midnight UTC of its date, not at {utc_text(start)}")
    if interval.endswith("m") and start % 60:
        raise BadRowError(f"{symbol} {interval}: {utc_text(start)} is not at a full minute")
    numbers = type(opened) in _NUMBERS and type(high) in _NUMBERS and type(low) in _NUMBERS
    numbers = numbers and type(close) in _NUMBERS and type(volume) in _NUMBERS
    # False for NaN, too, with which no comparison holds.
    ordered = numbers and 0 < low <= opened <= high < _HIGHEST and low <= close <= high and 0 <= volume < _MOST_TRADED
    if not ordered and (reason := _reason(row)):
        raise BadRowError(f"{symbol} {interval} at {utc_text(start)}: {reason}")
    return FeedBar(
        symbol, interval, start * _SECOND_NS, float(opened), float(high), float(low), float(close), float(volume)
    )


_NUMBERS = (float, int)


def _reason(row: list[Any]) -> str:
    """Return the first reason why a row is not valid, or an empty text."""
    for name, value in zip(_VALUES, row[1:], strict=True):
        if type(value) not in _NUMBERS or (type(value) is float and not math.isfinite(value)):
            return f"the {name} is not a number: {_shown(value)}"
        if value < 0 or (value == 0 and name != "volume"):
            return f"the {name} is {'negative' if value else 'zero'}"
        if value >= (_MOST_TRADED if name == "volume" else _HIGHEST):
            return f"the {name} is out of all bounds"
    _, opened, high, low, close, _ = row
    room = high * _NOISE
    if high < low:
        return "the high is below the low"
    for name, value in (("open", opened), ("close", close)):
        if not low - room <= value <= high + room:
            return f"the {name} lies outside low to high"
    return ""


def utc_text(seconds: int) -> str:
    """Return a time, in seconds since 1970 UTC, as text such as 2024-05-01T13:30:00Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _shown(value: object) -> str:
    # Python refuses to convert integers of thousands of digits to text.
    return "a huge number" if type(value) is int and abs(value) > _MOST_TRADED else shortened(f"{value}")

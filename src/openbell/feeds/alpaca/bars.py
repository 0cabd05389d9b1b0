"""Bars and trading statuses as Alpaca writes them, in its stream and in its history."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from openbell.errors import shortened
from openbell.feeds.json_bars import BadRowError, bar_of
from openbell.model.feed_events import TradingStatus
from openbell.model.interval import DAY_NS
from openbell.timing.grid import date_of, day_number
from openbell.vendors.alpaca import NEW_YORK

if TYPE_CHECKING:
    from datetime import date

    from openbell.feeds.server_text import ServerText
    from openbell.model.feed_events import FeedBar
    from openbell.model.json_object import JsonObject

__all__ = ["date_of_bar", "read_bar", "read_status"]

_DAY_S = DAY_NS // 1_000_000_000
_HALTED = ("2", "H", "P")
"""Codes for a halt, 2 on tapes A and B, H and P (a pause after a swift price move) on tape C."""
_TRADING = ("3", "T")


def read_bar(symbol: str, interval: str, row: JsonObject) -> FeedBar:
    """Return the bar in an object with t, o, h, l, c and v.

    Raises:
        BadRowError: The object is not a valid bar of the interval.
    """
    seconds = _seconds(symbol, interval, row.get("t"))
    if interval == "1d":
        local = datetime.fromtimestamp(seconds, NEW_YORK)
        if (local.hour, local.minute, local.second) != (0, 0, 0):
            raise BadRowError(f"{symbol} 1d: a day's bar is of midnight in New York, not of {local:%Y-%m-%d %H:%M:%S}")
        seconds = day_number(local) * _DAY_S
    elif seconds % 60:
        raise BadRowError(f"{symbol} {interval}: a minute's bar begins with the minute, not {seconds % 60} s after it")
    return bar_of(symbol, interval, [seconds, *(row.get(name) for name in "ohlcv")])


def _seconds(symbol: str, interval: str, value: object) -> int:
    """Return a time, written as text or as msgpack's timestamp, in whole seconds since 1970 UTC.

    Raises:
        BadRowError: The value is not such a time, or has a fraction of a second.
    """
    try:
        if isinstance(value, str) and len(value) <= _LONGEST_TIME:
            time = datetime.fromisoformat(value)
            if time.tzinfo is not None and not time.microsecond:
                return int(time.timestamp())
        elif not getattr(value, "nanoseconds", 1):
            return int(value.seconds)  # type: ignore[attr-defined]  # msgpack's Timestamp
    except (ValueError, OverflowError):
        pass
    raise BadRowError(f"{symbol} {interval}: {shortened(f'{value}')} is not a time of a bar")


_LONGEST_TIME = 40


def date_of_bar(bar: FeedBar) -> date:
    """Return the date of a daily bar."""
    return date_of(bar.start_ns // DAY_NS)


def read_status(symbol: str, row: JsonObject, words: ServerText) -> TradingStatus | None:
    """Return whether a symbol is halted or trades again, else None.

    None stands for a message about anything else.
    """
    code = row.get("sc")
    if code not in (*_HALTED, *_TRADING):
        return None
    texts = (words.clean(f"{row.get(name) or ''}").strip() for name in ("sm", "rm"))
    reasons = ", ".join(filter(None, texts))
    return TradingStatus(symbol, code in _HALTED, f"({reasons})" if reasons else "")

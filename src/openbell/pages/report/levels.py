"""Prices at which orders rested, from the order changes that a run wrote."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from openbell.errors import encodable
from openbell.results.folder.event_files import event_lines

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from openbell.model.json_object import JsonObject

__all__ = ["Level", "resting_levels"]

_OPEN = ("accepted", "partially_filled")


class Level(NamedTuple):
    """A price at which an order rested for a while.

    Attributes:
        kind: "stop" for an order with a stop price, "limit" for any other with a limit price.
        price: The price.
        start_ns: When the order began to rest at the price, nanoseconds since 1970 UTC.
        end_ns: When that ended; None if the order still rested at the end of the run.
    """

    kind: str
    price: float
    start_ns: int
    end_ns: int | None


def resting_levels(folder: Path, symbols: Collection[str]) -> tuple[dict[str, list[Level]], str | None]:
    """Return the levels of orders by symbol, and a text if some may be missing.

    The levels of a bracket's legs begin when its entry has filled. Trailing stops have no levels, because the run does
    not write their prices.

    Args:
        folder: The folder of the run.
        symbols: The symbols to include, as tables have them.
    """
    found: dict[str, list[Level]] = {symbol: [] for symbol in symbols}
    file = folder / "orders.jsonl"
    if not file.is_file():
        return found, None
    resting: dict[str, _Resting] = {}
    filled: dict[str, int] = {}
    try:
        for line in event_lines(file, _naming(symbols)):
            symbol = encodable(str(line["symbol"]))
            if symbol in found:
                _apply_change(line, found[symbol], resting, filled)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return found, f"{file.name} cannot be read to its end: {error}"
    for one in resting.values():
        _close(one, found[one.symbol], None, filled)
    return found, None


def _naming(symbols: Collection[str]) -> re.Pattern[str] | None:
    """Return a pattern that lines about the symbols match.

    It is None if a name has escapes, so that all lines must be read.
    """
    if any("\\" in symbol for symbol in symbols):
        return None
    return re.compile(f'"symbol": (?:{"|".join(re.escape(json.dumps(symbol)) for symbol in symbols)})')


class _Resting(NamedTuple):
    symbol: str
    kind: str
    price: float
    start_ns: int
    parent: str | None


def _apply_change(line: JsonObject, levels: list[Level], resting: dict[str, _Resting], filled: dict[str, int]) -> None:
    """Apply one change of an order to the resting orders, and add a level that has ended."""
    name, now = line["id"], _ns(line["time"])
    if line["status"] in ("filled", "partially_filled"):
        filled.setdefault(name, now)
    price = line["limit"] if line["stop"] is None else line["stop"]
    known = resting.get(name)
    if line["status"] in _OPEN and price is not None:
        if known is not None and known.price == price:
            return
        kind = "limit" if line["stop"] is None else "stop"
        resting[name] = _Resting(encodable(str(line["symbol"])), kind, float(price), now, line["parent"])
    elif known is not None:
        del resting[name]
    if known is not None:
        _close(known, levels, now, filled)


def _close(one: _Resting, levels: list[Level], end_ns: int | None, filled: dict[str, int]) -> None:
    start = one.start_ns
    if one.parent is not None:
        if one.parent not in filled:
            return
        start = max(start, filled[one.parent])
    if end_ns is None or end_ns >= start:
        levels.append(Level(one.kind, one.price, start, end_ns))


def _ns(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000

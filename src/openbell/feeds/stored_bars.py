"""Stored bars as events of a feed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.model.bars import PRICE_COLUMNS
from openbell.model.feed_events import FeedBar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openbell.store.store import BarStore

__all__ = ["stored_bars"]


def stored_bars(store: BarStore, symbols: Iterable[str], interval: str, begin_ns: int, end_ns: int) -> list[FeedBar]:
    """Return the bars of symbols that begin within a range of time.

    They come symbol by symbol, in ascending time.

    Args:
        store: The store.
        symbols: The symbols; those without stored bars of the interval are skipped.
        interval: The interval.
        begin_ns: The earliest start of a bar, nanoseconds since 1970 UTC.
        end_ns: The end of the range, exclusive.

    Raises:
        DamagedFileError: A file cannot be read, or is not what was stored.
    """
    held = [symbol for symbol in symbols if interval in store.intervals(symbol)]
    if not held or begin_ns >= end_ns:
        return []
    rows = store.read_rows(held, interval, begin_ns, end_ns)
    starts = rows.columns["timestamp"].tolist()
    prices = [rows.columns[name].tolist() for name in PRICE_COLUMNS]
    found = []
    for symbol, first, after in rows.runs:
        part = (starts[first:after], *(column[first:after] for column in prices))
        found += [FeedBar(symbol, interval, *fields) for fields in zip(*part, strict=True)]
    return found

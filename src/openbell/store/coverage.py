"""The bars that a store holds, in figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbell.store.layout import instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openbell.store.data_file import FileEntry

__all__ = ["Coverage", "coverage_of"]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The bars of one symbol and interval in a store, in figures.

    Attributes:
        symbol: The symbol.
        interval: A stored interval.
        rows: Number of bars.
        first: Start of the first bar, UTC; likewise last of the last bar. Of daily bars: the date at 00:00 UTC.
        files: Number of data files.
        bytes: Their size.
        built: How many of the bars openbell built itself, see `BarStore.built`.
    """

    symbol: str
    interval: str
    rows: int
    first: datetime
    last: datetime
    files: int
    bytes: int
    built: int = 0


def coverage_of(symbol: str, interval: str, entries: Sequence[FileEntry]) -> Coverage:
    """Return the figures of a symbol and interval from its entries in the manifest."""
    rows, size = sum(e.rows for e in entries), sum(e.bytes for e in entries)
    first, last, built = instant(entries[0].first_ns), instant(entries[-1].last_ns), sum(e.built for e in entries)
    return Coverage(symbol, interval, rows, first, last, len(entries), size, built)

"""Removal of bars from a store, in full or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from openbell.model.interval import DAY_NS
from openbell.store.layout import BAR_SCHEMA, Partition, instant
from openbell.store.writer import StoreWriter
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from openbell.store.store import BarStore

__all__ = ["Removal", "removable", "remove_bars"]


_FIRST_NS, _AFTER_NS = -(2**63), 2**63


@dataclass(frozen=True, slots=True)
class Removal:
    """The bars of one symbol and interval that were removed.

    Attributes are as in `Coverage`; ``rows`` are without those of files that cannot be read.
    """

    symbol: str
    interval: str
    rows: int
    first: datetime
    last: datetime
    files: int


def remove_bars(
    store: BarStore, series: Iterable[tuple[str, str]], first: date | None = None, last: date | None = None
) -> list[Removal]:
    """Remove bars from a store.

    All of them are gone from disk when this returns; after an error, none are. When the last daily bar of a symbol is
    removed, so is the note of which days its daily bars span (`StoreWriter.write`).

    Args:
        store: The store.
        series: The (symbol, interval) pairs whose bars are removed.
        first: First UTC date whose bars are removed; None: from the beginning.
        last: Last such date, inclusive; None: to the end.

    Returns:
        What was removed, for each symbol and interval that had such bars.

    Raises:
        DamagedFileError: A file that would keep some of its bars is not what was stored.
        StoreError: Another process is writing, or the disk is full.
    """
    with store.writer() as writer:
        return _stage(writer, series, first, last)


def removable(
    store: BarStore, series: Iterable[tuple[str, str]], first: date | None = None, last: date | None = None
) -> list[Removal]:
    """Return what `remove_bars` would remove.

    Nothing is changed.
    """
    return _stage(StoreWriter(store.backing, store.manifest), series, first, last)


def _stage(
    writer: StoreWriter, series: Iterable[tuple[str, str]], first: date | None, last: date | None
) -> list[Removal]:
    begin = day_number(first) * DAY_NS if first else _FIRST_NS
    end = (day_number(last) + 1) * DAY_NS if last else _AFTER_NS
    changes: dict[Partition, pl.DataFrame | None] = {}
    removals = []
    for symbol, interval in dict.fromkeys(series):
        rows, before = 0, len(changes)
        times: list[datetime] = []
        for entry in writer.manifest.files.get((symbol, interval), ()):
            partition = Partition(interval, symbol, entry.month)
            starts, ends = instant(entry.first_ns), instant(entry.last_ns)
            if entry.last_ns < begin or entry.first_ns >= end:
                continue
            if begin <= entry.first_ns and entry.last_ns < end:
                # Removed as a whole without being read, since it may be damaged.
                changes[partition] = None
                rows, times = rows + entry.rows, [*times, starts, ends]
                continue
            staying, gone = _split(writer.current(partition), begin, end)
            if gone.height:
                changes[partition] = staying if staying.height else None
                rows, times = rows + gone.height, [*times, gone["timestamp"][0], gone["timestamp"][-1]]
        if times:
            removals.append(Removal(symbol, interval, rows, times[0], times[-1], len(changes) - before))
            if interval == "1d" and _all_go(writer, symbol, changes):
                writer.forget_days(symbol)
    writer.replace(changes)
    return removals


def _all_go(writer: StoreWriter, symbol: str, changes: dict[Partition, pl.DataFrame | None]) -> bool:
    """Return whether no daily bar of the symbol stays."""
    held = [Partition("1d", symbol, entry.month) for entry in writer.manifest.files[symbol, "1d"]]
    return all(partition in changes and changes[partition] is None for partition in held)


def _split(bars: pl.DataFrame | None, begin: int, end: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the bars that stay, and those that are removed."""
    if bars is None:
        return BAR_SCHEMA.to_frame(), BAR_SCHEMA.to_frame()
    # Dates reach further than 64-bit nanoseconds.
    last = min(end, _AFTER_NS) - 1
    goes = pl.col("timestamp").to_physical().is_between(max(begin, _FIRST_NS), last)
    return bars.filter(~goes), bars.filter(goes)

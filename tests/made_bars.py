"""Makes small stores of seeded bars for days and exchanges that the real data does not have."""

from __future__ import annotations

import os
from itertools import product
from typing import TYPE_CHECKING

from openbell.testing import bar_starts, make_store, random_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import polars as pl


def made_store(
    folder: Path,
    symbols: Iterable[str],
    first: str,
    last: str,
    *,
    exchange: str = "XNYS",
    intervals: Iterable[str] = ("1m", "1d"),
    session_hours: str = "regular",
    keep: Callable[[str, str, int], bool] | None = None,
) -> Path:
    """A store with all bars that the calendar expects of these symbols, but for those that ``keep`` refuses."""
    asked = (tuple(symbols), first, last, exchange, tuple(intervals), session_hours)
    if keep is not None or folder.exists():
        return _make(folder, *asked, keep)
    if asked in _MADE:
        return _copy(_MADE[asked], folder)
    _make(folder, *asked, keep)
    if len(_MADE) == MOST_MADE:
        del _MADE[next(iter(_MADE))]
    _MADE[asked] = _files_of(folder)
    return folder


Files = list[tuple[str, bytes, int]]
MOST_MADE = 16
_MADE: dict[tuple[object, ...], Files] = {}
"""The files of the last stores that were made: most are made again, and writing them takes a tenth of the time."""


def _files_of(folder: Path) -> Files:
    """Each file of a store with its content and the time of its last change."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return [(str(path.relative_to(folder)), path.read_bytes(), path.stat().st_mtime_ns) for path in paths]


def _copy(files: Files, folder: Path) -> Path:
    for name, content, changed_ns in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, ns=(changed_ns, changed_ns))
    return folder


def _make(
    folder: Path,
    symbols: tuple[str, ...],
    first: str,
    last: str,
    exchange: str,
    intervals: tuple[str, ...],
    session_hours: str,
    keep: Callable[[str, str, int], bool] | None,
) -> Path:
    frames: dict[str, dict[str, pl.DataFrame]] = {}
    for (number, symbol), interval in product(enumerate(symbols), intervals):
        starts = bar_starts(first, last, interval, exchange=exchange, session_hours=session_hours)  # type: ignore[arg-type]
        kept = starts if keep is None else starts[[keep(symbol, interval, start) for start in starts.tolist()]]
        if len(kept):
            frames.setdefault(symbol, {})[interval] = random_bars(kept, seed=number)
    return make_store(folder, frames)

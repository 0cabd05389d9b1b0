"""The quarantine of rows that an import could not store.

They stay as they were written, with the line and the reason.
"""

from __future__ import annotations

import filecmp
import os
import re
from typing import TYPE_CHECKING

import polars as pl

from openbell.store import layout

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.importers.spill_buffer import SpillBuffer
    from openbell.importers.table import Table

__all__ = ["settle", "write_quarantine"]


def write_quarantine(store: Path, table: Table, bad: SpillBuffer) -> Path | None:
    """Write the bad rows of a table to ``<name>-<n>.csv`` in the store's quarantine.

    Args:
        store: The store's folder.
        table: Where the rows are.
        bad: ``line`` and ``reason`` of each.

    Returns:
        The file; None when there are no such rows.
    """
    reasons = [frame for frame in bad if len(frame)]
    if not reasons:
        return None
    rows = pl.concat(reasons).sort("line")
    folder = store / layout.QUARANTINE
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{_safe(table.source.name)}.tmp"
    with temporary.open("w", encoding="utf-8") as file:
        file.write(table.quarantine_header() + "\n")
        texts = iter(rows["reason"])
        for line, text in table.as_written(rows["line"]):
            file.write(f"{line}{table.separator}{_field(next(texts), table.separator)}{table.separator}{text}\n")
        file.flush()
        os.fsync(file.fileno())
    return settle(temporary, folder, table.source.name)


def settle(temporary: Path, folder: Path, source: str) -> Path:
    """Give a new quarantine file its name.

    When a file holds the same rows already, that one is taken.
    """
    n = 1
    while (path := folder / f"{_safe(source)}-{n}.csv").exists():
        if filecmp.cmp(temporary, path, shallow=False):
            temporary.unlink()
            return path
        n += 1
    temporary.replace(path)
    return path


def _safe(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name)


def _field(text: str, separator: str) -> str:
    return f'"{text}"' if separator in text else text

"""The quarantine of rows that an import could not store.

Each row is kept as it was written, with its line and the reason.
"""

from __future__ import annotations

import filecmp
import os
import re
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING

import polars as pl

from openbell.errors import StoreError
from openbell.importers.files.disk_errors import writing_to
from openbell.store import layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

    from openbell.importers.spill_buffer import SpillBuffer
    from openbell.importers.tables.table import Table

__all__ = ["move_into_place", "write_quarantine"]

_LINES_AT_ONCE = 10_000


def write_quarantine(store: Path, table: Table, bad: SpillBuffer) -> Path | None:
    """Write the bad rows of a table to ``<name>-<n>.csv`` in the store's quarantine.

    Args:
        store: The store's folder.
        table: The table that has the rows.
        bad: ``line`` and ``reason`` of each bad row.

    Returns:
        The file; None when there are no bad rows.

    Raises:
        StoreError: The disk is full, or the folder cannot be written.
    """
    reasons = [frame for frame in bad if len(frame)]
    if not reasons:
        return None
    rows = pl.concat(reasons).sort("line")
    folder = store / layout.QUARANTINE
    temporary = folder / f".{_safe(table.source.name)}.tmp"
    texts, between = iter(rows["reason"]), table.separator
    lines = (
        f"{line}{between}{_field(next(texts), between)}{between}{text}\n"
        for line, text in table.as_written(rows["line"])
    )
    try:
        with writing_to(folder):
            folder.mkdir(parents=True, exist_ok=True)
            file = temporary.open("w", encoding="utf-8")
        with _closing(file):
            with writing_to(folder):
                file.write(table.quarantine_header() + "\n")
            # Outside of `writing_to`, because this reads the source, whose errors are not those of the store.
            while some := "".join(islice(lines, _LINES_AT_ONCE)):
                with writing_to(folder):
                    file.write(some)
            with writing_to(folder):
                file.flush()
                os.fsync(file.fileno())
        with writing_to(folder):
            return move_into_place(temporary, folder, table.source.name)
    except StoreError:
        with suppress(OSError):
            temporary.unlink()
        raise


@contextmanager
def _closing(file: TextIO) -> Iterator[None]:
    """Close a file at the end of the block, and ignore errors of that.

    By then its content is on disk, or given up.
    """
    try:
        yield
    finally:
        with suppress(OSError):
            file.close()


def move_into_place(temporary: Path, folder: Path, source: str) -> Path:
    """Move a new quarantine file to its final name, ``<source>-<n>.csv``, and return it.

    If a file with the same content is there already, that one is returned, and the new one is deleted.
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

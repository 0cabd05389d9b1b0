"""Validation of data files without a checksum, by the bars that they hold.

A file holds good bars of its place if they are valid and of the month in its path.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import polars as pl

from openbell.errors import BadBarsError
from openbell.store import layout
from openbell.store.atomic_files import replace_file, sync_folders
from openbell.store.check_bars import check_bars
from openbell.store.data_file import FileEntry, describe_file, encode_bars
from openbell.store.layout import BAR_SCHEMA, Partition

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["entry_if_valid", "file_problem"]


def entry_if_valid(store: Path, partition: Partition) -> FileEntry | None:
    """Return the manifest's entry for a file that holds good bars of its place, or None.

    A file whose columns only have other types is converted.
    """
    path = layout.data_path(store, partition)
    try:
        frame = pl.read_parquet(io.BytesIO(path.read_bytes()))
        if frame.schema == BAR_SCHEMA:
            return None if _content_problem(partition, frame) else describe_file(path)
        if set(frame.columns) != set(BAR_SCHEMA):
            return None
        bars = layout.as_stored(partition.interval, frame)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, BadBarsError):
        return None
    if _content_problem(partition, bars):
        return None
    content, entry = encode_bars(partition.month, bars)
    replace_file(path, content)
    sync_folders([path.parent])
    return entry


def file_problem(store: Path, partition: Partition) -> str | None:
    """Return why a file's bars are not good ones of its place, or None."""
    try:
        frame = pl.read_parquet(io.BytesIO(layout.data_path(store, partition).read_bytes()))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as exc:
        return str(exc)
    return _content_problem(partition, frame)


def _content_problem(partition: Partition, frame: pl.DataFrame) -> str | None:
    """Return why a frame's bars are not good ones of a place, or None."""
    if frame.schema != BAR_SCHEMA:
        return "its columns are not those of bars"
    try:
        bars = layout.as_stored(partition.interval, frame)
        months = [month for month, _ in layout.partitions(partition.interval, bars)]
        checked = check_bars(frame)
    except (pl.exceptions.PolarsError, BadBarsError) as exc:
        return str(exc)
    if months != [partition.month]:
        return "its bars are of another month"
    if len(checked.bad) or checked.unsorted or checked.duplicates:
        return "its bars contradict themselves"
    return None

"""Writing to a store: merged with what is there, all of a batch or none of a file, and healed after a kill.

A flush goes: (1) a note of the files about to change, (2) each file as temporary file, fsync, rename, (3) the folders
synced,
(4) the manifest likewise, (5) the note deleted. A kill between (1) and (5) leaves whole files and the note; the
next open scans the files that it names and puts them into the manifest.
"""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from openbell.data.check_bars import require_good_bars
from openbell.data.files import replace_file, sync_folders, temporary_of
from openbell.data.layout import MANIFEST, PENDING, Partition, as_stored, data_path, partitions
from openbell.data.manifest import FileEntry, Manifest, describe_file, encode_bars
from openbell.errors import DamagedFileError, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["StoreWriter", "WriteReport", "heal"]

_FLUSH_ROWS = 2_000_000
_FLUSH_FILES = 500
_SYNC_THREADS = 8


@dataclass(frozen=True, slots=True)
class WriteReport:
    """What a write did, in rows: new ones, ones with other values than before, and ones that were there already."""

    added: int = 0
    revised: int = 0
    unchanged: int = 0

    def __add__(self, other: WriteReport) -> WriteReport:
        return WriteReport(self.added + other.added, self.revised + other.revised, self.unchanged + other.unchanged)


class StoreWriter:
    """Collects writes and brings them to disk in batches; made by `BarStore.writer`, which holds the lock meanwhile.

    Attributes:
        manifest: What the store holds by the last flush.
    """

    def __init__(self, store: Path, manifest: Manifest) -> None:
        self._store = store
        self.manifest = manifest
        self._staged: dict[Partition, pl.DataFrame] = {}
        self._staged_rows = 0

    def write(self, symbol: str, interval: str, frame: pl.DataFrame) -> WriteReport:
        """Add bars to a (symbol, interval); bars of times that are there take their place.

        Args:
            symbol: Any text; taken as it is.
            interval: One of `STORED_INTERVALS`.
            frame: The columns of `BAR_SCHEMA`, timestamps with a time zone, in any order; others are left out.

        Returns:
            The rows added, revised and unchanged. They are on disk after the next flush, at the latest at the end of
            the ``with`` block.

        Raises:
            BadBarsError: Bars contradict themselves; nothing of ``frame`` is written.
            DamagedFileError: A file that is there cannot be read, so the bars cannot be merged into it.
        """
        if not symbol:
            raise StoreError("a symbol must have at least one character")
        bars = require_good_bars(as_stored(interval, frame), f"{symbol} {interval}")
        report = WriteReport()
        for part, rows in partitions(interval, bars):
            report += self._merge(Partition(interval, symbol, part), rows)
        if self._staged_rows >= _FLUSH_ROWS or len(self._staged) >= _FLUSH_FILES:
            self.flush()
        return report

    def flush(self) -> None:
        """Bring everything that is written so far to disk.

        Raises:
            StoreError: The disk is full or the folder cannot be written; the next open puts the store in order.
        """
        if not self._staged:
            return
        try:
            self.manifest = self._commit(self._staged)
        except OSError as exc:
            raise StoreError(
                f"cannot write to the store {self._store}: {exc.strerror or exc} ({exc.filename})."
            ) from exc
        self._staged = {}
        self._staged_rows = 0

    def _merge(self, partition: Partition, rows: pl.DataFrame) -> WriteReport:
        current = self._current(partition)
        if current is None:
            return self._stage(partition, rows, WriteReport(added=rows.height))
        if rows.equals(current):
            return WriteReport(unchanged=rows.height)
        both = rows.join(current, on="timestamp", how="inner", suffix="_before")
        values = [name for name in rows.columns if name != "timestamp"]
        revised = both.filter(pl.any_horizontal(pl.col(name) != pl.col(f"{name}_before") for name in values)).height
        report = WriteReport(rows.height - both.height, revised, both.height - revised)
        if not (report.added or report.revised):
            return report
        kept = current.join(rows, on="timestamp", how="anti")
        return self._stage(partition, pl.concat([kept, rows]).sort("timestamp"), report)

    def _current(self, partition: Partition) -> pl.DataFrame | None:
        if partition in self._staged:
            return self._staged[partition]
        path = data_path(self._store, partition)
        try:
            return pl.read_parquet(io.BytesIO(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (pl.exceptions.PolarsError, OSError) as exc:
            raise DamagedFileError(path, str(exc)) from exc

    def _stage(self, partition: Partition, rows: pl.DataFrame, report: WriteReport) -> WriteReport:
        self._staged[partition] = rows
        self._staged_rows += rows.height
        return report

    def _commit(self, staged: Mapping[Partition, pl.DataFrame]) -> Manifest:
        _write_durably(self._store / PENDING, json.dumps([list(p) for p in staged]).encode())
        folders = {data_path(self._store, partition).parent for partition in staged}
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(_SYNC_THREADS) as pool:
            entries = dict(zip(staged, pool.map(self._write_partition, staged.items()), strict=True))
            parents = {folder.parent for folder in folders}
            list(pool.map(lambda folder: sync_folders([folder]), folders))
        sync_folders([*parents, *{parent.parent for parent in parents}, self._store])
        return _commit_manifest(self._store, self.manifest.with_changes(entries))

    def _write_partition(self, item: tuple[Partition, pl.DataFrame]) -> FileEntry:
        partition, frame = item
        content, entry = encode_bars(partition.part, frame)
        replace_file(data_path(self._store, partition), content)
        return entry


def heal(store: Path, manifest: Manifest) -> Manifest:
    """Bring the files of a killed writer into the manifest; call it with the lock held."""
    note = store / PENDING
    if not note.exists():
        return manifest
    changes: dict[Partition, FileEntry | None] = {}
    for fields in json.loads(note.read_bytes()):
        partition = Partition(*fields)
        path = data_path(store, partition)
        temporary_of(path).unlink(missing_ok=True)
        changes[partition] = describe_file(path) if path.exists() else None
    return _commit_manifest(store, manifest.with_changes(changes))


def _commit_manifest(store: Path, manifest: Manifest) -> Manifest:
    _write_durably(store / MANIFEST, manifest.encode())
    (store / PENDING).unlink(missing_ok=True)
    return manifest


def _write_durably(path: Path, content: bytes) -> None:
    replace_file(path, content)
    sync_folders([path.parent])

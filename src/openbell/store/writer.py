"""Writes to a store, whole batches or nothing of them, also when the process is killed at any moment.

A flush goes: (1) the new files into the staging folder, synced; (2) a note of where each belongs and what it holds,
synced: from here on the batch will be in the store, whatever happens; (3) the files renamed to their places, and those
that are to go deleted; (4) the manifest replaced; (5) the note deleted. A kill before (2) leaves files that nobody
looks at, a kill after it leaves the note, and whoever opens the store next does the rest.
"""

from __future__ import annotations

import io
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from openbell.errors import DamagedFileError, StoreError, command_on
from openbell.store.atomic_files import delete_files, move_file, replace_file, sync_files, sync_folders, temporary_of
from openbell.store.built import BUILT, marked_as, read_built, with_built_column
from openbell.store.check_bars import require_good_bars
from openbell.store.checksum import sha256_of
from openbell.store.layout import MANIFEST, PENDING, STAGING, Partition, as_stored, data_path, partitions
from openbell.store.manifest import FileEntry, Manifest, encode_bars

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["StoreWriter", "WriteReport", "commit_manifest", "heal", "unfinished"]

_FLUSH_ROWS = 2_000_000
_FLUSH_FILES = 1000
_THREADS = 8


@dataclass(frozen=True, slots=True)
class WriteReport:
    """The outcome of a write in rows.

    Attributes:
        added: New rows.
        revised: Rows with other values than before.
        unchanged: Rows that were there already.
    """

    added: int = 0
    revised: int = 0
    unchanged: int = 0

    def __add__(self, other: WriteReport) -> WriteReport:
        return WriteReport(self.added + other.added, self.revised + other.revised, self.unchanged + other.unchanged)


class StoreWriter:
    """Collects writes and brings them to disk in batches.

    `BarStore.writer` makes it, and holds the lock meanwhile.

    Attributes:
        manifest: What the store holds by the last flush.
    """

    def __init__(self, store: Path, manifest: Manifest) -> None:
        self._store = store
        self.manifest = manifest
        # None takes the file out.
        self._staged: dict[Partition, pl.DataFrame | None] = {}
        self._staged_rows = 0

    def write(
        self, symbol: str, interval: str, frame: pl.DataFrame, *, built: pl.DataFrame | None = None
    ) -> WriteReport:
        """Add bars to a (symbol, interval); bars of times that are there take their place.

        Args:
            symbol: Any text; taken as it is.
            interval: One of `STORED_INTERVALS`.
            frame: The columns of `BAR_SCHEMA`, timestamps with a time zone, in any order; others are left out.
            built: Which of them openbell built itself, as rows of `BUILT_SCHEMA`; a bar that is not among them is a
                vendor's, also where it takes the place of one that was built.

        Returns:
            The rows added, revised and unchanged. They are on disk after the next flush, at the latest at the end of
            the ``with`` block; those of one call all at once.

        Raises:
            BadBarsError: Bars contradict themselves; nothing of ``frame`` is written.
            DamagedFileError: A file that is there is not what was stored, so the bars cannot be merged into it;
                nothing of ``frame`` is written.
        """
        if not symbol:
            raise StoreError("a symbol must have at least one character")
        bars = require_good_bars(as_stored(interval, frame), f"{symbol} {interval}")
        if built is not None:
            bars = marked_as(bars, built)
        report = WriteReport()
        changed: dict[Partition, pl.DataFrame] = {}
        for month, rows in partitions(interval, bars):
            partition = Partition(interval, symbol, month)
            merged, outcome = _merged(rows, self.current(partition))
            report += outcome
            if merged is not None:
                changed[partition] = merged
        self._staged |= changed
        self._staged_rows += sum(rows.height for rows in changed.values())
        if self._staged_rows >= _FLUSH_ROWS or len(self._staged) >= _FLUSH_FILES:
            self.flush()
        return report

    def current(self, partition: Partition) -> pl.DataFrame | None:
        """Return the bars of a data file, with what is not yet flushed; None when there are none.

        With the column `BUILT`, if openbell built any of them.

        Raises:
            DamagedFileError: The file is not what was stored.
        """
        if partition in self._staged:
            return self._staged[partition]
        path = data_path(self._store, partition)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise DamagedFileError(path, exc.strerror or str(exc)) from exc
        # Merging into a damaged file would give its damage a new checksum.
        entry = self.manifest.entry(partition)
        if entry is not None and sha256_of(content) != entry.sha256:
            raise DamagedFileError(path, "its content is not what was stored")
        try:
            return marked_as(pl.read_parquet(io.BytesIO(content)), read_built(content))
        except pl.exceptions.PolarsError as exc:
            raise DamagedFileError(path, str(exc)) from exc

    def replace(self, changes: Mapping[Partition, pl.DataFrame | None]) -> None:
        """Stage whole data files for the next flush; None takes one out.

        Args:
            changes: Frames of `BAR_SCHEMA` as `current` returns them, with rows left out.
        """
        self._staged |= changes

    def flush(self) -> None:
        """Bring everything that was written so far to disk, all of it or nothing.

        Raises:
            StoreError: The disk is full or the folder cannot be written; what was not stored yet is given up.
        """
        staged, self._staged, self._staged_rows = self._staged, {}, 0
        if not staged:
            return
        try:
            self.manifest = self._commit(staged)
        except OSError as exc:
            raise StoreError(
                f"cannot write to the store {self._store}: {exc.strerror or exc} ({exc.filename})."
            ) from exc

    def _commit(self, staged: Mapping[Partition, pl.DataFrame | None]) -> Manifest:
        folder = self._store / STAGING
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            entries = self._stage(folder, staged)
            _write_durably(self._store / PENDING, _encode_note(entries))
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return _finish(self._store, self.manifest, entries)

    def _stage(
        self, folder: Path, staged: Mapping[Partition, pl.DataFrame | None]
    ) -> dict[Partition, FileEntry | None]:
        """Write the new files into the staging folder, the n-th under the name n."""

        def write(item: tuple[int, tuple[Partition, pl.DataFrame | None]]) -> FileEntry | None:
            number, (partition, frame) = item
            if frame is None:
                return None
            content, entry = encode_bars(partition.month, frame)
            (folder / str(number)).write_bytes(content)
            return entry

        with ThreadPoolExecutor(_THREADS) as pool:
            entries = dict(zip(staged, pool.map(write, enumerate(staged.items())), strict=True))
        if written := [folder / str(number) for number, entry in enumerate(entries.values()) if entry]:
            sync_files(written)
        sync_folders([folder, self._store])
        return entries


def unfinished(store: Path) -> bool:
    """Return whether a write is under way, or was killed before its end."""
    left = (store / PENDING, store / STAGING, temporary_of(store / PENDING), temporary_of(store / MANIFEST))
    return any(path.exists() for path in left)


def heal(store: Path, manifest: Manifest) -> Manifest:
    """Finish or give up what a killed writer began; call it with the lock held.

    Returns:
        The manifest as it is then.
    """
    for name in (PENDING, MANIFEST):
        temporary_of(store / name).unlink(missing_ok=True)
    try:
        note = json.loads((store / PENDING).read_bytes())
    except FileNotFoundError:
        shutil.rmtree(store / STAGING, ignore_errors=True)
        return manifest
    except ValueError as exc:
        remedy = f"Set it aside with `{command_on('data repair', store)}`."
        raise DamagedFileError(store / PENDING, str(exc), remedy) from exc
    entries = {Partition(*partition): FileEntry(*entry) if entry else None for partition, entry in note}
    return _finish(store, manifest, entries)


def commit_manifest(store: Path, manifest: Manifest) -> Manifest:
    """Put a manifest in place; it is on disk when this returns."""
    _write_durably(store / MANIFEST, manifest.encode())
    return manifest


def _finish(store: Path, manifest: Manifest, entries: Mapping[Partition, FileEntry | None]) -> Manifest:
    """Do what a flush does after its note; may be begun any number of times."""
    targets = [data_path(store, partition) for partition, entry in entries.items() if entry]
    folders = list(dict.fromkeys(target.parent for target in targets))
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    for number, (partition, entry) in enumerate(entries.items()):
        if entry is None:
            continue
        staged, target = store / STAGING / str(number), data_path(store, partition)
        # What is not in the staging folder any more was renamed before the kill.
        if staged.exists():
            move_file(staged, target)
    folders += delete_files(data_path(store, partition) for partition, entry in entries.items() if entry is None)
    parents = {folder.parent for folder in folders}
    sync_folders([*folders, *parents, *{parent.parent for parent in parents}, store])
    commit_manifest(store, manifest.with_changes(entries))
    (store / PENDING).unlink(missing_ok=True)
    shutil.rmtree(store / STAGING, ignore_errors=True)
    return manifest.with_changes(entries)


def _merged(rows: pl.DataFrame, current: pl.DataFrame | None) -> tuple[pl.DataFrame | None, WriteReport]:
    """Return the bars of a partition with ``rows`` put in (None: it stays as it is), and the outcome."""
    if current is None:
        return rows, WriteReport(added=rows.height)
    if rows.equals(current):
        return None, WriteReport(unchanged=rows.height)
    if BUILT in rows.columns or BUILT in current.columns:
        rows, current = with_built_column(rows), with_built_column(current)
    both = rows.join(current, on="timestamp", how="inner", suffix="_before")
    values = [name for name in rows.columns if name != "timestamp"]
    revised = both.filter(
        pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in values)
    ).height
    report = WriteReport(rows.height - both.height, revised, both.height - revised)
    if not (report.added or report.revised):
        return None, report
    others = current.join(rows, on="timestamp", how="anti")
    return pl.concat([others, rows]).sort("timestamp"), report


def _encode_note(entries: Mapping[Partition, FileEntry | None]) -> bytes:
    note: Sequence[object] = [[list(partition), entry and list(entry)] for partition, entry in entries.items()]
    return json.dumps(note).encode()


def _write_durably(path: Path, content: bytes) -> None:
    replace_file(path, content)
    sync_folders([path.parent])

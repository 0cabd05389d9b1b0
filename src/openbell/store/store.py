"""`BarStore`: bars in Parquet files that any tool reads, written atomically and known through a manifest."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from openbell.errors import DamagedFileError, StoreError
from openbell.model.interval import DAY_NS
from openbell.store import layout
from openbell.store.atomic_files import writer_lock
from openbell.store.built import BUILT
from openbell.store.layout import BAR_SCHEMA, Partition, data_path, instant
from openbell.store.manifest import FileEntry, Manifest
from openbell.store.marker import has_marker, make_store, remove_if_empty, require_free, require_marker
from openbell.store.reader import FileReader, StoredFile, SymbolRows
from openbell.store.writer import StoreWriter, WriteReport, commit_manifest, heal, unfinished
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

__all__ = ["BarStore", "Coverage", "WriteReport"]

_WAIT_S = 30.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a store holds of one symbol and interval.

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


class BarStore:
    """A folder of bars; made by `BarStore.open` or `BarStore.open_or_create`.

    One process at a time may write; any number may read meanwhile. Reads see what other processes wrote since.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._manifest_path = path / layout.MANIFEST
        self._reader = FileReader()
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] = ()
        self._manifest = self._reload()

    def __repr__(self) -> str:
        return f"<BarStore {self.path}: {len(self._manifest.symbols)} symbols>"

    @staticmethod
    def open(path: str | Path) -> BarStore:
        """Open the store in a folder.

        Raises:
            StoreError: The folder is not a store, or one of a newer schema version.
            DamagedFileError: Its manifest cannot be read.
        """
        folder = Path(path)
        require_marker(folder)
        return BarStore(folder)

    @staticmethod
    def open_or_create(path: str | Path) -> BarStore:
        """Open the store in a folder, which becomes one when something is written, if it is not there or empty.

        Raises:
            StoreError: The folder holds something else, or is a store of a newer schema version.
        """
        folder = Path(path)
        if has_marker(folder):
            return BarStore.open(folder)
        require_free(folder)
        return BarStore(folder)

    @property
    def version(self) -> tuple[int, ...]:
        """Changes whenever the content of the store does, by this process or another."""
        self._current()
        return self._stamp

    @property
    def manifest(self) -> Manifest:
        """What each data file holds, as of now; immutable."""
        return self._current()

    def symbols(self) -> tuple[str, ...]:
        """All symbols, sorted."""
        return self._current().symbols

    def intervals(self, symbol: str) -> tuple[str, ...]:
        """The intervals stored of ``symbol``, finest first; empty when it is not there."""
        return self._current().intervals(symbol)

    def coverage(self) -> list[Coverage]:
        """What is there per symbol and interval, sorted; from the manifest, no data file is opened."""
        return [_coverage(*key, entries) for key, entries in self._current().files.items()]

    def coverage_of(self, symbol: str, interval: str) -> Coverage | None:
        """What is there of one symbol and interval; None when nothing is."""
        entries = self._current().files.get((symbol, interval))
        return _coverage(symbol, interval, entries) if entries else None

    def write(self, symbol: str, interval: str, frame: pl.DataFrame) -> WriteReport:
        """Add bars, and return when they are on disk; see `StoreWriter.write`. For many writes use `writer`."""
        with self.writer() as writer:
            return writer.write(symbol, interval, frame)

    @contextmanager
    def writer(self, *, wait_s: float = _WAIT_S) -> Iterator[StoreWriter]:
        """A batch of writes; all are on disk when the ``with`` block ends, whatever ended it.

        Args:
            wait_s: How long to wait for another writer, in seconds.

        Raises:
            StoreError: Another process is still writing after ``wait_s``, or the disk is full.
        """
        with writer_lock(self.path / layout.LOCK, wait_s=wait_s):
            is_new = make_store(self.path)
            writer = StoreWriter(self.path, self._healed())
            try:
                yield writer
            finally:
                try:
                    writer.flush()
                finally:
                    if is_new:
                        remove_if_empty(self.path)

    def read(self, symbols: Sequence[str], interval: str, first: date | None, last: date | None) -> pl.DataFrame:
        """Stored bars, in one scan over all files that they are in.

        Args:
            symbols: Which; ones that are not there give no rows.
            interval: A stored interval.
            first: First UTC date that bars start on; None: from the beginning.
            last: Last such date, inclusive; None: to the end.

        Returns:
            Columns symbol (String) and those of `BAR_SCHEMA`; ordered by symbol as given, then by time.

        Raises:
            DamagedFileError: A file cannot be read, or is not what was stored; it names the file.
        """
        begin = None if first is None else _midnight_ns(first)
        end = None if last is None else _midnight_ns(last) + DAY_NS
        rows = self.read_rows(symbols, interval, begin, end)
        names = pl.Series("symbol", [name for name, _, _ in rows.runs], pl.String)
        which = np.repeat(np.arange(len(rows.runs)), [stop - start for _, start, stop in rows.runs])
        return rows.frame.insert_column(0, names.gather(which))

    def read_rows(
        self,
        symbols: Sequence[str],
        interval: str,
        first_ns: int | None,
        end_ns: int | None,
        *,
        columns: Sequence[str] = tuple(BAR_SCHEMA),
    ) -> SymbolRows:
        """Stored bars that start at or after ``first_ns`` and before ``end_ns``, with the rows of each symbol told.

        ``columns`` are those of `BAR_SCHEMA` that are wanted, timestamp among them.

        Raises:
            DamagedFileError: As for `read`.
        """
        # The stamp first: should the manifest change before it is read, one reads again for nothing.
        stamp, files = self._stamp_now(), self._files(self._current(), symbols, interval, first_ns, end_ns)
        while True:
            damage: DamagedFileError | None = None
            try:
                rows = self._reader.read(files, first_ns, end_ns, columns=columns)
            except DamagedFileError as exc:
                damage = exc
            # A writer may have replaced files while we looked; when it is done, the manifest tells which.
            if (self.path / layout.PENDING).exists() or stamp != self._stamp_now():
                self._settle(_WAIT_S)
                stamp, again = self._stamp_now(), self._files(self._reload(), symbols, interval, first_ns, end_ns)
                if again != files:
                    files = again
                    continue
            if damage is not None:
                raise damage
            return rows

    def built(self, symbol: str, interval: str) -> pl.DataFrame:
        """The bars that `data repair` built from finer ones, as rows of `BUILT_SCHEMA`; a vendor's bar revises them.

        Raises:
            DamagedFileError: As for `read`.
        """
        rows = self.read_rows([symbol], interval, None, None)
        which, made_of = rows.built
        return rows.frame[which].select("timestamp").with_columns(pl.Series(BUILT, made_of))

    def _files(
        self, manifest: Manifest, symbols: Sequence[str], interval: str, first_ns: int | None, end_ns: int | None
    ) -> list[StoredFile]:
        return [
            StoredFile(data_path(self.path, Partition(interval, symbol, entry.part)), symbol, entry)
            for symbol in dict.fromkeys(symbols)
            for entry in manifest.files.get((symbol, interval), ())
            if (first_ns is None or entry.last_ns >= first_ns) and (end_ns is None or entry.first_ns < end_ns)
        ]

    def _current(self) -> Manifest:
        """The manifest as it is on disk now; one look at the file's stamp when it has not changed."""
        stamp = self._stamp_now()
        return self._manifest if stamp and stamp == self._stamp else self._reload()

    def _stamp_now(self) -> tuple[int, ...]:
        """Changes when the manifest file does; empty when there is none."""
        try:
            return _stamp(self._manifest_path)
        except FileNotFoundError:
            return ()

    def _reload(self) -> Manifest:
        """Load the manifest, after healing what a killed writer left."""
        with self._lock:
            self._settle()
            # The stamp first: should the file change in between, the next look tells.
            stamp = self._stamp_now()
            self._manifest, self._stamp = self._read_manifest(), stamp
            return self._manifest

    def _settle(self, wait_s: float = 0) -> None:
        """Finish what a killed writer began; one that is alive has ``wait_s`` seconds to finish by itself."""
        for _ in range(int(wait_s / _POLL_S) + 1):
            if not unfinished(self.path):
                return
            try:
                with writer_lock(self.path / layout.LOCK, wait_s=min(wait_s, _POLL_S)):
                    self._healed()
                    return
            except StoreError:
                # Its writer is alive, or we may only read: what is in the manifest holds.
                if not (self.path / layout.PENDING).exists() or not os.access(self.path, os.W_OK):
                    return

    def _healed(self) -> Manifest:
        """The manifest after healing; call it with the lock held."""
        manifest = heal(self.path, self._read_manifest())
        if not self._manifest_path.exists() and manifest.files:
            commit_manifest(self.path, manifest)
        return manifest

    def _read_manifest(self) -> Manifest:
        try:
            return Manifest.load(self._manifest_path)
        except FileNotFoundError:
            return Manifest.scan(self.path)


def _stamp(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


def _midnight_ns(day: date) -> int:
    return day_number(day) * DAY_NS


def _coverage(symbol: str, interval: str, entries: Sequence[FileEntry]) -> Coverage:
    rows, size = sum(e.rows for e in entries), sum(e.bytes for e in entries)
    first, last, built = instant(entries[0].first_ns), instant(entries[-1].last_ns), sum(e.built for e in entries)
    return Coverage(symbol, interval, rows, first, last, len(entries), size, built)

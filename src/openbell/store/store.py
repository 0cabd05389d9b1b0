"""A store of bars in Parquet files, written atomically and known through a manifest."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from openbell.errors import DamagedFileError
from openbell.model.address import place_of
from openbell.model.day import asked_day
from openbell.model.interval import DAY_NS, parse_interval
from openbell.model.symbol import listed_symbols
from openbell.store.backing import backing_of
from openbell.store.built_mark import BUILT
from openbell.store.label import read_label
from openbell.store.layout import BAR_SCHEMA, Partition, instant, storable
from openbell.store.reader import FileReader, SymbolRows
from openbell.store.write_report import WriteReport
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date, datetime

    from openbell.model.address import Place
    from openbell.store.data_file import FileEntry
    from openbell.store.manifest import Manifest
    from openbell.store.writer import StoreWriter

__all__ = ["BarStore", "Coverage", "WriteReport"]

_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Coverage:
    """Span and number of the stored bars of one symbol and interval.

    Attributes:
        symbol: The symbol.
        interval: A stored interval.
        rows: Number of bars.
        first: Start of the first bar, UTC; of a daily bar, its date at 00:00 UTC.
        last: Start of the last bar, UTC; of a daily bar, its date at 00:00 UTC.
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
    """Return the coverage of a symbol and interval from its entries in the manifest."""
    rows, size = sum(e.rows for e in entries), sum(e.bytes for e in entries)
    first, last, built = instant(entries[0].first_ns), instant(entries[-1].last_ns), sum(e.built for e in entries)
    return Coverage(symbol, interval, rows, first, last, len(entries), size, built)


class BarStore:
    """A folder of bars, or bars in object storage.

    `BarStore.open` and `BarStore.open_or_create` make it.

    One process at a time may write to a folder; any number may read meanwhile. Reads see what other processes have
    written since. To object storage several may write at once; the bars of a later writer are merged with those of an
    earlier one.

    Attributes:
        path: The folder, or the address.
        backing: Access to its files.
    """

    def __init__(self, path: Place) -> None:
        self.path = path
        self.backing = backing_of(path)
        self._reader = FileReader()
        self._manifest = self.backing.current()

    def __repr__(self) -> str:
        return f"<BarStore {self.path}: {len(self._manifest.get().symbols)} symbols>"

    @staticmethod
    def open(path: str | Place) -> BarStore:
        """Open the store in a folder, or at an address such as ``s3://bucket/prefix``.

        Raises:
            StoreError: The folder is not a store, or one of a newer schema version.
            DamagedFileError: Its manifest cannot be read.
        """
        place = place_of(path)
        backing_of(place).require()
        return BarStore(place)

    @staticmethod
    def open_or_create(path: str | Place) -> BarStore:
        """Open the store in a folder or at an address.

        A missing or empty folder, or an empty address, becomes a store when something is written to it.

        Raises:
            StoreError: The folder holds something else, or is a store of a newer schema version.
        """
        place = place_of(path)
        backing = backing_of(place)
        if backing.exists():
            return BarStore.open(place)
        backing.require_free()
        return BarStore(place)

    @property
    def version(self) -> tuple[int, ...]:
        """A value that changes whenever the content of the store does, by this process or another."""
        self._manifest.get()
        return self._manifest.stamp

    @property
    def manifest(self) -> Manifest:
        """The immutable manifest as of now."""
        return self._manifest.get()

    @property
    def label(self) -> str | None:
        """One line on what the bars are, such as that they are synthetic, or None.

        Raises:
            DamagedFileError: The label is lost or is not what was stored.
        """
        return read_label(self.path, self.manifest.side_files)

    def reload(self) -> Manifest:
        """Read the manifest again, even if it seems unchanged, and return it."""
        return self._manifest.reload()

    def symbols(self) -> tuple[str, ...]:
        """Return all symbols, sorted."""
        return self._manifest.get().symbols

    def intervals(self, symbol: str) -> tuple[str, ...]:
        """Return the intervals stored of ``symbol``, finest first."""
        return self._manifest.get().intervals(symbol)

    def coverage(self, symbols: Iterable[str] | None = None) -> list[Coverage]:
        """Return the coverage of each symbol and interval, sorted.

        It comes from the manifest, and no data file is opened.

        Args:
            symbols: The symbols; None for all.
        """
        wanted = None if symbols is None else frozenset(listed_symbols(symbols, "coverage"))
        files = self._manifest.get().files.items()
        return [coverage_of(*key, entries) for key, entries in files if wanted is None or key[0] in wanted]

    def coverage_of(self, symbol: str, interval: str) -> Coverage | None:
        """Return what is there of one symbol and interval, or None."""
        stored = str(parse_interval(interval))
        entries = self._manifest.get().files.get((symbol, stored))
        return coverage_of(symbol, stored, entries) if entries else None

    def write(self, symbol: str, interval: str, frame: pl.DataFrame) -> WriteReport:
        """Add bars, and return when they are on disk.

        See `StoreWriter.write`. For many writes use `writer`.
        """
        with self.writer() as writer:
            return writer.write(symbol, interval, frame)

    @contextmanager
    def writer(self, *, wait_s: float = _WAIT_S) -> Iterator[StoreWriter]:
        """Open a batch of writes.

        All are on disk when the ``with`` block ends, whatever ended it.

        Args:
            wait_s: How long to wait for another writer, in seconds.

        Raises:
            StoreError: Another process is still writing after ``wait_s``, or the disk is full.
        """
        # Imported late, because a run that only reads does not need it.
        from openbell.store.writer import StoreWriter

        backing = self.backing
        with backing.lock(wait_s):
            is_new = backing.make()
            writer = StoreWriter(backing, self._manifest.for_writer())
            try:
                yield writer
            finally:
                try:
                    writer.flush()
                    self._manifest.note_written(writer.manifest)
                finally:
                    if is_new:
                        backing.remove_if_empty()

    def read(
        self, symbols: Sequence[str], interval: str, first: date | str | None, last: date | str | None
    ) -> pl.DataFrame:
        """Read bars, in one scan over all files that they are in.

        Args:
            symbols: Which; ones that are not there give no rows.
            interval: An interval that stores take; one that is not there gives no rows.
            first: First UTC date that bars start on, as a date or ISO text; None: from the beginning.
            last: Last such date, inclusive; None: to the end.

        Returns:
            Columns symbol (String) and those of `BAR_SCHEMA`; ordered by symbol as given, then by time.

        Raises:
            ConfigError: The symbols are one text, or a day is none.
            IntervalError: Bars of the interval are not stored.
            DamagedFileError: A file cannot be read, or is not what was stored; it names the file.
        """
        begin = None if first is None else _midnight_ns(asked_day(first))
        end = None if last is None else _midnight_ns(asked_day(last)) + DAY_NS
        rows = self.read_rows(listed_symbols(symbols, "read"), str(storable(interval)), begin, end)
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
        """Read bars that start at or after ``first_ns`` and before ``end_ns``, with the rows of each symbol.

        ``interval`` is in its canonical form, as `parse_interval` writes it. ``columns`` are those of `BAR_SCHEMA` that
        are wanted, timestamp among them.

        Raises:
            DamagedFileError: As for `read`.
        """
        # The stamp first: if the manifest changes before it is read, the worst is that bars are read twice.
        current = self._manifest
        stamp, wanted = current.stamp_now(), _files(current.get(), symbols, interval, first_ns, end_ns)
        while True:
            damage: DamagedFileError | None = None
            try:
                rows = self._reader.read(self.backing.stored_files(wanted), first_ns, end_ns, columns=columns)
            except DamagedFileError as exc:
                damage = exc
            # A writer may have replaced files during the read; when it is done, the manifest says which.
            if current.may_have_moved(stamp, look=damage is not None):
                current.settle(_WAIT_S)
                stamp, again = current.stamp_now(), _files(current.reload(), symbols, interval, first_ns, end_ns)
                if again != wanted:
                    wanted = again
                    continue
            if damage is None:
                return rows
            self.backing.drop_damaged_copies(wanted, damage)

    def built(self, symbol: str, interval: str) -> pl.DataFrame:
        """Return the bars that `data repair` built from finer ones, as rows of `BUILT_SCHEMA`.

        A bar of a vendor replaces a built one.

        Raises:
            DamagedFileError: As for `read`.
        """
        rows = self.read_rows([symbol], str(storable(interval)), None, None)
        which, made_of = rows.built
        return rows.frame[which].select("timestamp").with_columns(pl.Series(BUILT, made_of))


def _files(
    manifest: Manifest, symbols: Sequence[str], interval: str, first_ns: int | None, end_ns: int | None
) -> list[tuple[Partition, FileEntry]]:
    return [
        (Partition(interval, symbol, entry.month), entry)
        for symbol in dict.fromkeys(symbols)
        for entry in manifest.files.get((symbol, interval), ())
        if (first_ns is None or entry.last_ns >= first_ns) and (end_ns is None or entry.first_ns < end_ns)
    ]


def _midnight_ns(day: date) -> int:
    return day_number(day) * DAY_NS

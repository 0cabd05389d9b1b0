"""The manifest of a store, which lists its files and what each holds.

It is a Parquet file that carries its own checksum (`openbell.store.checksum`): a row for each data file, and the files
beside the bars in the metadata.
"""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

from openbell.errors import DamagedFileError, StoreError, command_on
from openbell.model.interval import parse_interval
from openbell.store.checksum import BLANK_CHECKSUM, has_own_checksum, with_own_checksum
from openbell.store.data_file import MONTH, FileEntry, data_files, describe_file, unreadable_entry
from openbell.store.layout import MANIFEST, Partition, is_stored, partition_of
from openbell.store.side_files import SideEntry, scan_side_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Manifest", "load_side_files"]

_SCAN_THREADS = 4
_SIDE_FILES = "openbell_side_files"

_SCHEMA = pl.Schema(
    {
        "symbol": pl.String(),
        "interval": pl.String(),
        "part": pl.String(),
        "rows": pl.Int64(),
        "first_ns": pl.Int64(),
        "last_ns": pl.Int64(),
        "bytes": pl.Int64(),
        "sha256": pl.String(),
        "built": pl.Int64(),
    }
)


@dataclass(frozen=True)
class Manifest:
    """The files of a store, as an immutable list.

    A write makes a new one.

    Attributes:
        files: Per (symbol, interval) its files in ascending time; keys sorted by symbol, then by length of interval.
        side_files: The files beside the bars, by their names in `SIDE_FILES`.
    """

    files: Mapping[tuple[str, str], tuple[FileEntry, ...]]
    side_files: Mapping[str, SideEntry] = field(default_factory=dict)
    _intervals: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for symbol, keys in groupby(self.files, key=lambda key: key[0]):
            self._intervals[symbol] = tuple(interval for _, interval in keys)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols, sorted."""
        return tuple(self._intervals)

    def intervals(self, symbol: str) -> tuple[str, ...]:
        """Return the stored intervals of ``symbol``, finest first."""
        return self._intervals.get(symbol, ())

    def entry(self, partition: Partition) -> FileEntry | None:
        """Return the entry of one data file, or None when it is not there."""
        entries = self.files.get((partition.symbol, partition.interval), ())
        return next((entry for entry in entries if entry.month == partition.month), None)

    def partitions(self) -> Iterator[tuple[Partition, FileEntry]]:
        """Yield each data file with its entry."""
        for (symbol, interval), entries in self.files.items():
            for entry in entries:
                yield Partition(interval, symbol, entry.month), entry

    def with_changes(
        self, changes: Mapping[Partition, FileEntry | None], side_files: Mapping[str, SideEntry | None] | None = None
    ) -> Manifest:
        """Return the manifest after ``changes``, in which None takes a file out."""
        files = {key: {entry.month: entry for entry in entries} for key, entries in self.files.items()}
        for partition, entry in changes.items():
            months = files.setdefault((partition.symbol, partition.interval), {})
            if entry is None:
                months.pop(partition.month, None)
            else:
                months[partition.month] = entry
        sides = {name: entry for name, entry in {**self.side_files, **(side_files or {})}.items() if entry is not None}
        return Manifest.of({key: tuple(months.values()) for key, months in files.items() if months}, sides)

    @staticmethod
    def of(
        files: Mapping[tuple[str, str], tuple[FileEntry, ...]], side_files: Mapping[str, SideEntry] | None = None
    ) -> Manifest:
        """Return a manifest of these files, which may be in any order."""
        keys = sorted(files, key=lambda key: (key[0], parse_interval(key[1])))
        return Manifest({key: tuple(sorted(files[key])) for key in keys}, side_files or {})

    @staticmethod
    def load(store: Path, path: Path | None = None) -> Manifest:
        """Read the manifest of a store.

        Args:
            store: The store's folder.
            path: The file; None: the one that is in place.

        Raises:
            FileNotFoundError: It is not there.
            DamagedFileError: It cannot be read.
            StoreError: One may not read it.
        """
        path = path or store / MANIFEST
        content = _read_checked(store, path)
        try:
            frame = pl.read_parquet(io.BytesIO(content))
            # Manifests of before there were built bars do not count them.
            frame = frame if "built" in frame.columns else frame.with_columns(built=pl.lit(0, pl.Int64))
            columns = frame[list(_SCHEMA)].to_dict(as_series=False)
            side_files = _side_files_of(store, content)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, TypeError) as exc:
            raise _damaged(store, path, str(exc)) from exc
        months = set(columns["part"]) - {"all"}
        if not (all(map(is_stored, set(columns["interval"]))) and all(map(MONTH.fullmatch, months))):
            raise _damaged(store, path, "it names files that no store has")
        symbols, intervals, *rest = columns.values()
        entries = map(FileEntry._make, zip(*rest, strict=True))
        keyed = zip(zip(symbols, intervals, strict=True), entries, strict=True)
        return Manifest(
            {key: tuple(e for _, e in run) for key, run in groupby(keyed, key=lambda pair: pair[0])}, side_files
        )

    def encode(self) -> bytes:
        """Return the content of the manifest file."""
        rows = [(*key, *entry) for key, entries in self.files.items() for entry in entries]
        buffer = io.BytesIO()
        pl.DataFrame(rows, schema=_SCHEMA, orient="row").write_parquet(
            buffer, metadata={_SIDE_FILES: json.dumps(self.side_files), **BLANK_CHECKSUM}
        )
        return with_own_checksum(buffer.getvalue())

    @staticmethod
    def scan(store: Path) -> Manifest:
        """Make a manifest of the files that are in a store's folders, by opening each.

        A data file that cannot be read is in it without rows, so that a read of its bars fails.
        """
        files: dict[tuple[str, str], tuple[FileEntry, ...]] = {}
        paths = data_files(store)
        with ThreadPoolExecutor(_SCAN_THREADS) as pool:
            for path, entry in zip(paths, pool.map(_describe_any, paths), strict=True):
                interval, symbol, _ = partition_of(path)
                files[symbol, interval] = (*files.get((symbol, interval), ()), entry)
        return Manifest.of(files, scan_side_files(store))


def load_side_files(store: Path) -> Mapping[str, SideEntry]:
    """Return the files beside the bars that the manifest of a store lists.

    None when there is no manifest.

    Raises:
        DamagedFileError: As for `Manifest.load`; likewise StoreError.
    """
    # Of a large store the rows take much longer to read.
    try:
        return _side_files_of(store, _read_checked(store, store / MANIFEST))
    except (FileNotFoundError, NotADirectoryError):
        return {}


def _read_checked(store: Path, path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise
    except IsADirectoryError as exc:
        raise _damaged(store, path, exc.strerror or str(exc)) from exc
    except OSError as exc:
        raise StoreError(f"{path} cannot be read: {exc.strerror or exc}.") from exc
    if not has_own_checksum(content):
        raise _damaged(store, path, "its checksum does not fit")
    return content


def _damaged(store: Path, path: Path, cause: str) -> DamagedFileError:
    remedy = f"Make it again from the data files with `{command_on('data repair', store)}`."
    return DamagedFileError(path, cause, remedy)


def _side_files_of(store: Path, content: bytes) -> Mapping[str, SideEntry]:
    listed = pl.read_parquet_metadata(io.BytesIO(content)).get(_SIDE_FILES)
    if listed is None:
        # A manifest of before they were listed; the next write lists them.
        return scan_side_files(store)
    return {name: SideEntry(*entry) for name, entry in json.loads(listed).items()}


def _describe_any(path: Path) -> FileEntry:
    try:
        return describe_file(path)
    except DamagedFileError:
        return unreadable_entry(path.stem, path.stat().st_size)

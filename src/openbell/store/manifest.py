"""The manifest of a store, which lists its files and what each holds.

It is a Parquet file that carries its own checksum (`openbell.store.checksum`): a row for each data file, and the files
beside the bars in the metadata. The manifest of a large store has a small file beside it with what has changed since it
was written (`openbell.store.manifest_changes`), so that a write does not take longer as the store grows.
"""

from __future__ import annotations

import hashlib
import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby, repeat
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from openbell.errors import DamagedFileError, StoreError
from openbell.model.interval import parse_interval
from openbell.store.batch import Batch, listed
from openbell.store.checksum import BLANK_CHECKSUM, has_own_checksum, own_checksum, sha256_of, with_own_checksum
from openbell.store.data_file import MONTH, FileEntry, data_files, describe_file, unreadable_entry
from openbell.store.layout import CHANGES, MANIFEST, PENDING, Partition, is_stored, partition_of
from openbell.store.manifest_changes import NO_CHANGES, damaged_manifest, decode_changes, read_changes
from openbell.store.side_files import SideEntry, scan_side_files
from openbell.store.verification import stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from openbell.model.address import Place
    from openbell.model.interval import Interval

__all__ = ["Manifest", "ReadManifest", "decode_manifest", "load_side_files"]

_SCAN_THREADS = 4
_SIDE_FILES = "openbell_side_files"
_HAS_CHANGES, _FOLDED = "openbell_has_changes", "openbell_folded"
_OBJECT = "object"
_LOOKS = 4
"""How often a reader looks at two files that a writer may be replacing, before it takes them for damaged."""
_DIGEST_DIGITS = 16

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
_OBJECT_SCHEMA = pl.Schema([*_SCHEMA.items(), (_OBJECT, pl.String())])


@dataclass(frozen=True)
class Manifest:
    """The files of a store, as an immutable list.

    A write makes a new one.

    Attributes:
        files: Per (symbol, interval) its files in ascending time; keys sorted by symbol, then by length of interval.
        side_files: The files beside the bars, by their names in `SIDE_FILES`.
        base: The manifest file that it was read from; None if it was made otherwise.
        changes: What has changed since that file was written.
    """

    files: Mapping[tuple[str, str], tuple[FileEntry, ...]]
    side_files: Mapping[str, SideEntry] = field(default_factory=dict)
    base: ReadManifest | None = field(default=None, compare=False, repr=False)
    changes: Batch = field(default=NO_CHANGES, compare=False, repr=False)

    @cached_property
    def _intervals(self) -> dict[str, tuple[str, ...]]:
        by_symbol = groupby(self.files, key=lambda key: key[0])
        return {symbol: tuple(interval for _, interval in keys) for symbol, keys in by_symbol}

    @cached_property
    def digest(self) -> str:
        """Digest of the content of all files, as a short text."""
        found = hashlib.sha256()
        for (symbol, interval), files in self.files.items():
            found.update(repr((symbol, interval, [file.sha256 for file in files])).encode())
        found.update(repr(sorted((name, entry.sha256) for name, entry in self.side_files.items())).encode())
        return found.hexdigest()[:_DIGEST_DIGITS]

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols, sorted."""
        return tuple(self._intervals)

    def intervals(self, symbol: str) -> tuple[str, ...]:
        """Return the stored intervals of ``symbol``, finest first."""
        return self._intervals.get(symbol, ())

    def entry(self, partition: Partition) -> FileEntry | None:
        """Return the entry of one data file, or None when the manifest does not list it."""
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
        """Return the manifest after ``changes``, in which None removes a file."""
        files, known = dict(self.files), len(self.files)
        for key, months in _by_key(changes).items():
            entries = {entry.month: entry for entry in files.get(key, ())} | months
            there = tuple(sorted(entry for entry in entries.values() if entry is not None))
            if there:
                files[key] = there
            else:
                files.pop(key, None)
        if len(files) > known or files.keys() != self.files.keys():
            files = {key: files[key] for key in sorted(files, key=_sort_key)}
        merged = {**self.side_files, **(side_files or {})}
        sides = {name: entry for name, entry in merged.items() if entry is not None}
        since = Batch({**self.changes.bars, **changes}, {**self.changes.side_files, **(side_files or {})})
        return Manifest(files, sides, self.base, since)

    @staticmethod
    def of(
        files: Mapping[tuple[str, str], tuple[FileEntry, ...]], side_files: Mapping[str, SideEntry] | None = None
    ) -> Manifest:
        """Return a manifest of these files, which may be in any order."""
        return Manifest({key: tuple(sorted(files[key])) for key in sorted(files, key=_sort_key)}, side_files or {})

    @staticmethod
    def load(store: Path, known: Manifest | None = None) -> Manifest:
        """Read the manifest of a store.

        Args:
            store: The store's folder.
            known: A manifest that was read before; its file is not read again if it is still in place.

        Raises:
            FileNotFoundError: There is no manifest.
            DamagedFileError: The manifest or its file of changes cannot be read, or one does not belong to the other.
            StoreError: The system does not let one of them be read.
        """
        for _ in range(_LOOKS):
            # In this order, because a writer replaces the manifest first.
            content = read_changes(store)
            base = _base(store, store / MANIFEST, known)
            if content is None and not base.has_changes:
                return base.manifest
            if content is not None and sha256_of(content) == base.folded:
                return base.manifest  # a writer is about to replace it
            changes = None if content is None else decode_changes(store, content)
            if changes is not None and changes.base == base.checksum:
                return base.manifest.with_changes(*changes.batch)
            if content is None and (store / PENDING).exists():
                return base.manifest
        problem = "it is missing" if content is None else "it belongs to another manifest"
        raise damaged_manifest(store, store / CHANGES, problem)

    @staticmethod
    def load_file(store: Path, path: Path) -> Manifest:
        """Read a manifest file that is not in place.

        Raises:
            FileNotFoundError: As for `load`.
            DamagedFileError: As for `load`.
            StoreError: As for `load`.
        """
        return _base(store, path, None).manifest

    def encode(
        self, *, has_changes: bool = False, folded: str = "", of_objects: Mapping[str, str] | None = None
    ) -> bytes:
        """Return the content of the manifest file.

        Args:
            has_changes: Whether there is a file of changes beside it.
            folded: The checksum of the file of changes of the manifest before, all of which this one includes.
            of_objects: Further metadata of a manifest in object storage, which then also lists the objects' marks.
        """
        rows = [(*key, *entry) for key, entries in self.files.items() for entry in entries]
        notes = {_HAS_CHANGES: "yes", _FOLDED: folded} if has_changes else {}
        buffer, frame = io.BytesIO(), pl.DataFrame(rows, schema=_OBJECT_SCHEMA, orient="row")
        side_files = {name: listed(entry) for name, entry in self.side_files.items()}
        (frame.drop(_OBJECT) if of_objects is None else frame).write_parquet(
            buffer, metadata={_SIDE_FILES: json.dumps(side_files), **notes, **(of_objects or {}), **BLANK_CHECKSUM}
        )
        return with_own_checksum(buffer.getvalue())

    @staticmethod
    def scan(store: Path) -> Manifest:
        """Make a manifest of the files that are in a store's folders, by opening each.

        A data file that cannot be read is listed with 0 rows, so that a read of its bars fails.
        """
        files: dict[tuple[str, str], tuple[FileEntry, ...]] = {}
        paths = data_files(store)
        with ThreadPoolExecutor(_SCAN_THREADS) as pool:
            for path, entry in zip(paths, pool.map(_describe_any, paths), strict=True):
                interval, symbol, _ = partition_of(path)
                files[symbol, interval] = (*files.get((symbol, interval), ()), entry)
        return Manifest.of(files, scan_side_files(store))


@dataclass(frozen=True, eq=False)
class ReadManifest:
    """A manifest file as it was read.

    Attributes:
        checksum: The checksum that it carries.
        stamp: A value that changes when the file is replaced.
        has_changes: Whether there is a file of changes beside it.
        folded: The checksum of the file of changes of the manifest before, all of which this one includes.
        manifest: What it lists.
    """

    checksum: str
    stamp: tuple[int, ...]
    has_changes: bool
    folded: str
    manifest: Manifest


def load_side_files(store: Path) -> Mapping[str, SideEntry]:
    """Return the files beside the bars that the manifest of a store lists.

    The result is empty when there is no manifest.

    Raises:
        DamagedFileError: As for `Manifest.load`.
        StoreError: As for `Manifest.load`.
    """
    # Where possible without the rows, which take much longer to read in a large store.
    try:
        content = _read_checked(store, store / MANIFEST)
        return _side_files_of(store, content) if read_changes(store) is None else Manifest.load(store).side_files
    except (FileNotFoundError, NotADirectoryError):
        return {}


def _base(store: Path, path: Path, known: Manifest | None) -> ReadManifest:
    """Read a manifest file, or return the known one if its stamp is the same."""
    now = stamp(path.stat())
    if known is not None and known.base is not None and known.base.stamp == now:
        return known.base
    return decode_manifest(store, path, _read_checked(store, path), now)


def decode_manifest(store: Place, path: Place, content: bytes, now: tuple[int, ...]) -> ReadManifest:
    """Decode the content of a manifest file whose checksum was checked.

    Args:
        store: The store.
        path: The file.
        content: Its content.
        now: Its stamp.

    Raises:
        DamagedFileError: The content is not a manifest.
    """
    try:
        files, side_files = _files_of(content), _side_files_of(store, content)
        notes = pl.read_parquet_metadata(io.BytesIO(content))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, TypeError) as exc:
        raise damaged_manifest(store, path, str(exc)) from exc
    if files is None:
        raise damaged_manifest(store, path, "it names files that no store has")
    manifest = Manifest(files, side_files)
    base = ReadManifest(own_checksum(content), now, _HAS_CHANGES in notes, notes.get(_FOLDED, ""), manifest)
    object.__setattr__(manifest, "base", base)
    return base


def _files_of(content: bytes) -> dict[tuple[str, str], tuple[FileEntry, ...]] | None:
    """Return the files that a manifest file lists, or None when a store cannot have such files."""
    frame = pl.read_parquet(io.BytesIO(content))
    # Manifests of older versions do not count built bars.
    frame = frame if "built" in frame.columns else frame.with_columns(built=pl.lit(0, pl.Int64))
    objects = frame[_OBJECT].to_list() if _OBJECT in frame.columns else repeat("", frame.height)
    columns = {name: frame[name].to_list() for name in _SCHEMA}
    months = set(columns["part"]) - {"all"}
    if not (all(map(is_stored, set(columns["interval"]))) and all(map(MONTH.fullmatch, months))):
        return None
    symbols, intervals, *rest = columns.values()
    entries = map(FileEntry._make, zip(*rest, objects, strict=True))
    keyed = zip(zip(symbols, intervals, strict=True), entries, strict=True)
    return {key: tuple(e for _, e in run) for key, run in groupby(keyed, key=lambda pair: pair[0])}


def _by_key(changes: Mapping[Partition, FileEntry | None]) -> dict[tuple[str, str], dict[str, FileEntry | None]]:
    found: dict[tuple[str, str], dict[str, FileEntry | None]] = {}
    for partition, entry in changes.items():
        found.setdefault((partition.symbol, partition.interval), {})[partition.month] = entry
    return found


def _sort_key(key: tuple[str, str]) -> tuple[str, Interval]:
    return key[0], parse_interval(key[1])


def _read_checked(store: Path, path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise
    except IsADirectoryError as exc:
        raise damaged_manifest(store, path, exc.strerror or str(exc)) from exc
    except OSError as exc:
        raise StoreError(f"{path} cannot be read: {exc.strerror or exc}.") from exc
    if not has_own_checksum(content):
        raise damaged_manifest(store, path, "its checksum does not fit")
    return content


def _side_files_of(store: Place, content: bytes) -> Mapping[str, SideEntry]:
    noted = pl.read_parquet_metadata(io.BytesIO(content)).get(_SIDE_FILES)
    if noted is None and isinstance(store, Path):
        # Manifests of older versions do not list them; the next write does.
        return scan_side_files(store)
    return {name: SideEntry(*entry) for name, entry in json.loads(noted or "{}").items()}


def _describe_any(path: Path) -> FileEntry:
    try:
        return describe_file(path)
    except DamagedFileError:
        return unreadable_entry(path.stem, path.stat().st_size)

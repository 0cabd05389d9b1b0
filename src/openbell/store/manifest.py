"""The manifest of a store, which lists its files and what each holds.

It is a Parquet file that carries its own checksum (`openbell.store.checksum`): a row for each data file, and the files
beside the bars in the metadata.
"""

from __future__ import annotations

import calendar
import hashlib
import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from openbell.errors import BadBarsError, DamagedFileError, StoreError, command_on
from openbell.model.interval import DAY_NS
from openbell.store.built import built_metadata, read_built, unmarked
from openbell.store.checksum import BLANK_CHECKSUM, has_own_checksum, sha256_of, with_own_checksum
from openbell.store.layout import (
    BAR_SCHEMA,
    BARS,
    GROUP_ROWS,
    LABEL,
    MANIFEST,
    SIDE_FILES,
    STORED_INTERVALS,
    WHOLE_ROWS,
    Partition,
    data_path,
    partition_of,
    require_symbol,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = [
    "FileEntry",
    "Manifest",
    "SideEntry",
    "data_files",
    "describe_file",
    "encode_bars",
    "file_problem",
    "is_data_file",
    "side_entry",
    "side_file_problem",
    "unreadable_entry",
]

_SCAN_THREADS = 4
_YEAR_2100_NS = 47_482 * DAY_NS
_SIDE_FILES = "openbell_side_files"
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")

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


class FileEntry(NamedTuple):
    """The content of one data file in figures.

    Attributes:
        month: ``YYYY-MM`` or ``all``.
        rows: Number of bars, at least 1; 0 when the file could not be read when the manifest was made from the files.
        first_ns: Start of the first bar, nanoseconds since 1970 UTC; likewise last_ns of the last bar.
        bytes: Size of the file.
        sha256: Checksum of the file, in hexadecimal digits; empty, so that no content fits, when it could not be read.
        built: How many of the bars openbell built itself.
    """

    month: str
    rows: int
    first_ns: int
    last_ns: int
    bytes: int
    sha256: str
    built: int = 0


class SideEntry(NamedTuple):
    """A file of the store beside its bars, such as the corporate actions.

    Attributes:
        bytes: Size of the file.
        sha256: Checksum of the file, in hexadecimal digits.
        text: Of a label its text, by which it can be written again; else None.
    """

    bytes: int
    sha256: str
    text: str | None = None


@dataclass(frozen=True)
class Manifest:
    """The files of a store; immutable, a write makes a new one.

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
        """Return the stored intervals of ``symbol``, finest first; empty when it is not there."""
        return self._intervals.get(symbol, ())

    def entry(self, partition: Partition) -> FileEntry | None:
        """Return the entry of one data file; None when it is not there."""
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
        order = {"1s": 0, "1m": 1, "60m": 2, "1d": 3}
        keys = sorted(files, key=lambda key: (key[0], order.get(key[1], 9), key[1]))
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
        remedy = f"Make it again from the data files with `{command_on('data repair', store)}`."
        try:
            content = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise
        except PermissionError as exc:
            raise StoreError(f"{path} cannot be read: {exc.strerror}.") from exc
        except OSError as exc:
            raise DamagedFileError(path, exc.strerror or str(exc), remedy) from exc
        if not has_own_checksum(content):
            raise DamagedFileError(path, "its checksum does not fit", remedy)
        try:
            frame = pl.read_parquet(io.BytesIO(content))
            # Manifests of before there were built bars do not count them.
            frame = frame if "built" in frame.columns else frame.with_columns(built=pl.lit(0, pl.Int64))
            columns = frame[list(_SCHEMA)].to_dict(as_series=False)
            side_files = _side_files_of(store, content)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as exc:
            raise DamagedFileError(path, str(exc), remedy) from exc
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
        return Manifest.of(files, _scan_side_files(store))


def data_files(store: Path) -> list[Path]:
    """Return the data files that are in a store's folders, sorted."""
    return sorted(path for path in (store / BARS).glob("interval=*/symbol=*/*.parquet") if is_data_file(store, path))


def is_data_file(store: Path, path: Path) -> bool:
    """Return whether a path is one of a data file, by its name and those of its folders."""
    partition = partition_of(path)
    whole, month = partition.interval == "1d", partition.month
    if partition.interval not in STORED_INTERVALS or not (month == "all" if whole else _MONTH.fullmatch(month)):
        return False
    try:
        require_symbol(partition.symbol)
    except StoreError:
        return False
    # Of several ways to encode a symbol, one is ours.
    return data_path(store, partition) == path


def encode_bars(month: str, frame: pl.DataFrame) -> tuple[bytes, FileEntry]:
    """Return the content of the data file for ``frame`` (not empty, sorted), and its entry in the manifest.

    ``frame`` may have the column `BUILT`.
    """
    buffer = io.BytesIO()
    metadata = built_metadata(frame)
    group_rows = GROUP_ROWS if frame.height > WHOLE_ROWS else WHOLE_ROWS
    unmarked(frame).write_parquet(buffer, compression="zstd", metadata=metadata, row_group_size=group_rows)
    content = buffer.getvalue()
    return content, _describe(month, frame, content, 0 if metadata is None else read_built(content).height)


def describe_file(path: Path) -> FileEntry:
    """Return the manifest entry of a data file, from its content.

    Raises:
        DamagedFileError: It cannot be read.
    """
    try:
        content = path.read_bytes()
        frame = pl.read_parquet(io.BytesIO(content), columns=["timestamp"])
        built = read_built(content)
    except OSError as exc:
        raise DamagedFileError(path, exc.strerror or str(exc)) from exc
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, BadBarsError) as exc:
        raise DamagedFileError(path, str(exc)) from exc
    if frame.is_empty():
        raise DamagedFileError(path, "it holds no bars")
    if frame.schema["timestamp"] != BAR_SCHEMA["timestamp"]:
        cause = f"its timestamps are {frame.schema['timestamp']}, not {BAR_SCHEMA['timestamp']}"
        raise DamagedFileError(path, cause)
    return _describe(path.stem, frame, content, built.height)


def file_problem(path: Path, entry: FileEntry) -> str | None:
    """Return why a data file is not what was stored; None when it is, to the byte."""
    try:
        size = path.stat().st_size
        if not entry.sha256:
            return "it cannot be read"
        if size != entry.bytes:
            return f"it has {size} bytes, stored were {entry.bytes}"
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except FileNotFoundError:
        return "it is missing"
    except OSError as exc:
        return exc.strerror or str(exc)
    return None if digest == entry.sha256 else "its content is not what was stored"


def unreadable_entry(month: str, size: int) -> FileEntry:
    """Return a manifest entry for a data file that cannot be read; it fits no content.

    Its times are those between which the bars of its month may be.
    """
    if month == "all":
        return FileEntry(month, 0, 0, _YEAR_2100_NS, size, "")
    year, number = int(month[:4]), int(month[5:])
    first_ns = calendar.timegm((year, number, 1, 0, 0, 0)) * 1_000_000_000
    return FileEntry(month, 0, first_ns, first_ns + calendar.monthrange(year, number)[1] * DAY_NS - 1, size, "")


def side_entry(name: str, content: bytes) -> SideEntry:
    """Return the manifest entry of a file beside the bars."""
    text = None
    if name == LABEL:
        # Without it, a label that is not what we write cannot be written again.
        with suppress(UnicodeDecodeError):
            text = content.decode()
    return SideEntry(len(content), sha256_of(content), text)


def side_file_problem(path: Path, entry: SideEntry) -> str | None:
    """Return why a file beside the bars is not what was stored; None when it is."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return "it is missing"
    except OSError as exc:
        return exc.strerror or str(exc)
    return None if sha256_of(content) == entry.sha256 else "its content is not what was stored"


def _side_files_of(store: Path, content: bytes) -> Mapping[str, SideEntry]:
    listed = pl.read_parquet_metadata(io.BytesIO(content)).get(_SIDE_FILES)
    if listed is None:
        # A manifest of before they were listed; the next write lists them.
        return _scan_side_files(store)
    return {name: SideEntry(*entry) for name, entry in json.loads(listed).items()}


def _scan_side_files(store: Path) -> Mapping[str, SideEntry]:
    """Return the files beside the bars that are there and not damaged."""
    contents = {name: (store / name).read_bytes() for name in SIDE_FILES if (store / name).is_file()}
    return {
        name: side_entry(name, content)
        for name, content in contents.items()
        if name == LABEL or has_own_checksum(content)
    }


def _describe_any(path: Path) -> FileEntry:
    try:
        return describe_file(path)
    except DamagedFileError:
        return unreadable_entry(path.stem, path.stat().st_size)


def _describe(month: str, frame: pl.DataFrame, content: bytes, built: int) -> FileEntry:
    times = frame["timestamp"].to_physical()
    return FileEntry(month, frame.height, int(times[0]), int(times[-1]), len(content), sha256_of(content), built)

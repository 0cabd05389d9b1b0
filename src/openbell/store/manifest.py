"""The manifest: what each data file of a store holds, known without opening it.

It is a Parquet file that carries its own checksum (`openbell.store.checksum`).
"""

from __future__ import annotations

import calendar
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from openbell.errors import DamagedFileError, command_on
from openbell.model.interval import DAY_NS
from openbell.store.built import built_metadata, read_built, unmarked
from openbell.store.checksum import UNSEALED, is_sealed, sealed, sha256_of
from openbell.store.layout import BAR_SCHEMA, BARS, GROUP_ROWS, WHOLE_ROWS, Partition, partition_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["FileEntry", "Manifest", "data_files", "describe_file", "encode_bars", "file_problem", "unreadable_entry"]

_SCAN_THREADS = 4
_YEAR_2100_NS = 47_482 * DAY_NS


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
    """What one data file holds.

    Attributes:
        part: ``YYYY-MM`` or ``all``.
        rows: Number of bars, at least 1; 0 when the file could not be read when the manifest was made from the files.
        first_ns: Start of the first bar, nanoseconds since 1970 UTC; likewise last_ns of the last bar.
        bytes: Size of the file.
        sha256: Checksum of the file, in hexadecimal digits; empty, so that no content fits, when it could not be read.
        built: How many of the bars openbell built itself.
    """

    part: str
    rows: int
    first_ns: int
    last_ns: int
    bytes: int
    sha256: str
    built: int = 0


@dataclass(frozen=True)
class Manifest:
    """All data files of a store; immutable, a write makes a new one.

    Attributes:
        files: Per (symbol, interval) its files in ascending time; keys sorted by symbol, then by length of interval.
    """

    files: Mapping[tuple[str, str], tuple[FileEntry, ...]]
    _intervals: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for symbol, keys in groupby(self.files, key=lambda key: key[0]):
            self._intervals[symbol] = tuple(interval for _, interval in keys)

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols, sorted."""
        return tuple(self._intervals)

    def intervals(self, symbol: str) -> tuple[str, ...]:
        """The stored intervals of ``symbol``, finest first; empty when it is not there."""
        return self._intervals.get(symbol, ())

    def entry(self, partition: Partition) -> FileEntry | None:
        """What is known of one data file; None when it is not there."""
        entries = self.files.get((partition.symbol, partition.interval), ())
        return next((entry for entry in entries if entry.part == partition.part), None)

    def partitions(self) -> Iterator[tuple[Partition, FileEntry]]:
        """All data files with what they hold."""
        for (symbol, interval), entries in self.files.items():
            for entry in entries:
                yield Partition(interval, symbol, entry.part), entry

    def with_changes(self, changes: Mapping[Partition, FileEntry | None]) -> Manifest:
        """The manifest after ``changes``: None takes a file out."""
        files = {key: {entry.part: entry for entry in entries} for key, entries in self.files.items()}
        for partition, entry in changes.items():
            parts = files.setdefault((partition.symbol, partition.interval), {})
            if entry is None:
                parts.pop(partition.part, None)
            else:
                parts[partition.part] = entry
        return Manifest.of({key: tuple(parts.values()) for key, parts in files.items() if parts})

    @staticmethod
    def of(files: Mapping[tuple[str, str], tuple[FileEntry, ...]]) -> Manifest:
        """A manifest of these files, in any order."""
        order = {"1s": 0, "1m": 1, "60m": 2, "1d": 3}
        keys = sorted(files, key=lambda key: (key[0], order.get(key[1], 9), key[1]))
        return Manifest({key: tuple(sorted(files[key])) for key in keys})

    @staticmethod
    def load(path: Path) -> Manifest:
        """Read a manifest file.

        Raises:
            DamagedFileError: It cannot be read.
        """
        content = path.read_bytes()
        remedy = f"Make it again from the data files with `{command_on('data repair', path.parent)}`."
        if not is_sealed(content):
            raise DamagedFileError(path, "its checksum does not fit", remedy)
        try:
            frame = pl.read_parquet(io.BytesIO(content))
            # Manifests of before there were built bars do not count them.
            frame = frame if "built" in frame.columns else frame.with_columns(built=pl.lit(0, pl.Int64))
            columns = frame[list(_SCHEMA)].to_dict(as_series=False)
        except pl.exceptions.PolarsError as exc:
            raise DamagedFileError(path, str(exc), remedy) from exc
        symbols, intervals, *rest = columns.values()
        entries = map(FileEntry._make, zip(*rest, strict=True))
        keyed = zip(zip(symbols, intervals, strict=True), entries, strict=True)
        return Manifest({key: tuple(e for _, e in run) for key, run in groupby(keyed, key=lambda pair: pair[0])})

    def encode(self) -> bytes:
        """The content of the manifest file."""
        rows = [(*key, *entry) for key, entries in self.files.items() for entry in entries]
        buffer = io.BytesIO()
        pl.DataFrame(rows, schema=_SCHEMA, orient="row").write_parquet(buffer, metadata=UNSEALED)
        return sealed(buffer.getvalue())

    @staticmethod
    def scan(store: Path) -> Manifest:
        """The manifest of the files that are in a store's folders, by opening each.

        One that cannot be read is in it without rows, so that whoever asks for its bars is told.
        """
        files: dict[tuple[str, str], tuple[FileEntry, ...]] = {}
        paths = data_files(store)
        with ThreadPoolExecutor(_SCAN_THREADS) as pool:
            for path, entry in zip(paths, pool.map(_describe_any, paths), strict=True):
                interval, symbol, _ = partition_of(path)
                files[symbol, interval] = (*files.get((symbol, interval), ()), entry)
        return Manifest.of(files)


def data_files(store: Path) -> list[Path]:
    """The data files that are in a store's folders, sorted."""
    return sorted((store / BARS).glob("interval=*/symbol=*/*.parquet"))


def encode_bars(part: str, frame: pl.DataFrame) -> tuple[bytes, FileEntry]:
    """The content of the data file that holds ``frame`` (not empty, sorted), and its entry in the manifest.

    ``frame`` may have the column `BUILT`.
    """
    buffer = io.BytesIO()
    metadata = built_metadata(frame)
    group_rows = GROUP_ROWS if frame.height > WHOLE_ROWS else WHOLE_ROWS
    unmarked(frame).write_parquet(buffer, compression="zstd", metadata=metadata, row_group_size=group_rows)
    content = buffer.getvalue()
    return content, _describe(part, frame, content, 0 if metadata is None else read_built(content).height)


def describe_file(path: Path) -> FileEntry:
    """The manifest entry of a data file, from its content.

    Raises:
        DamagedFileError: It cannot be read.
    """
    content = path.read_bytes()
    try:
        frame = pl.read_parquet(io.BytesIO(content), columns=["timestamp"])
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as exc:
        raise DamagedFileError(path, str(exc)) from exc
    if frame.is_empty():
        raise DamagedFileError(path, "it holds no bars")
    if frame.schema["timestamp"] != BAR_SCHEMA["timestamp"]:
        told = f"its timestamps are {frame.schema['timestamp']}, not {BAR_SCHEMA['timestamp']}"
        raise DamagedFileError(path, told)
    return _describe(path.stem, frame, content, read_built(content).height)


def file_problem(path: Path, entry: FileEntry) -> str | None:
    """What keeps a data file from being what was stored; None when it is that, to the byte."""
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


def unreadable_entry(part: str, size: int) -> FileEntry:
    """The manifest entry of a data file that cannot be read: it says when its bars may be, and fits no content."""
    if part == "all":
        return FileEntry(part, 0, 0, _YEAR_2100_NS, size, "")
    year, month = int(part[:4]), int(part[5:])
    first_ns = calendar.timegm((year, month, 1, 0, 0, 0)) * 1_000_000_000
    return FileEntry(part, 0, first_ns, first_ns + calendar.monthrange(year, month)[1] * DAY_NS - 1, size, "")


def _describe_any(path: Path) -> FileEntry:
    try:
        return describe_file(path)
    except DamagedFileError:
        return unreadable_entry(path.stem, path.stat().st_size)


def _describe(part: str, frame: pl.DataFrame, content: bytes, built: int) -> FileEntry:
    times = frame["timestamp"].to_physical()
    return FileEntry(part, frame.height, int(times[0]), int(times[-1]), len(content), sha256_of(content), built)

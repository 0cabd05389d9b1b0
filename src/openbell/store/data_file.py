"""Data files of a store, each the bars of one symbol, interval and month."""

from __future__ import annotations

import calendar
import io
import re
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from openbell.errors import BadBarsError, DamagedFileError, DamagedObjectError, StoreError, UnreadableFileError
from openbell.model.address import StoreAddress
from openbell.model.interval import DAY_NS
from openbell.store.built_mark import built_metadata, read_built, unmarked
from openbell.store.checksum import sha256_of
from openbell.store.layout import (
    BAR_SCHEMA,
    BARS,
    GROUP_ROWS,
    WHOLE_ROWS,
    data_path,
    is_stored,
    partition_of,
    require_symbol,
)

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.model.address import Place

__all__ = [
    "MONTH",
    "FileEntry",
    "data_files",
    "describe_file",
    "encode_bars",
    "is_data_file",
    "unreadable_entry",
]

MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
"""Pattern of the name of a month's data file, without its suffix."""

_YEAR_2100_NS = 47_482 * DAY_NS


class FileEntry(NamedTuple):
    """Manifest entry of one data file.

    Attributes:
        month: ``YYYY-MM`` or ``all``.
        rows: Number of bars, at least 1; 0 when the manifest was made from the files and this one could not be read.
        first_ns: Start of the first bar, nanoseconds since 1970 UTC.
        last_ns: Start of the last bar, nanoseconds since 1970 UTC.
        bytes: Size of the file.
        sha256: Checksum of the file, in hexadecimal digits; empty, so that no content fits, when it could not be read.
        built: How many of the bars openbell built itself.
        object: The mark in the name of its object in object storage; empty in a folder.
    """

    month: str
    rows: int
    first_ns: int
    last_ns: int
    bytes: int
    sha256: str
    built: int = 0
    object: str = ""


def data_files(store: Path) -> list[Path]:
    """Return the data files that are in a store's folders, sorted."""
    return sorted(path for path in (store / BARS).glob("interval=*/symbol=*/*.parquet") if is_data_file(store, path))


def is_data_file(store: Path, path: Path) -> bool:
    """Return whether a path is that of a data file, by its name and the names of its folders."""
    partition = partition_of(path)
    whole, month = partition.interval == "1d", partition.month
    if not is_stored(partition.interval) or not (month == "all" if whole else MONTH.fullmatch(month)):
        return False
    try:
        require_symbol(partition.symbol)
    except StoreError:
        return False
    # A symbol can be percent-encoded in several ways, of which a store uses one.
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


def reading_problem(path: Path) -> str | None:
    """Return why the system does not let a file be read, or None when it does or there is no file."""
    try:
        with path.open("rb") as content:
            content.read(1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as exc:
        return exc.strerror or str(exc)
    return None


def damaged_file(path: Place, cause: str, remedy: str | None = None) -> DamagedFileError:
    """Return the error for a file that is not what was stored, or that cannot be read."""
    if isinstance(path, StoreAddress):
        return DamagedObjectError(str(path), cause, remedy or "See docs/object-storage.md for what to do.")
    why = reading_problem(path)
    return UnreadableFileError(path, why) if why else DamagedFileError(path, cause, remedy)


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
        raise damaged_file(path, exc.strerror or str(exc)) from exc
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, BadBarsError) as exc:
        raise DamagedFileError(path, str(exc)) from exc
    if frame.is_empty():
        raise DamagedFileError(path, "it holds no bars")
    if frame.schema["timestamp"] != BAR_SCHEMA["timestamp"]:
        cause = f"its timestamps are {frame.schema['timestamp']}, not {BAR_SCHEMA['timestamp']}"
        raise DamagedFileError(path, cause)
    return _describe(path.stem, frame, content, built.height)


def unreadable_entry(month: str, size: int) -> FileEntry:
    """Return a manifest entry for a data file that cannot be read.

    No content fits its checksum. Its times are the first and last at which a bar of its month may start.
    """
    if month == "all":
        return FileEntry(month, 0, 0, _YEAR_2100_NS, size, "")
    year, number = int(month[:4]), int(month[5:])
    first_ns = calendar.timegm((year, number, 1, 0, 0, 0)) * 1_000_000_000
    return FileEntry(month, 0, first_ns, first_ns + calendar.monthrange(year, number)[1] * DAY_NS - 1, size, "")


def _describe(month: str, frame: pl.DataFrame, content: bytes, built: int) -> FileEntry:
    times = frame["timestamp"].to_physical()
    return FileEntry(month, frame.height, int(times[0]), int(times[-1]), len(content), sha256_of(content), built)

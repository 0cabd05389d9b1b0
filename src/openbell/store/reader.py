"""Reads of many data files, after verification that each is what was stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from openbell.errors import DamagedFileError
from openbell.store.built_mark import BUILT, read_built
from openbell.store.data_file import damaged_file
from openbell.store.layout import BAR_SCHEMA, WHOLE_ROWS
from openbell.store.verification import StoredFile, VerifiedFiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from openbell.store.verification import Mark

__all__ = ["FileReader", "SymbolRows"]

_GROUPS = 8
_FEWEST_VALUES, _MOST_VALUES = 400_000, 1_500_000
_KNOWN_ROWS = 1 << 10
_NO_ROWS = (np.empty(0, np.intp), np.empty(0, np.int32))


class _Slice(NamedTuple):
    """Rows of a data file from ``first`` up to but without ``after``."""

    file: StoredFile
    first: int
    after: int

    @property
    def rows(self) -> int:
        return self.after - self.first

    @property
    def is_whole(self) -> bool:
        return self.rows == self.file.entry.rows


@dataclass(frozen=True)
class SymbolRows:
    """Bars of several symbols.

    Attributes:
        columns: Of `BAR_SCHEMA`, symbol after symbol, each in ascending time; float64, and ``timestamp`` int64,
            nanoseconds since 1970 UTC.
        runs: Per symbol that has rows: (symbol, first row, row after the last).
        built: The rows that openbell built itself, ascending, and of how many finer bars each is made.
    """

    columns: Mapping[str, NDArray[Any]]
    runs: tuple[tuple[str, int, int], ...]
    built: tuple[NDArray[np.intp], NDArray[np.int32]]

    @cached_property
    def frame(self) -> pl.DataFrame:
        """Copy of the columns as a frame."""
        return pl.DataFrame(self.columns).cast({name: BAR_SCHEMA[name] for name in self.columns})


class FileReader:
    """Reader of data files, which it verifies first."""

    def __init__(self) -> None:
        self._verified = VerifiedFiles()
        # By location of a large file: its mark, and the start of each bar whose row is a multiple of `_KNOWN_ROWS`.
        self._starts: dict[str, tuple[Mark | None, NDArray[np.int64]]] = {}

    def read(
        self,
        files: Sequence[StoredFile],
        first_ns: int | None,
        end_ns: int | None,
        *,
        columns: Sequence[str] = tuple(BAR_SCHEMA),
    ) -> SymbolRows:
        """Return the bars of ``files`` that start at or after ``first_ns`` and before ``end_ns``.

        None is no bound.

        Args:
            files: Ordered by symbol, those of one symbol by time.
            first_ns: Nanoseconds since 1970 UTC.
            end_ns: Nanoseconds since 1970 UTC.
            columns: Those of `BAR_SCHEMA` that are wanted, timestamp among them.

        Raises:
            DamagedFileError: A file is missing, is not what was stored, or cannot be read; it names the file.
        """
        # Files that are read whole are verified when their content is read.
        self._verified.verify([file for file in files if not 0 < file.entry.rows <= WHOLE_ROWS])
        slices = [piece for file in files for piece in self._slices(file, first_ns, end_ns)]
        # Filled group by group, so that only these columns and one group are in memory; unfilled rows take no memory.
        most = sum(piece.rows for piece in slices)
        filled: dict[str, NDArray[Any]] = {n: np.empty(most, np.int64 if n == "timestamp" else float) for n in columns}
        counts: list[int] = []
        for group in _groups(slices, len(filled)):
            begin = sum(counts)
            frame = self._whole(group, tuple(filled)) if group[0].is_whole else _read(group, tuple(filled))
            counts += _fill(filled, begin, group, frame, first_ns, end_ns)
        rows = {name: column[: sum(counts)] for name, column in filled.items()}
        runs = _runs(slices, counts)
        return SymbolRows(rows, runs, _built(files, runs, rows["timestamp"]))

    def _whole(self, slices: Sequence[_Slice], columns: Sequence[str]) -> pl.DataFrame:
        """Return the rows of whole files, one after another, each verified and decoded by one read."""
        files = [piece.file for piece in slices]
        return _decoded(files, self._verified.contents(files), columns)

    def _slices(self, file: StoredFile, first_ns: int | None, end_ns: int | None) -> Iterator[_Slice]:
        """Yield the rows of a file that may lie within the bounds, of a large file in several slices."""
        entry, first, after = file.entry, 0, file.entry.rows
        if entry.rows > WHOLE_ROWS:
            if first_ns is not None and entry.first_ns < first_ns:
                first = max(0, int(self._starts_of(file).searchsorted(first_ns, side="right")) - 1) * _KNOWN_ROWS
            if end_ns is not None and entry.last_ns >= end_ns:
                after = min(after, int(self._starts_of(file).searchsorted(end_ns)) * _KNOWN_ROWS)
        return _sliced(file, first, after, WHOLE_ROWS)

    def _starts_of(self, file: StoredFile) -> NDArray[np.int64]:
        """Return when each `_KNOWN_ROWS`-th bar of a large, verified file starts."""
        mark, known = self._verified.mark_of(file), self._starts.get(file.location)
        if known is None or known[0] != mark:
            most = WHOLE_ROWS * len(BAR_SCHEMA)
            frames = (_read([piece], ("timestamp",)) for piece in _sliced(file, 0, file.entry.rows, most))
            starts = [_numbers(frame["timestamp"])[::_KNOWN_ROWS] for frame in frames]
            known = self._starts[file.location] = mark, np.concatenate(starts)
        return known[1]


def _sliced(file: StoredFile, first: int, after: int, most: int) -> Iterator[_Slice]:
    """Yield rows of a file in slices of at most ``most``."""
    for begin in range(first, after, most):
        yield _Slice(file, begin, min(begin + most, after))


def _groups(slices: Sequence[_Slice], columns: int) -> Iterator[Sequence[_Slice]]:
    """Yield slices in groups that are read at once."""
    # Each a small share of all values, to save memory, but large enough to keep all cores busy.
    values = columns * sum(piece.rows for piece in slices) // _GROUPS
    most = min(max(_FEWEST_VALUES, values), _MOST_VALUES) // columns
    begin = rows = 0
    for place, piece in enumerate(slices):
        alone = not (piece.is_whole and slices[begin].is_whole)
        if place > begin and (alone or rows + piece.rows > most):
            yield slices[begin:place]
            begin, rows = place, 0
        rows += piece.rows
    if slices:
        yield slices[begin:]


def _fill(
    columns: Mapping[str, NDArray[Any]],
    row: int,
    slices: Sequence[_Slice],
    frame: pl.DataFrame,
    first_ns: int | None,
    end_ns: int | None,
) -> list[int]:
    """Put the rows within the bounds into columns from ``row`` on, and return how many each slice has."""
    # Rows are sorted, and the manifest says how many each file has: a search in the files that hold more than is wanted
    # costs less than a filter, or than a column with the file's name.
    times = _numbers(frame["timestamp"])
    within: list[tuple[int, int]] = []
    begin = 0
    for piece in slices:
        entry, first, after, end = piece.file.entry, begin, begin + piece.rows, begin + piece.rows
        if first_ns is not None and entry.first_ns < first_ns:
            first += int(times[begin:end].searchsorted(first_ns))
        if end_ns is not None and entry.last_ns >= end_ns:
            after = max(first, begin + int(times[begin:end].searchsorted(end_ns)))
        within.append((first, after))
        begin = end
    counts = [after - first for first, after in within]
    where = slice(row, row + sum(counts))
    for name, column in columns.items():
        read = _numbers(frame.drop_in_place(name))
        np.concatenate([read[first:after] for first, after in within], out=column[where])
    return counts


def _read(slices: Sequence[_Slice], columns: Sequence[str]) -> pl.DataFrame:
    """Return the rows of one slice of a file."""
    (piece,) = slices
    # Not by the Hive folders: a store may lie in a folder that looks like one itself.
    scan = pl.scan_parquet(piece.file.path, glob=False, hive_partitioning=False)
    # By rows rather than by a filter on times, which would take more memory; other row groups are not read.
    return _collected(scan.slice(piece.first, piece.rows), [piece.file], columns, piece.rows)


def _decoded(files: Sequence[StoredFile], contents: Sequence[bytes], columns: Sequence[str]) -> pl.DataFrame:
    """Return the rows of whole files, one after another."""
    # From memory, because polars takes a third longer to read many small files itself.
    scan = pl.scan_parquet(list(contents), glob=False, hive_partitioning=False)
    return _collected(scan, files, columns, sum(file.entry.rows for file in files))


def _collected(scan: pl.LazyFrame, files: Sequence[StoredFile], columns: Sequence[str], rows: int) -> pl.DataFrame:
    try:
        frame = scan.select(*columns).collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as exc:
        raise _culprit(files, exc) from exc
    if frame.height != rows:
        raise _culprit(files, ValueError("the number of bars is not what was stored"))
    return frame


def _numbers(column: pl.Series) -> NDArray[Any]:
    """Return the values of a column, times as nanoseconds since 1970 UTC."""
    # Not by to_physical, which runs a polars query.
    values = column.to_numpy()
    return values.view(np.int64) if column.dtype == BAR_SCHEMA["timestamp"] else values


def _runs(slices: Sequence[_Slice], counts: Sequence[int]) -> tuple[tuple[str, int, int], ...]:
    """Return where each symbol's rows begin and end.

    ``counts`` are the rows of each slice.
    """
    runs: list[tuple[str, int, int]] = []
    begin = 0
    for (file, _, _), count in zip(slices, counts, strict=True):
        end = begin + count
        if runs and runs[-1][0] == file.symbol:
            runs[-1] = (file.symbol, runs[-1][1], end)
        elif count:
            runs.append((file.symbol, begin, end))
        begin = end
    return tuple(runs)


def _built(
    files: Sequence[StoredFile], runs: Sequence[tuple[str, int, int]], starts: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Return the rows that were built, and of how many bars each, by the marks in the files."""
    marks = [(file.symbol, read_built(file.path)) for file in files if file.entry.built]
    if not marks or not len(starts):
        return _NO_ROWS
    where = {symbol: (first, after) for symbol, first, after in runs}
    rows, counts = [], []
    for symbol, built in marks:
        first, after = where.get(symbol, (0, 0))
        marked = _numbers(built["timestamp"])
        place = first + np.searchsorted(starts[first:after], marked)
        # Some marked bars may lie outside of the rows that were read.
        is_there = (place < after) & (starts[np.minimum(place, len(starts) - 1)] == marked)
        rows.append(place[is_there])
        counts.append(built[BUILT].to_numpy()[is_there])
    return np.concatenate(rows), np.concatenate(counts)


def _culprit(files: Sequence[StoredFile], cause: BaseException) -> DamagedFileError:
    """Return the error that names the file because of which a scan of several files failed."""
    for file in files:
        try:
            found = pl.read_parquet(file.path, hive_partitioning=False, glob=False).select(*BAR_SCHEMA)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as exc:
            return damaged_file(file.path, str(exc))
        if found.height != file.entry.rows:
            return DamagedFileError(file.path, f"it holds {found.height} bars instead of {file.entry.rows}")
    return DamagedFileError(files[0].path.parent, f"or one of the {len(files)} files read with it: {cause}")

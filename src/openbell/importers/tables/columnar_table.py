"""Parquet and Feather files as tables, read in slices of rows.

The line of a row is its number in the file, from 1.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import polars as pl

from openbell.importers.files.trial_reading import TRIAL_READER
from openbell.importers.tables.columnar_frames import LINE, collect, named, polars_errors, scan
from openbell.importers.tables.table import CHUNK_ROWS, NO_BAD_ROWS, Chunk, require_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openbell.importers.files.import_files import ImportSource

__all__ = ["FrameTable", "feather_table", "parquet_table"]

_FIXED_OFFSET = re.compile(r"^([+-])(\d\d):?(\d\d)$")
_LINE_ENDS = r"[\n\r\x0b\x0c\x1c-\x1e\x{85}\x{2028}\x{2029}]"


class FrameTable:
    """The rows of a frame as a `Table`.

    Args:
        source: The file.
        frame: The rows.
        kind: "parquet" or "ipc" if a lazy frame is to read the rows from such a file, else None.

    Raises:
        OSError: The frame has more columns than any table of bars.
    """

    separator = ","

    def __init__(self, source: ImportSource, frame: pl.DataFrame | pl.LazyFrame, kind: str | None = None) -> None:
        self.source = source
        self._kind = kind
        self._rows, self.schema = named(frame)
        require_columns(len(self.schema))

    @property
    def columns(self) -> Sequence[str]:
        """The names of the columns, without those of nested types or bytes."""
        return [name for name, dtype in self.schema.items() if not dtype.is_nested() and dtype != pl.Binary]

    def sample(self, count: int) -> pl.DataFrame:
        """Return the first rows."""
        return self._slice(0, count, self.columns)

    def chunks(self, wanted: Sequence[str], numbers: Sequence[str]) -> Iterator[Chunk]:
        """See `Table.chunks`."""
        with polars_errors():
            rows = self._rows.select(pl.len()).collect().item()
        for start in range(0, rows, CHUNK_ROWS):
            frame = self._slice(start, CHUNK_ROWS, wanted)
            frame = frame.with_columns(pl.col(n).cast(pl.Float64) for n in numbers if frame.schema[n].is_numeric())
            yield Chunk(frame.with_row_index(LINE, offset=start + 1), NO_BAD_ROWS)

    def as_written(self, lines: pl.Series) -> Iterator[tuple[int, str]]:
        """See `Table.as_written`."""
        at = 0
        while at < len(lines):
            start = (lines[at] - 1) // CHUNK_ROWS * CHUNK_ROWS
            until = int(lines.search_sorted(start + CHUNK_ROWS + 1))
            numbers = lines[at:until]
            frame = self._slice(start, CHUNK_ROWS, self.columns)[(numbers - 1 - start).to_list()]
            buffer = io.StringIO()
            # Line ends within texts are replaced, because each row must be one line of the quarantine.
            frame.with_columns(pl.col(pl.String).str.replace_all(_LINE_ENDS, " ")).write_csv(
                buffer, include_header=False
            )
            yield from zip(numbers, buffer.getvalue().splitlines(), strict=True)
            at = until

    def quarantine_header(self) -> str:
        """See `Table.quarantine_header`."""
        return ",".join(["line", "reason", *self.columns])

    def _slice(self, start: int, count: int, columns: Sequence[str]) -> pl.DataFrame:
        if self._kind is not None:
            TRIAL_READER.read(self._kind, self.source.path, start, count, columns)
        frame = collect(self._rows, self.schema, start, count, columns)
        offsets = {name: offset for name in columns if (offset := _fixed_offset(self.schema[name]))}
        return frame.with_columns(_with_offset(frame[name], offset) for name, offset in offsets.items())


def parquet_table(source: ImportSource) -> FrameTable:
    """Open a Parquet file, of which only the wanted columns are read."""
    return _table("parquet", source)


def feather_table(source: ImportSource) -> FrameTable:
    """Open a Feather (Arrow IPC) file."""
    return _table("ipc", source)


def _table(kind: str, source: ImportSource) -> FrameTable:
    TRIAL_READER.read(kind, source.path, 0, 0, None)
    return FrameTable(source, scan(kind, source.path), kind)


def _fixed_offset(dtype: pl.DataType) -> str | None:
    """Return the offset of a column of times whose zone is a fixed offset, else None."""
    zone = getattr(dtype, "time_zone", None)
    return zone if zone is not None and _FIXED_OFFSET.match(zone) else None


def _with_offset(times: pl.Series, offset: str) -> pl.Series:
    """Return times as texts with their offset, so that their dates stay those of the file."""
    sign, hours, rest = offset[0], offset[1:3], offset[-2:]
    minutes = (int(hours) * 60 + int(rest)) * (-1 if sign == "-" else 1)
    local = times.to_frame().select(pl.all().dt.replace_time_zone(None) + pl.duration(minutes=minutes)).to_series()
    return (local.dt.strftime("%Y-%m-%dT%H:%M:%S%.f") + f"{sign}{hours}:{rest}").alias(times.name)

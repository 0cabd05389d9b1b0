"""Parquet and Feather files as tables, read in slices of rows.

Each row is known by its number.
"""

from __future__ import annotations

import io
import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from openbell.importers.epochs import FIRST_S, LAST_S
from openbell.importers.table import CHUNK_ROWS, NO_BAD_ROWS, Chunk, require_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openbell.importers.sources import Source

__all__ = ["FrameTable", "feather_table", "parquet_table", "polars_errors"]

_FIXED_OFFSET = re.compile(r"^([+-])(\d\d):?(\d\d)$")
_LINE = "line"
_LINE_ENDS = r"[\n\r\x0b\x0c\x1c-\x1e\x{85}\x{2028}\x{2029}]"
_TICKS = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_ANY_ZONE = "POLARS_IGNORE_TIMEZONE_PARSE_ERROR"


class FrameTable:
    """Rows that are, or can be read as, a frame, as a `Table`.

    Args:
        source: The file.
        frame: Its rows.
    """

    separator = ","

    def __init__(self, source: Source, frame: pl.DataFrame | pl.LazyFrame) -> None:
        self.source = source
        self._scan = frame.lazy()
        with polars_errors():
            self.schema = self._scan.collect_schema()
            require_columns(len(self.schema))
            if _LINE in self.schema:  # tables have a column of line numbers of their own
                self._scan = self._scan.rename({_LINE: f"{_LINE}_2"})
                self.schema = self._scan.collect_schema()

    @property
    def columns(self) -> Sequence[str]:
        """The names of its columns that are not nested, nor of bytes."""
        return [name for name, dtype in self.schema.items() if not dtype.is_nested() and dtype != pl.Binary]

    def sample(self, count: int) -> pl.DataFrame:
        """Return the first rows."""
        return self._slice(0, count, self.columns)

    def chunks(self, wanted: Sequence[str], numbers: Sequence[str]) -> Iterator[Chunk]:
        """See `Table.chunks`."""
        with polars_errors():
            rows = self._scan.select(pl.len()).collect().item()
        for start in range(0, rows, CHUNK_ROWS):
            frame = self._slice(start, CHUNK_ROWS, wanted)
            frame = frame.with_columns(pl.col(n).cast(pl.Float64) for n in numbers if frame.schema[n].is_numeric())
            yield Chunk(frame.with_row_index(_LINE, offset=start + 1), NO_BAD_ROWS)

    def as_written(self, lines: pl.Series) -> Iterator[tuple[int, str]]:
        """See `Table.as_written`."""
        at = 0
        while at < len(lines):
            start = (lines[at] - 1) // CHUNK_ROWS * CHUNK_ROWS
            until = int(lines.search_sorted(start + CHUNK_ROWS + 1))
            numbers = lines[at:until]
            frame = self._slice(start, CHUNK_ROWS, self.columns)[(numbers - 1 - start).to_list()]
            buffer = io.StringIO()
            # A row of the quarantine is a line.
            frame.with_columns(pl.col(pl.String).str.replace_all(_LINE_ENDS, " ")).write_csv(
                buffer, include_header=False
            )
            yield from zip(numbers, buffer.getvalue().splitlines(), strict=True)
            at = until

    def quarantine_header(self) -> str:
        """See `Table.quarantine_header`."""
        return ",".join(["line", "reason", *self.columns])

    def _slice(self, start: int, count: int, columns: Sequence[str]) -> pl.DataFrame:
        with polars_errors():
            frame = self._scan.slice(start, count).select(*(self._column(name) for name in columns)).collect()
        offsets = {name: offset for name in columns if (offset := _fixed_offset(self.schema[name]))}
        return frame.with_columns(_with_offset(frame[name], offset) for name, offset in offsets.items())

    def _column(self, name: str) -> pl.Expr:
        """Return a column in a type that the importers know."""
        column, dtype = pl.col(name), self.schema[name]
        if isinstance(dtype, pl.Categorical | pl.Enum):
            return column.cast(pl.String)
        if isinstance(dtype, pl.Datetime):
            seconds = column.to_physical() // _TICKS[dtype.time_unit]
            # Years that no calendar has make polars panic.
            column = pl.when(seconds.is_between(FIRST_S, LAST_S)).then(column)
            if dtype.time_zone is not None and not _is_zone(dtype.time_zone):
                return column.cast(pl.Datetime(dtype.time_unit, "UTC")).alias(name)
            return column.alias(name)
        if dtype == pl.Date:
            days = column.to_physical().cast(pl.Int64) * 86_400
            return pl.when(days.is_between(FIRST_S, LAST_S)).then(column).alias(name)
        return column


def parquet_table(source: Source) -> FrameTable:
    """Open a Parquet file to read the columns and rows that are asked for."""
    with polars_errors():
        return FrameTable(source, pl.scan_parquet(source.path, glob=False))


def feather_table(source: Source) -> FrameTable:
    """Open a Feather (Arrow IPC) file."""
    with polars_errors():
        return FrameTable(source, pl.scan_ipc(source.path, glob=False))


@contextmanager
def polars_errors() -> Iterator[None]:
    """Let polars read zones that it does not know, and raise its panics as errors."""
    before = os.environ.get(_ANY_ZONE)
    # Without it, a column in +05:30 is a panic.
    os.environ[_ANY_ZONE] = "1"
    try:
        yield
    except BaseException as exc:
        if type(exc).__name__ != "PanicException":  # it derives from BaseException
            raise
        raise OSError(f"polars cannot read it: {str(exc).splitlines()[0]}") from None
    finally:
        if before is None:
            os.environ.pop(_ANY_ZONE, None)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _fixed_offset(dtype: pl.DataType) -> str | None:
    """Return the offset of a column of times whose zone is no region, as in files of other libraries."""
    zone = getattr(dtype, "time_zone", None)
    return zone if zone is not None and _FIXED_OFFSET.match(zone) else None


def _with_offset(times: pl.Series, offset: str) -> pl.Series:
    """Write times as texts with their offset, so that dates stay those that were written."""
    sign, hours, rest = offset[0], offset[1:3], offset[-2:]
    minutes = (int(hours) * 60 + int(rest)) * (-1 if sign == "-" else 1)
    local = times.to_frame().select(pl.all().dt.replace_time_zone(None) + pl.duration(minutes=minutes)).to_series()
    return (local.dt.strftime("%Y-%m-%dT%H:%M:%S%.f") + f"{sign}{hours}:{rest}").alias(times.name)

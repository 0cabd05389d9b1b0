"""Reading of Parquet and Feather files by polars, with columns in types that the importers know."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from openbell.importers.times.epochs import FIRST_S, LAST_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["LINE", "PanickedError", "collect", "named", "polars_errors", "scan"]

LINE = "line"
"""The name of the column of line numbers that tables add."""

_TICKS = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_ANY_ZONE = "POLARS_IGNORE_TIMEZONE_PARSE_ERROR"


class PanickedError(OSError):
    """Polars panics when it reads a file."""


def scan(kind: str, path: str | Path) -> pl.LazyFrame:
    """Open a file as a lazy frame.

    Args:
        kind: "parquet" or "ipc".
        path: The file.

    Raises:
        PanickedError: Polars panics.
    """
    with polars_errors():
        return pl.scan_parquet(path, glob=False) if kind == "parquet" else pl.scan_ipc(path, glob=False)


def named(frame: pl.DataFrame | pl.LazyFrame) -> tuple[pl.LazyFrame, pl.Schema]:
    """Return rows with a column named `LINE` renamed, and their schema."""
    with polars_errors():
        rows = frame.lazy()
        schema = rows.collect_schema()
        if LINE in schema:
            rows = rows.rename({LINE: f"{LINE}_2"})
            schema = rows.collect_schema()
        return rows, schema


def collect(rows: pl.LazyFrame, schema: pl.Schema, start: int, count: int, columns: Sequence[str]) -> pl.DataFrame:
    """Read some columns of ``count`` rows from ``start`` on."""
    with polars_errors():
        return rows.slice(start, count).select(*(_column(name, schema[name]) for name in columns)).collect()


@contextmanager
def polars_errors() -> Iterator[None]:
    """Let polars accept time zones that it does not know, and raise its panics as errors.

    Raises:
        PanickedError: Polars panics.
    """
    before = os.environ.get(_ANY_ZONE)
    # Without the variable, polars panics at a column in +05:30.
    os.environ[_ANY_ZONE] = "1"
    try:
        yield
    except BaseException as exc:
        if type(exc).__name__ != "PanicException":  # it derives from BaseException
            raise
        raise PanickedError(f"polars cannot read it: {str(exc).splitlines()[0]}") from None
    finally:
        if before is None:
            os.environ.pop(_ANY_ZONE, None)


def _column(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return a column in a type that the importers know, with implausible years as null."""
    column = pl.col(name)
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    if isinstance(dtype, pl.Datetime):
        seconds = column.to_physical() // _TICKS[dtype.time_unit]
        # Polars panics at years that no calendar has.
        column = pl.when(seconds.is_between(FIRST_S, LAST_S)).then(column)
        if dtype.time_zone is not None and not _is_zone(dtype.time_zone):
            return column.cast(pl.Datetime(dtype.time_unit, "UTC")).alias(name)
        return column.alias(name)
    if dtype == pl.Date:
        days = column.to_physical().cast(pl.Int64) * 86_400
        return pl.when(days.is_between(FIRST_S, LAST_S)).then(column).alias(name)
    return column


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True

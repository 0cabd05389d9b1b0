"""The mark of stored bars that openbell built itself.

On disk it is in the metadata of their data file. In memory a frame of such bars has one more column, `BUILT`: the
number of finer bars that a bar was made of, null for a vendor's bar.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import polars as pl

from openbell.errors import BadBarsError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BUILT", "BUILT_SCHEMA", "built_metadata", "marked_as", "read_built", "unmarked", "with_built_column"]

BUILT = "built"
"""The name of the column, whose type is Int32."""

BUILT_SCHEMA = pl.Schema({"timestamp": pl.Datetime("ns", "UTC"), BUILT: pl.Int32()})
"""One row for each bar that was built, in ascending time."""

_KEY = "openbell_built"


def built_metadata(frame: pl.DataFrame) -> dict[str, str] | None:
    """Return the metadata that marks the built bars of ``frame`` in its data file, or None without any."""
    if BUILT not in frame.columns:
        return None
    built = frame.filter(pl.col(BUILT).is_not_null())
    if built.is_empty():
        return None
    marks = {"timestamp_ns": built["timestamp"].to_physical().to_list(), "made_of": built[BUILT].to_list()}
    return {_KEY: json.dumps(marks, separators=(",", ":"))}


def read_built(file: Path | bytes) -> pl.DataFrame:
    """Return the marks of a data file, or of its content, as rows of `BUILT_SCHEMA`.

    Raises:
        PolarsError: It is not a Parquet file.
        BadBarsError: Its marks cannot be parsed.
        OSError: It cannot be read.
    """
    text = pl.read_parquet_metadata(io.BytesIO(file) if isinstance(file, bytes) else file).get(_KEY)
    if text is None:
        return BUILT_SCHEMA.to_frame()
    try:
        marks = json.loads(text)
        return pl.DataFrame({"timestamp": marks["timestamp_ns"], BUILT: marks["made_of"]}).cast(BUILT_SCHEMA)
    except (ValueError, KeyError, TypeError, RecursionError, pl.exceptions.PolarsError) as exc:
        raise BadBarsError("its marks of built bars cannot be read") from exc


def marked_as(frame: pl.DataFrame, built: pl.DataFrame) -> pl.DataFrame:
    """Return ``frame`` with the column `BUILT`, if ``built`` (rows of `BUILT_SCHEMA`) marks any bars."""
    return frame if built.is_empty() else frame.join(built, on="timestamp", how="left", maintain_order="left")


def unmarked(frame: pl.DataFrame) -> pl.DataFrame:
    """Return ``frame`` without the column `BUILT`."""
    # No polars query where there is nothing to drop: a process that has run one cannot be forked.
    return frame.drop(BUILT) if BUILT in frame.columns else frame


def with_built_column(frame: pl.DataFrame) -> pl.DataFrame:
    """Return ``frame`` with the column `BUILT`, filled with nulls if it was missing."""
    return frame if BUILT in frame.columns else frame.with_columns(pl.lit(None, BUILT_SCHEMA[BUILT]).alias(BUILT))

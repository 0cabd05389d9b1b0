"""The layout of a store on disk, and the columns of its files.

    <store>/openbell-store.json                                   what makes a folder a store, with its schema version
    <store>/manifest.parquet                                      of each file bytes and sha256; rows, first, last
    <store>/manifest-changes.json                                 of large stores: what has changed since it was written
    <store>/bars/interval=1m/symbol=SPY/2013-10.parquet           the bars of one UTC month (1s, 1m, 60m)
    <store>/bars/interval=1d/symbol=SPY/all.parquet               all daily bars
    <store>/actions/actions.parquet                               corporate actions, if there are any
    <store>/fetched/unavailable.parquet                           sessions of which a vendor was asked and had no bars
    <store>/days/zones.parquet                                    the days that daily bars span, if not sessions
    <store>/LABEL.txt                                             one line on what the bars are, if it is there
    <store>/quarantine/                                           rows that an import set aside, with the reasons
    <store>/.staging/                                             only during a write: its new files
    <store>/pending.json                                          only during a write: the files that it will replace

The folders are Hive partitions, so polars, DuckDB and pandas read ``<store>/bars`` without openbell. Symbols are
percent-encoded where a file system needs it (``BTC/USD`` is ``symbol=BTC%2FUSD``); the readers decode that.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

import polars as pl

from openbell.errors import BadBarsError, IntervalError, StoreError, shortened
from openbell.model.interval import Interval, parse_interval

__all__ = [
    "BAR_SCHEMA",
    "GROUP_ROWS",
    "SIDE_FILES",
    "STORED",
    "WHOLE_ROWS",
    "Partition",
    "as_stored",
    "data_location",
    "data_name",
    "data_path",
    "instant",
    "is_stored",
    "partition_of",
    "partitions",
    "require_symbol",
    "storable",
]

STORE_MARKER = "openbell-store.json"
MANIFEST = "manifest.parquet"
CHANGES = "manifest-changes.json"
PENDING = "pending.json"
STAGING = ".staging"
LOCK = ".lock"
BARS = "bars"
QUARANTINE = "quarantine"
ACTIONS = "actions/actions.parquet"
UNAVAILABLE = "fetched/unavailable.parquet"
LABEL = "LABEL.txt"
DAY_ZONES = "days/zones.parquet"
SIDE_FILES = (ACTIONS, UNAVAILABLE, LABEL, DAY_ZONES)
"""The files that a store may hold beside its bars, which the manifest lists as well."""

OWN_NAMES = frozenset(
    {
        STORE_MARKER,
        MANIFEST,
        CHANGES,
        PENDING,
        STAGING,
        LOCK,
        BARS,
        QUARANTINE,
        *(name.split("/")[0] for name in SIDE_FILES),
    }
)
"""The names that a store's folder may hold."""

STORED = "any interval shorter than a day, such as 1s, 1m, 5m or 60m, and 1d"
"""The intervals that a store takes, for messages."""

BAR_SCHEMA = pl.Schema(
    {
        "timestamp": pl.Datetime("ns", "UTC"),
        "open": pl.Float64(),
        "high": pl.Float64(),
        "low": pl.Float64(),
        "close": pl.Float64(),
        "volume": pl.Float64(),
    }
)
"""The columns of a data file; ``timestamp`` is the start of the bar, of a daily bar its session's date at 00:00 UTC."""

WHOLE_ROWS, GROUP_ROWS = 1 << 16, 1 << 14
"""A data file of more than `WHOLE_ROWS` bars, which only seconds have, is written in Parquet row groups of `GROUP_ROWS`
and read in slices; the others are one row group and read as a whole."""

_LONGEST_NAME = 255
"""The most bytes of a file's name, on all file systems that matter."""

_FIRST_YEAR, _LAST_YEAR = 1678, 2261
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE = "all"


class Partition(NamedTuple):
    """Identity of one data file, which gives its name.

    Attributes:
        interval: The stored interval.
        symbol: The symbol.
        month: ``YYYY-MM``, the UTC month of its bars; ``all`` for daily bars.
    """

    interval: str
    symbol: str
    month: str


def is_stored(interval: str) -> bool:
    """Return whether a store takes bars of an interval, written in its canonical form."""
    try:
        known = parse_interval(interval)
    except IntervalError:
        return False
    return str(known) == interval and (known.is_intraday or interval == "1d")


def storable(interval: str) -> Interval:
    """Return an interval, however it is written, if bars of it are stored.

    Raises:
        IntervalError: They are not, or it is not an interval.
    """
    wanted = parse_interval(interval)
    if not is_stored(str(wanted)):
        raise IntervalError(
            f"{interval} bars are not stored: a store takes {STORED}. Import one of these, and openbell derives "
            f"{interval}."
        )
    return wanted


def require_symbol(symbol: str) -> None:
    """Raise an error for a symbol that cannot be the name of a folder or cannot be printed.

    Raises:
        StoreError: The symbol is empty, is too long, or has characters that cannot be printed.
    """
    if not symbol:
        raise StoreError("a symbol must have at least one character")
    if not symbol.isprintable():
        raise StoreError(f"the symbol {shortened(symbol)} has characters that cannot be printed. Rename it.")
    size = len(_folder_name(symbol))
    if size > _LONGEST_NAME:
        raise StoreError(
            f"the symbol {shortened(symbol)} is too long: its folder's name would have {size} bytes, and file systems "
            f"take {_LONGEST_NAME}. Rename it."
        )


def data_path(store: Path, partition: Partition) -> Path:
    """Return the data file of a partition."""
    return Path(data_location(store, partition))


def data_location(store: Path, partition: Partition) -> str:
    """Return the path of the data file of a partition, as text."""
    # For thousands of files, made in a tenth of the time of a Path.
    return f"{store}/{data_name(partition)}"


def data_name(partition: Partition, mark: str = "") -> str:
    """Return the name of the data file of a partition within its store, with ``mark`` after the month."""
    interval, symbol, month = partition
    return f"{BARS}/interval={interval}/{_folder_name(symbol)}/{month}{mark}.parquet"


def partition_of(path: Path) -> Partition:
    """Return the partition that a data file holds, the inverse of `data_path`."""
    interval = path.parent.parent.name.removeprefix("interval=")
    return Partition(interval, unquote(path.parent.name.removeprefix("symbol=")), path.stem)


def partitions(interval: str, frame: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """Split the rows of ``frame`` (sorted by time) by data file, and return (month, rows) of each."""
    if frame.is_empty():
        return []
    if interval == "1d":
        return [(_WHOLE, frame)]
    times = frame["timestamp"]
    first, last = f"{times[0]:%Y-%m}", f"{times[-1]:%Y-%m}"
    if first == last:
        return [(first, frame)]
    months = times.dt.strftime("%Y-%m").rle().struct.unnest()
    starts = months["len"].cum_sum() - months["len"]
    return [(str(m), frame.slice(s, n)) for m, s, n in zip(months["value"], starts, months["len"], strict=True)]


def as_stored(interval: str, frame: object) -> pl.DataFrame:
    """Return ``frame`` with the columns and types of a data file.

    Raises:
        BadBarsError: It is no DataFrame of polars, a column is missing, the timestamps have no time zone or are of a
            year that nanoseconds do not reach, or a daily bar is not at 00:00 UTC.
    """
    if not isinstance(frame, pl.DataFrame):
        package = type(frame).__module__.partition(".")[0]
        hint = " Write polars.from_pandas(frame)." if package == "pandas" else ""
        raise BadBarsError(f"bars are a DataFrame of polars, not {package}.{type(frame).__qualname__}.{hint}")
    if missing := [name for name in BAR_SCHEMA if name not in frame.columns]:
        raise BadBarsError(f"the bars have no column {', '.join(missing)}; they have {', '.join(frame.columns)}.")
    dtype = frame.schema["timestamp"]
    if not isinstance(dtype, pl.Datetime) or dtype.time_zone is None:
        raise BadBarsError(f"naive timestamps ({dtype}): say which time zone they are in, then convert them to UTC.")
    if interval != "1d" and frame.schema == BAR_SCHEMA:
        return frame
    if dtype.time_unit != "ns":
        # Coarser units reach years that nanoseconds do not, and such times would overflow.
        years = frame["timestamp"].drop_nulls().dt.year()
        if len(odd := years.filter(~years.is_between(_FIRST_YEAR, _LAST_YEAR))):
            raise BadBarsError(f"a bar of the year {odd[0]}: a store takes those of {_FIRST_YEAR} to {_LAST_YEAR}.")
    stored = frame.select(
        pl.col("timestamp").dt.convert_time_zone("UTC").dt.cast_time_unit("ns"),
        pl.col(*list(BAR_SCHEMA)[1:]).cast(pl.Float64),
    )
    if interval == "1d":
        off = stored.filter(pl.col("timestamp") != pl.col("timestamp").dt.truncate("1d"))
        if len(off):
            raise BadBarsError(
                f"a daily bar's timestamp is its session's date at 00:00 UTC, not {off['timestamp'][0]}."
            )
    return stored


def instant(ns: int) -> datetime:
    """Return nanoseconds since 1970 UTC as an aware datetime (to the microsecond)."""
    return _EPOCH + timedelta(microseconds=ns // 1000)


def _folder_name(symbol: str) -> str:
    return f"symbol={quote(symbol, safe='')}"

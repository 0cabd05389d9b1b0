"""Import of LEAN's data folder.

It has bars of equities, crypto, forex, CFDs, indexes and futures by second, minute, hour and day.

A zip holds a CSV without a header: time, open, high, low, close, volume; for forex and CFDs time, then open, high, low,
close and size of the bid and of the ask. In files by second and minute, the time is milliseconds since midnight at the
start of the bar; by hour and day it is ``YYYYMMDD HH:MM``. Prices of equities are in 1/10,000 dollar. The files are
described in `openbell.importers.lean.layout`.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

from openbell.errors import DamagedFileError
from openbell.importers.files.import_files import UNREADABLE, open_zip
from openbell.importers.import_report import ImportReport, Progress, store_checked
from openbell.importers.lean.actions import import_lean_actions
from openbell.importers.lean.layout import RESOLUTIONS, LeanSource, find_lean_sources, market_folders
from openbell.importers.lean.log import logged

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from openbell.store.store import BarStore
    from openbell.store.writer import StoreWriter

__all__ = ["RESOLUTIONS", "import_lean"]

_QUOTE_COLUMNS = (
    *("bid_open", "bid_high", "bid_low", "bid_close", "bid_size"),
    *("ask_open", "ask_high", "ask_low", "ask_close", "ask_size"),
)
_COLUMNS = ("time", "open", "high", "low", "close", "volume")
_MOST_BYTES = 256 << 20
"""The most bytes of a CSV; LEAN's largest, a history of hours or a day of seconds, have some megabytes."""


def import_lean(
    folder: Path,
    store: BarStore,
    *,
    symbols: Collection[str] | None = None,
    intervals: Collection[str] | None = None,
    timezone: str | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import bars from LEAN's data folder, and the corporate actions in its factor and map files.

    Args:
        folder: The folder that holds ``equity``, ``crypto`` and so on, or one above or below it.
        store: The store to import into.
        symbols: The symbols to import (upper or lower case), of futures the root or a contract; None: all.
        intervals: The intervals to import, of `RESOLUTIONS`; None: all.
        timezone: The time zone of data for which neither LEAN's market hours nor its documentation has one.
        progress: Called after each month of a symbol.

    Raises:
        ConfigError: The folder has no bars, or lacks an interval or symbol, a symbol is in several markets, or a time
            zone must be given.
        BadBarsError: No row can be used.
    """
    sources, unreadable = find_lean_sources(folder, symbols, intervals, timezone)
    report = ImportReport(failed=unreadable)
    done = 0
    with store.writer() as writer:
        for _, group in groupby(sources, key=_batch):
            files = list(group)
            first = files[0]
            with logged(report, first.path, symbol=first.symbol, interval=first.interval, files=len(files)):
                _import_batch(files, report, writer, store.backing.scratch)
            done += len(files)
            if progress is not None:
                progress(done, len(sources))
    report.require_bars()
    for market in market_folders(folder):
        if (market.parent.name, market.name) == ("equity", "usa"):
            actions = import_lean_actions(market, store.path, symbols)
            report.actions = actions.written
            report.failed += actions.failed
    return report


def _batch(source: LeanSource) -> tuple[str, str, str]:
    """Return the key of the batch of a source.

    A batch is a month of a symbol, or its whole history by day or hour.
    """
    return source.interval, source.symbol, source.path.name[:6] if source.interval in ("1s", "1m") else ""


def _import_batch(files: list[LeanSource], report: ImportReport, writer: StoreWriter, store: Path) -> None:
    """Import the files of one batch, as `_batch` defines it."""
    parts: list[pl.DataFrame] = []
    for source in files:
        try:
            parts.append(_read(source))
        except (*UNREADABLE, ValueError) as exc:
            report.failed.append((source.path, str(exc).splitlines()[0] if str(exc) else type(exc).__name__))
    if not parts:
        return
    raw = pl.concat(parts, how="diagonal").with_row_index("line")
    interval, symbol = files[0].interval, files[0].symbol
    series = report.of(symbol, interval)
    days = files[0].time_zone if interval == "1d" and not files[0].has_sessions else None
    source_name = f"lean-{symbol}-{interval}-{files[0].path.stem}"
    try:
        quarantine = store_checked(writer, store, series, _parse(raw, files[0]), raw, source_name, days=days)
    except DamagedFileError as exc:
        report.failed += [(source.path, str(exc)) for source in files]
        return
    series.files += len(parts)
    report.set_aside_in(quarantine)


def _read(source: LeanSource) -> pl.DataFrame:
    """Read the rows of one CSV as LEAN writes them, with ``file_line``, ``file`` and ``day``.

    Raises:
        ValueError: The file is not one of LEAN's.
    """
    if source.day is None and source.interval in ("1s", "1m"):
        raise ValueError("its name does not begin with a date as YYYYMMDD")
    with open_zip(source.path) as archive:
        members = archive.namelist()
        if source.member is None and len(members) != 1:
            raise ValueError(f"it holds {len(members)} files instead of one CSV")
        member = archive.getinfo(source.member or members[0])
        if member.file_size > _MOST_BYTES:
            raise ValueError(f"it unpacks to {member.file_size >> 20:,} MB, too much for a file of bars")
        content = archive.read(member)
    if not content.strip():
        raise ValueError("its CSV is empty")
    time_type = pl.Int64 if source.day else pl.String
    values = _QUOTE_COLUMNS if source.is_quote else _COLUMNS[1:]
    rows = _read_csv(content, {"time": time_type, **dict.fromkeys(values, pl.Float64)})
    return rows.with_row_index("file_line", offset=1).with_columns(
        file=pl.lit(source.path.name), day=pl.lit(source.day, pl.Date)
    )


def _read_csv(content: bytes, schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """Read the columns of a CSV without a header.

    If a value cannot be parsed as its type, it is null, and a column ``text`` has the rows as text.
    """
    try:
        return pl.read_csv(content, has_header=False, schema=schema)
    except pl.exceptions.ComputeError:
        texts = pl.read_csv(content, has_header=False, schema=dict.fromkeys(schema, pl.String))
        numbers = texts.select(pl.col(name).cast(dtype, strict=False) for name, dtype in schema.items())
        return numbers.with_columns(texts.select(text=pl.concat_str(pl.all(), separator=",", ignore_nulls=True)))


def _parse(raw: pl.DataFrame, source: LeanSource) -> pl.DataFrame:
    """Convert LEAN's rows to bars with times in UTC and unscaled prices."""
    if source.interval == "1d":
        time = pl.col("time").str.slice(0, 8).str.to_datetime("%Y%m%d", time_unit="ns", time_zone="UTC", strict=False)
    elif source.interval == "60m":
        time = _in_utc(pl.col("time").str.to_datetime("%Y%m%d %H:%M", time_unit="ns", strict=False), source)
    else:
        since = pl.duration(milliseconds="time", time_unit="ns")
        time = _in_utc(pl.col("day").cast(pl.Datetime("ns")) + since, source)
    if source.is_quote:
        return raw.select("line", time.alias("timestamp"), *_middle(), volume=pl.lit(0.0))
    # Divided by NumPy, because polars multiplies by the inverse, which makes 166.45000000000002 of 1664500 / 10000.
    prices = {name: raw[name].to_numpy() / source.price_units for name in _COLUMNS[1:5]}
    return raw.select("line", time.alias("timestamp"), "volume").with_columns(**prices)


def _middle() -> list[pl.Expr]:
    """Return the mean of bid and ask for each price.

    Where one of them is missing, the other is taken, as LEAN does.
    """
    return [pl.mean_horizontal(f"bid_{name}", f"ask_{name}").alias(name) for name in _COLUMNS[1:5]]


def _in_utc(local: pl.Expr, source: LeanSource) -> pl.Expr:
    # "earliest" is arbitrary: stocks do not trade in the hour that is repeated when the clocks are set back.
    zoned = local.dt.replace_time_zone(source.time_zone, ambiguous="earliest", non_existent="null")
    return zoned.dt.convert_time_zone("UTC")

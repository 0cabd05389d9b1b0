"""LEAN's data folder: trade bars of US equities by second, minute, hour and day.

A zip holds one CSV without a header: time, open, high, low, close, volume. Prices are in 1/10,000 dollar.

- ``equity/usa/daily/spy.zip`` and ``equity/usa/hour/spy.zip``: time is ``YYYYMMDD HH:MM`` in New York.
- ``equity/usa/minute/spy/20131010_trade.zip`` and ``equity/usa/second/...``: time is milliseconds since midnight in
  New York, at the start of the bar.
"""

from __future__ import annotations

import zipfile
import zlib
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from openbell.data.actions.lean import import_lean_actions
from openbell.data.importers.report import ImportReport, Progress, store_checked
from openbell.errors import ConfigError, DamagedFileError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from openbell.data.store import BarStore
    from openbell.data.writer import StoreWriter

__all__ = ["RESOLUTIONS", "import_lean"]

RESOLUTIONS = {"1s": "second", "1m": "minute", "60m": "hour", "1d": "daily"}
"""LEAN's folder of each stored interval."""

_TIME_ZONE = "America/New_York"
_COLUMNS = ("time", "open", "high", "low", "close", "volume")
_PRICE_UNITS = 10_000.0
# What a damaged or odd zip makes the readers raise; an encrypted one is a RuntimeError.
_UNREADABLE = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error, pl.exceptions.PolarsError)
_INTRADAY_SUFFIX = "_trade.zip"


class _Source(NamedTuple):
    """One zip of bars; ``day`` is None for a file of all days."""

    interval: str
    symbol: str
    day: date | None
    path: Path


def import_lean(
    folder: Path,
    store: BarStore,
    *,
    symbols: Collection[str] | None = None,
    intervals: Collection[str] | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import trade bars from LEAN's data folder, and the corporate actions in its factor and map files.

    Args:
        folder: The folder that holds ``equity/usa``, or one above or below it.
        store: Where the bars go.
        symbols: Only these (upper or lower case); None: all.
        intervals: Only these of `RESOLUTIONS`; None: all.
        progress: Told after each month of a symbol.

    Raises:
        ConfigError: No such data in the folder, or an interval or symbol that LEAN's folders do not have.
        BadBarsError: Not one row can be used.
    """
    sources = _find(_data_root(folder), symbols, intervals)
    report = ImportReport()
    done = 0
    with store.writer() as writer:
        for _, group in groupby(sources, key=_batch):
            files = list(group)
            _import_batch(files, report, writer, store.path)
            done += len(files)
            if progress is not None:
                progress(done, len(sources))
    report.require_bars()
    actions = import_lean_actions(_data_root(folder), store.path, symbols)
    report.actions = actions.written
    report.failed += actions.failed
    return report


def _data_root(folder: Path) -> Path:
    """The folder ``.../equity/usa``."""
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {folder}.")
    below = [folder / "equity" / "usa", folder / "usa", folder]
    below += [child / "equity" / "usa" for child in sorted(folder.iterdir()) if child.is_dir()]
    for candidate in below:
        if any((candidate / name).is_dir() for name in RESOLUTIONS.values()):
            return candidate
    raise ConfigError(
        f"{folder} is not a LEAN data folder: there is no equity/usa with {', '.join(RESOLUTIONS.values())} in it."
    )


def _find(root: Path, symbols: Collection[str] | None, intervals: Collection[str] | None) -> list[_Source]:
    """The zips to import, so ordered that those of one data file of the store follow one another."""
    if unknown := set(intervals or ()) - set(RESOLUTIONS):
        raise ConfigError(f"LEAN's folders have {', '.join(RESOLUTIONS)} bars, not {', '.join(sorted(unknown))}.")
    wanted = None if symbols is None else {symbol.upper() for symbol in symbols}
    found = [
        source
        for interval in RESOLUTIONS
        if intervals is None or interval in intervals
        for source in _list(root / RESOLUTIONS[interval], interval)
        if wanted is None or source.symbol in wanted
    ]
    if missing := (wanted or set()) - {source.symbol for source in found}:
        raise ConfigError(f"{root} has no trade bars of {', '.join(sorted(missing))} in the intervals asked for.")
    if not found:
        raise ConfigError(f"{root} has no trade bars in the intervals asked for.")
    return sorted(found, key=lambda source: (source.interval, source.symbol, source.path.name))


def _list(folder: Path, interval: str) -> Iterable[_Source]:
    if interval in ("60m", "1d"):
        for path in folder.glob("*.zip"):
            yield _Source(interval, path.stem.upper(), None, path)
        return
    for path in folder.glob(f"*/*{_INTRADAY_SUFFIX}"):
        yield _Source(interval, path.parent.name.upper(), _day_in(path), path)


def _day_in(path: Path) -> date | None:
    text = path.name.removesuffix(_INTRADAY_SUFFIX)
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def _batch(source: _Source) -> tuple[str, str, str]:
    return source.interval, source.symbol, source.path.name[:6] if source.interval in ("1s", "1m") else ""


def _import_batch(files: list[_Source], report: ImportReport, writer: StoreWriter, store: Path) -> None:
    """Import files whose bars belong into one data file of the store (a month of days, or one whole history)."""
    parts: list[pl.DataFrame] = []
    for source in files:
        try:
            parts.append(_read(source))
        except _UNREADABLE as exc:
            report.failed.append((source.path, str(exc).splitlines()[0] if str(exc) else type(exc).__name__))
    if not parts:
        return
    raw = pl.concat(parts, how="diagonal").with_row_index("line")
    interval, symbol = files[0].interval, files[0].symbol
    series = report.of(symbol, interval)
    source_name = f"lean-{symbol}-{interval}-{files[0].path.stem}"
    try:
        quarantine = store_checked(writer, store, series, _parse(raw, interval), raw, source_name)
    except DamagedFileError as exc:
        report.failed += [(source.path, str(exc)) for source in files]
        return
    series.files += len(parts)
    report.set_aside_in(quarantine)


def _read(source: _Source) -> pl.DataFrame:
    """The rows of one zip as LEAN writes them, with ``file_line``, ``file`` and ``day``."""
    if source.day is None and source.interval in ("1s", "1m"):
        raise ValueError("its name does not begin with a date as YYYYMMDD")
    with zipfile.ZipFile(source.path) as archive:
        members = archive.namelist()
        if len(members) != 1:
            raise ValueError(f"it holds {len(members)} files instead of one CSV")
        content = archive.read(members[0])
    if not content.strip():
        raise ValueError("its CSV is empty")
    time_type = pl.Int64 if source.day else pl.String
    rows = _read_csv(content, {"time": time_type, **dict.fromkeys(_COLUMNS[1:], pl.Float64)})
    return rows.with_row_index("file_line", offset=1).with_columns(
        file=pl.lit(source.path.name), day=pl.lit(source.day, pl.Date)
    )


def _read_csv(content: bytes, schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """The columns of a headerless CSV; where one does not read as its type, it is null and ``text`` holds the row."""
    try:
        return pl.read_csv(content, has_header=False, schema=schema)
    except pl.exceptions.ComputeError:
        texts = pl.read_csv(content, has_header=False, schema=dict.fromkeys(schema, pl.String))
        numbers = texts.select(pl.col(name).cast(dtype, strict=False) for name, dtype in schema.items())
        return numbers.with_columns(texts.select(text=pl.concat_str(pl.all(), separator=",", ignore_nulls=True)))


def _parse(raw: pl.DataFrame, interval: str) -> pl.DataFrame:
    """Bars in dollars and UTC, from rows as LEAN writes them."""
    if interval == "1d":
        time = pl.col("time").str.slice(0, 8).str.to_datetime("%Y%m%d", time_unit="ns", time_zone="UTC", strict=False)
    elif interval == "60m":
        time = _in_utc(pl.col("time").str.to_datetime("%Y%m%d %H:%M", time_unit="ns", strict=False))
    else:
        time = _in_utc(pl.col("day").cast(pl.Datetime("ns")) + pl.duration(milliseconds="time", time_unit="ns"))
    # NumPy divides; polars multiplies by the inverse, which makes 166.45000000000002 of 166.45.
    prices = {name: raw[name].to_numpy() / _PRICE_UNITS for name in _COLUMNS[1:5]}
    return raw.select("line", time.alias("timestamp"), "volume").with_columns(**prices)


def _in_utc(local: pl.Expr) -> pl.Expr:
    # Stocks do not trade at the hour that the change to winter time repeats; either reading of it serves.
    zoned = local.dt.replace_time_zone(_TIME_ZONE, ambiguous="earliest", non_existent="null")
    return zoned.dt.convert_time_zone("UTC")

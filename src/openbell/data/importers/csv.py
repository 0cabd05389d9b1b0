"""CSV files of bars: columns by name, times by format and time zone, labels at the start or the end of a bar."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

import polars as pl

from openbell.data.importers.report import ImportReport, Progress, store_checked
from openbell.data.importers.times import TimeReader
from openbell.errors import ConfigError, DamagedFileError, IntervalError, did_you_mean
from openbell.interval import BASE_INTERVALS, parse_interval

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from openbell.data.store import BarStore
    from openbell.data.writer import StoreWriter
    from openbell.interval import Interval

__all__ = ["NO_VOLUME", "CsvColumns", "import_csv"]

NO_VOLUME = "none"
"""Given as the name of the volume column when the file has none; volumes are then 0."""

_USUAL_TIME_COLUMNS = ("timestamp", "time", "datetime", "date")


@dataclass(frozen=True, slots=True)
class CsvColumns:
    """Names of the columns in the file; None looks for the usual name, in upper or lower case.

    Attributes:
        time: When a bar was; usually timestamp, time, datetime or date.
        open: Likewise high, low, close: prices.
        volume: Volume; `NO_VOLUME` when there is none.
    """

    time: str | None = None
    open: str | None = None
    high: str | None = None
    low: str | None = None
    close: str | None = None
    volume: str | None = None

    def found_in(self, header: Sequence[str], path: Path) -> dict[str, str]:
        """The column of the file for each of ours; ``volume`` is left out when there is none.

        Raises:
            ConfigError: A column is not in the file.
        """
        found: dict[str, str] = {}
        for ours in (field.name for field in fields(self)):
            given: str | None = getattr(self, ours)
            if ours == "volume" and given == NO_VOLUME:
                continue
            usual = _USUAL_TIME_COLUMNS if ours == "time" else (ours,)
            wanted = (given,) if given is not None else usual
            theirs = next((h for name in wanted for h in header if h.strip().casefold() == name.casefold()), None)
            if theirs is None:
                hint = f" Without volumes say --volume-column {NO_VOLUME}." if ours == "volume" else ""
                near = did_you_mean(wanted[0], header)
                raise ConfigError(
                    f"{path}: there is no column {' or '.join(wanted)} for the {ours}.{near} "
                    f"The file has {', '.join(header)}; name the right one with --{ours}-column.{hint}"
                )
            found[ours] = theirs
        return found


def import_csv(
    paths: Sequence[Path],
    store: BarStore,
    *,
    interval: str,
    symbol: str | None = None,
    file_name: str = "{symbol}",
    columns: CsvColumns | None = None,
    time_format: str | None = None,
    timezone: str | None = None,
    label: Literal["start", "end"] = "start",
    progress: Progress | None = None,
) -> ImportReport:
    """Import CSV files that have a header line.

    Args:
        paths: Files, or folders whose ``*.csv`` files are meant. Compressed ones (gz, zst) are read, too.
        store: Where the bars go.
        interval: ``1s``, ``1m`` or ``1d``.
        symbol: The symbol of all files; None takes it from each file's name, in upper case.
        file_name: How the names of the files are made, without the ending, e.g. ``{symbol}_1min``.
        columns: Names of the columns.
        time_format: A strftime format, or ``epoch_s``, ``epoch_ms``, ``epoch_us``, ``epoch_ns``; None: ISO 8601.
        timezone: Where times without an offset are told; required for those of intraday bars.
        label: Whether a time is the start or the end of its bar.
        progress: Told after each file.

    Raises:
        ConfigError: The command does not fit the files; the message names the file and the remedy.
        BadBarsError: Not one row can be used.
    """
    times = TimeReader(_storable(interval), time_format, timezone, label)
    files = [(path, symbol or _symbol_in(path, file_name)) for path in _files(paths)]
    report = ImportReport()
    with store.writer() as writer:
        for done, (path, name) in enumerate(files, 1):
            try:
                _import_file(path, name, columns or CsvColumns(), times, report, writer, store.path)
            except (OSError, pl.exceptions.PolarsError, DamagedFileError) as exc:
                report.failed.append((path, str(exc).splitlines()[0]))
            if progress is not None:
                progress(done, len(files))
    report.require_bars()
    return report


def _storable(interval: str) -> Interval:
    wanted = parse_interval(interval)
    if not wanted.is_base:
        raise IntervalError(
            f"{interval} bars are not stored: import {', '.join(BASE_INTERVALS)} bars, and openbell derives {interval}."
        )
    return wanted


def _files(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(path.glob("*.csv"))
        elif path.exists():
            files.append(path)
        else:
            raise ConfigError(f"there is no file {path}.")
    if not files:
        raise ConfigError(f"there are no .csv files in {', '.join(map(str, paths))}.")
    return files


def _symbol_in(path: Path, file_name: str) -> str:
    if "{symbol}" not in file_name:
        raise ConfigError(f"the file name pattern {file_name!r} has no {{symbol}} in it.")
    pattern = re.escape(file_name).replace(re.escape("{symbol}"), "(.+)")
    match = re.fullmatch(pattern, path.name.split(".csv")[0])
    if match is None:
        raise ConfigError(f"{path}: its name does not fit {file_name!r}; give the symbol with --symbol.")
    return match[1].upper()


def _import_file(
    path: Path,
    symbol: str,
    columns: CsvColumns,
    times: TimeReader,
    report: ImportReport,
    writer: StoreWriter,
    store: Path,
) -> None:
    # As text first: what cannot be read as a number must come to the quarantine as it was written.
    raw = pl.read_csv(path, infer_schema=False)
    theirs = columns.found_in(raw.columns, path)
    numbers = [
        pl.col(theirs[name]).str.strip_chars().cast(pl.Float64, strict=False).alias(name)
        if name in theirs
        else pl.lit(0.0).alias(name)
        for name in ("open", "high", "low", "close", "volume")
    ]
    try:
        moments = times.read(raw[theirs["time"]])
    except ConfigError as exc:
        raise ConfigError(f"{path}: {exc}") from None
    # The first line is the header.
    lines = pl.int_range(2, raw.height + 2, dtype=pl.get_index_type()).alias("line")
    parsed = raw.select(lines, *numbers).hstack(moments)
    series = report.of(symbol, str(times.interval))
    quarantine = store_checked(writer, store, series, parsed, raw.with_columns(lines), path.stem)
    series.files += 1
    report.set_aside_in(quarantine)

"""Import of CSV files of bars."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Literal

import polars as pl

from openbell.errors import ConfigError, did_you_mean
from openbell.importers.sniffing.header import unique_names
from openbell.importers.sniffing.layout import fields_of, sniff_layout
from openbell.importers.tables.bar_rows import BarRows
from openbell.importers.tables.csv_table import CsvLayout, CsvTable, read_beginning
from openbell.importers.tables.table_import import import_files
from openbell.importers.tables.wide_table import WideTable
from openbell.importers.times.bar_times import TimeReader
from openbell.importers.times.zones import require_zone
from openbell.store.day_zones import SESSION, UNKNOWN
from openbell.store.layout import storable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from openbell.config.exchange import ExchangeConfig
    from openbell.importers.files.import_files import ImportSource
    from openbell.importers.import_report import ImportReport, Progress
    from openbell.importers.tables.table import Table
    from openbell.model.interval import Interval
    from openbell.store.store import BarStore

__all__ = ["CSV_ENDINGS", "NO_VOLUME", "CsvColumns", "CsvReading", "import_csv", "import_csv_as"]

CSV_ENDINGS = (".csv", ".tsv", ".txt")
NO_VOLUME = "none"
"""The name to give for the volume column of a file without volumes, which are 0 then."""

_USUAL_TIME_COLUMNS = ("timestamp", "time", "datetime", "date")
_OPTIONAL = ("clock", "symbol")
_BEGINNING = 1 << 16


@dataclass(frozen=True, slots=True)
class CsvColumns:
    """Names of the columns in the file.

    For None, a column with the usual name is taken, in upper or lower case.

    Attributes:
        time: The column of times; usually timestamp, time, datetime or date.
        open: The column of opens; usually open.
        high: The column of highs; usually high.
        low: The column of lows; usually low.
        close: The column of closes; usually close.
        volume: The column of volumes, usually volume; a sum of two as ``Up+Down``; `NO_VOLUME` when there is none.
        clock: The column of times of day, where ``time`` has only dates; None: there is no such column.
        symbol: The column of symbols; None: all rows are of one symbol.
    """

    time: str | None = None
    open: str | None = None
    high: str | None = None
    low: str | None = None
    close: str | None = None
    volume: str | None = None
    clock: str | None = None
    symbol: str | None = None

    def found_in(self, header: Sequence[str], path: Path) -> dict[str, str]:
        """Return the file's column for each attribute, without optional ones that the file does not have.

        Raises:
            ConfigError: A required or named column is not in the file.
        """
        found: dict[str, str] = {}
        for ours in (field.name for field in fields(self)):
            given: str | None = getattr(self, ours)
            if (ours == "volume" and given == NO_VOLUME) or (ours in _OPTIONAL and given is None):
                continue
            usual = _USUAL_TIME_COLUMNS if ours == "time" else (ours,)
            wanted = (given,) if given is not None else usual
            if ours == "volume" and (parts := _sum_of(header, given)):
                found[ours] = parts
                continue
            theirs = next((h for name in wanted for h in header if h.strip().casefold() == name.casefold()), None)
            if theirs is None:
                hint = f" Without volumes use --volume-column {NO_VOLUME}." if ours == "volume" else ""
                near = did_you_mean(wanted[0], header)
                raise ConfigError(
                    f"{path}: there is no column {' or '.join(wanted)} for the {ours}.{near} "
                    f"The file has {', '.join(header)}; name the right one with --{ours}-column.{hint}"
                )
            found[ours] = theirs
        return found


def _sum_of(header: Sequence[str], name: str | None) -> str | None:
    """Return the columns of a volume such as ``Up+Down``, or None.

    None stands for a name that is not a sum of columns in the header.
    """
    if name is None or "+" not in name or name in header:
        return None
    known = {h.strip().casefold(): h for h in header}
    parts = [known.get(part.strip().casefold()) for part in name.split("+")]
    return " + ".join(part for part in parts if part) if all(parts) else None


@dataclass(frozen=True, slots=True)
class CsvReading:
    """The settings by which tables of the same form are read.

    Attributes:
        interval: A stored interval.
        columns: Names of the columns.
        time_format: A strftime format, or ``epoch_s``, ``epoch_ms``, ``epoch_us``, ``epoch_ns``; None: ISO 8601.
        timezone: The time zone of times without an offset; required for such times of intraday bars.
        label: Whether a time is the start or the end of its bar.
        price_scale: The number by which prices are divided.
        layout: The layout of the text; None: commas and a header.
        sessions_of: The exchange by whose sessions instants of daily bars become dates; None: times of daily bars are
            dates.
        allow_negative: Whether prices may be 0 and below.
        days: The days that daily bars span: "session", the time zone of days from midnight to midnight, or None where
            this is unknown.

    Raises:
        ConfigError: ``days`` is given for intraday bars, or is not a time zone.
    """

    interval: Interval
    columns: CsvColumns
    time_format: str | None = None
    timezone: str | None = None
    label: Literal["start", "end"] = "start"
    price_scale: float = 1.0
    layout: CsvLayout | None = None
    sessions_of: str | ExchangeConfig | None = None
    allow_negative: bool = False
    days: str | None = None

    def __post_init__(self) -> None:
        if self.days is not None and self.interval.is_intraday:
            raise ConfigError(
                f"--days says which days daily bars are of, and these are {self.interval} bars: leave it out."
            )
        if self.days not in (None, SESSION):
            require_zone(self.days, "--days: write session, or the time zone of the days, such as UTC.")

    def bars_of(self, table: Table) -> BarRows:
        """Return the converter of the rows of ``table`` to bars.

        Raises:
            ConfigError: A column is missing, or the settings contradict each other.
        """
        source = table.source
        return BarRows(
            self.columns.found_in(table.columns, source.path),
            TimeReader(self.interval, self.time_format, self.timezone, self.label, self.sessions_of),
            None if self.columns.symbol else source.symbol,
            source.day,
            self.price_scale,
            decimal_comma=self.layout is not None and self.layout.decimal_comma,
            where=str(source),
            allow_negative=self.allow_negative,
            days=None if self.interval.is_intraday else self.days or UNKNOWN,
        )

    def open(self, source: ImportSource) -> tuple[Table, BarRows]:
        """Open a CSV file as a table, with the converter of its rows.

        Its columns may have another order than in the file that the settings were made for.
        """
        layout = self.layout or CsvLayout(())
        text = read_beginning(source, _BEGINNING, layout.encoding) if layout.has_header else ""
        if layout.wide is not None:
            found = sniff_layout(text, str(source), layout.separator, decimal_comma=layout.decimal_comma)
            layout = replace(found, encoding=layout.encoding)
        elif layout.has_header:
            lines = text.split("\n")
            if len(lines) <= layout.header_lines:
                raise pl.exceptions.NoDataError("the file is empty")
            names = unique_names(fields_of(lines[layout.header_lines - 1].removeprefix("\ufeff"), layout.separator))
            layout = replace(layout, columns=names)
        table: Table = CsvTable(source, layout)
        if layout.wide is not None:
            table = WideTable(table, layout.wide)
        return table, self.bars_of(table)


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
    price_scale: float = 1.0,
    layout: CsvLayout | None = None,
    days: str | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import CSV files.

    Args:
        paths: Files, folders (all files with one of `CSV_ENDINGS`), globs, and patterns with ``{symbol}`` and
            ``{date}``. Compressed files (gz, zip, zst) are read, too.
        store: The store to import into.
        interval: An intraday interval, or ``1d``.
        symbol: The symbol of all files; None takes it from each file's name, in upper case.
        file_name: The pattern of the names of the files, without the ending, e.g. ``{symbol}_1min``.
        columns: Names of the columns.
        time_format: A strftime format, or ``epoch_s``, ``epoch_ms``, ``epoch_us``, ``epoch_ns``; None: ISO 8601.
        timezone: The time zone of times without an offset; required for such times of intraday bars.
        label: Whether a time is the start or the end of its bar.
        price_scale: The number by which prices are divided.
        layout: The layout of the files; None: commas, and a header in the first line.
        days: The days that daily bars span: "session", or the time zone of days from midnight to midnight.
        progress: Called after each file.

    Raises:
        ConfigError: The arguments do not fit the files; the message names the file and the remedy.
        BadBarsError: No row can be used.
    """
    reading = CsvReading(
        storable(interval), columns or CsvColumns(), time_format, timezone, label, price_scale, layout, days=days
    )
    return import_csv_as(paths, store, reading, symbol=symbol, file_name=file_name, progress=progress)


def import_csv_as(
    paths: Sequence[Path],
    store: BarStore,
    reading: CsvReading,
    *,
    symbol: str | None = None,
    file_name: str = "{symbol}",
    progress: Progress | None = None,
) -> ImportReport:
    """Import CSV files by the settings of a `CsvReading`, as `import_csv` does."""
    # Made only for its errors, so that these are raised before a store is made.
    TimeReader(reading.interval, reading.time_format, reading.timezone, reading.label)
    has_symbols = reading.columns.symbol is not None
    return import_files(
        paths, CSV_ENDINGS, store, reading.open,
        symbol=symbol, symbol_column=has_symbols, file_name=file_name, progress=progress,
    )  # fmt: skip

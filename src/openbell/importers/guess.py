"""A guess of how a file of bars is to be read, with the reasons, and the first bars that come of it.

What a person gives is taken as it is; all else is read off the first rows. The time zone is never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from openbell.errors import BadBarsError, CalendarError, ConfigError
from openbell.importers.bar_rows import PRICES, BarRows, times_in
from openbell.importers.csv import CsvColumns, CsvReading, storable
from openbell.importers.csv_table import CsvTable, read_beginning
from openbell.importers.guess_columns import Finding, guess_columns
from openbell.importers.guess_layout import SEPARATORS, guess_layout
from openbell.importers.guess_times import TimeFormat, guess_interval, guess_label, guess_time_format
from openbell.importers.parquet_table import ParquetTable
from openbell.importers.table import Chunk
from openbell.importers.times import TimeReader
from openbell.model.interval import parse_interval
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from openbell.importers.csv_table import CsvLayout
    from openbell.importers.sources import Source

__all__ = ["Given", "Guess", "guess_csv", "guess_parquet"]

_BEGINNING = 1 << 20
_SAMPLE_ROWS = 20_000
_SHOWN = 5
_ONE_SECOND = parse_interval("1s")


@dataclass(frozen=True, slots=True)
class Given:
    """What a person says of the files; None is guessed.

    Attributes:
        columns: The names of columns.
        interval: A stored interval.
        time_format: See `TimeReader`.
        timezone: Never guessed; must be given for intraday times without an offset.
        label: Whether times are the starts or the ends of bars.
        price_scale: Prices are divided by it.
        separator: Between the columns of a CSV.
        has_header: Whether a CSV names its columns.
        decimal_comma: Whether a CSV writes ten and a half as ``10,5``.
        symbol: The symbol of all files.
        exchange: Whose sessions tell the label.
    """

    columns: CsvColumns = field(default_factory=CsvColumns)
    interval: str | None = None
    time_format: str | None = None
    timezone: str | None = None
    label: Literal["start", "end"] | None = None
    price_scale: float | None = None
    separator: str | None = None
    symbol: str | None = None
    exchange: str = "XNYS"
    has_header: bool | None = None
    decimal_comma: bool | None = None


@dataclass(frozen=True, slots=True)
class Guess:
    """How a file is to be read.

    Attributes:
        source: The file that was looked at.
        reading: All that is needed to read it and others of its make.
        findings: What was found out, and why.
        preview: The first bars as they would be stored: symbol, timestamp (UTC), open, high, low, close, volume.
    """

    source: Source
    reading: CsvReading
    findings: tuple[Finding, ...]
    preview: pl.DataFrame

    @property
    def guessed(self) -> tuple[Finding, ...]:
        """What a person should confirm."""
        return tuple(f for f in self.findings if f.is_guess)


def guess_csv(source: Source, given: Given) -> Guess:
    """How a CSV file is to be read.

    Raises:
        BadBarsError: The file holds no rows.
        ConfigError: Something must be said, because the file does not tell it; the message says what.
        OSError: The file cannot be read.
    """
    text = read_beginning(source, _BEGINNING)
    layout = guess_layout(
        text, str(source), given.separator, has_header=given.has_header, decimal_comma=given.decimal_comma
    )
    name = next((n for n, s in SEPARATORS.items() if s == layout.separator), repr(layout.separator))
    said = given.separator is not None
    findings = [
        Finding("separator", name, "given" if said else "makes the same columns in the first lines",
                "given" if said else "plain" if layout.separator == "," else "certain"),
        _header(layout, given),
    ]  # fmt: skip
    if given.decimal_comma is not None:
        findings.append(Finding("decimal sign", "comma" if layout.decimal_comma else "point", "given", "given"))
    elif layout.decimal_comma:
        findings.append(Finding("decimal sign", "comma", "numbers are written like 10,5", "certain"))
    return _guess(source, CsvTable(source, layout).sample(text), given, findings, layout)


def guess_parquet(source: Source, given: Given) -> Guess:
    """How a Parquet file is to be read; raises as `guess_csv` does."""
    table = ParquetTable(source)
    sample = pl.scan_parquet(source.path, glob=False).head(_SAMPLE_ROWS).collect()
    flat = [name for name, dtype in table.schema.items() if not dtype.is_nested()]
    return _guess(source, sample.select(flat), given, [], None)


def _guess(
    source: Source, sample: pl.DataFrame, given: Given, findings: list[Finding], layout: CsvLayout | None
) -> Guess:
    where = str(source)
    if sample.is_empty():
        below = " below its header" if layout is not None and layout.has_header else ""
        raise BadBarsError(f"{where} has no rows of bars{below}.")
    known = {f.name: getattr(given.columns, f.name) for f in fields(CsvColumns)}
    comma = layout is not None and layout.decimal_comma
    columns, found = guess_columns(sample, known, where, decimal_comma=comma)
    if given.symbol is not None and known["symbol"] is None and "symbol" in columns:
        del columns["symbol"]
        found = [f for f in found if f.what != "symbol column"]
    findings += found
    sample = _first_symbol(sample, columns)
    has = {role: name for role, name in columns.items() if name != "none"}
    times = times_in(sample, has, source.day)
    form = _time_format(
        times,
        given,
        where,
        in_name=source.day is not None and times.dtype.is_temporal() and not sample[has["time"]].dtype.is_temporal(),
    )
    findings.append(form.finding)
    interval, finding = _interval(times, form, given, where)
    findings.append(finding)
    reading = CsvReading(storable(interval), CsvColumns(**columns), form.form, given.timezone, layout=layout)
    scale, finding = _price_scale(sample, columns, given, decimal_comma=comma)
    findings.append(finding)
    reading = replace(reading, price_scale=scale)
    if given.timezone is not None:
        findings.append(Finding("time zone", given.timezone, "given", "given"))
    bars = _bars(sample, reading, has, source)
    label, finding = _label(bars, reading, given)
    findings.append(finding)
    reading = replace(reading, label=label)
    findings.append(_symbol(source, given, columns))
    return Guess(source, reading, tuple(findings), _bars(sample.head(_SHOWN), reading, has, source))


def _header(layout: CsvLayout, given: Given) -> Finding:
    value = f"line {layout.header_lines}" if layout.has_header else "none"
    if given.has_header is not None:
        return Finding("header", value, "given", "given")
    why = "names, no numbers" if layout.has_header else "the first line has numbers"
    return Finding("header", value, why, "plain" if layout.has_header and layout.header_lines == 1 else "likely")


def _first_symbol(sample: pl.DataFrame, columns: dict[str, str]) -> pl.DataFrame:
    """The rows of one symbol, so that the distances between them mean something."""
    if "symbol" not in columns:
        return sample
    most = sample[columns["symbol"]].drop_nulls().value_counts(sort=True)
    return sample.filter(pl.col(columns["symbol"]) == most.item(0, 0)) if len(most) else sample


def _time_format(times: pl.Series, given: Given, where: str, *, in_name: bool) -> TimeFormat:
    if given.time_format is not None:
        has_clock = not given.time_format.startswith("%") or "%H" in given.time_format or "%I" in given.time_format
        return TimeFormat(given.time_format, has_clock, Finding("time format", given.time_format, "given", "given"))
    if in_name:
        why = "times of day; the date is in the file's name"
        return TimeFormat(None, has_clock=True, finding=Finding("time format", "time of day", why, "certain"))
    return guess_time_format(times, where)


def _interval(times: pl.Series, form: TimeFormat, given: Given, where: str) -> tuple[str, Finding]:
    if given.interval is not None:
        return given.interval, Finding("interval", given.interval, "given", "given")
    # Distances do not depend on the time zone, but for two nights a year.
    reader = TimeReader(_ONE_SECOND, form.form, given.timezone or "UTC")
    read = reader.read(times)["timestamp"].drop_nulls().to_physical().to_numpy()
    if not len(read):
        raise ConfigError(f"{where}: none of its times can be read, e.g. {times[0]!r}. Say --time-format.")
    finding = guess_interval(read, where, has_clock=form.has_clock)
    return finding.value, finding


def _price_scale(
    sample: pl.DataFrame, columns: dict[str, str], given: Given, *, decimal_comma: bool
) -> tuple[float, Finding]:
    if given.price_scale is not None:
        return given.price_scale, Finding("price scale", f"1/{given.price_scale:g}", "given", "given")
    rows = BarRows({role: columns[role] for role in ("time", *PRICES)}, TimeReader(_ONE_SECOND, timezone="UTC"), "",
                   decimal_comma=decimal_comma)  # fmt: skip
    prices = sample.select(rows.value(sample, "close")).to_series().drop_nulls().to_numpy()
    prices = prices[np.isfinite(prices) & (prices > 0)]
    whole = bool(len(prices)) and bool((prices % 1 == 0).all())
    typical = float(np.median(prices)) if len(prices) else 0.0
    if whole and typical >= 1e8:
        return 1e9, Finding("price scale", "1/1,000,000,000", f"whole numbers around {typical:,.0f}", "likely")
    if whole and typical >= 20_000 and (prices % 100 == 0).all() and not (prices % 10_000 == 0).all():
        why = f"whole numbers around {typical:,.0f}, all of them hundreds; if they are prices, say --price-scale 1"
        return 10_000.0, Finding("price scale", "1/10,000", why, "unsure")
    return 1.0, Finding("price scale", "1", f"prices around {typical:,.2f}", "plain")


def _label(bars: pl.DataFrame, reading: CsvReading, given: Given) -> tuple[Literal["start", "end"], Finding]:
    if given.label is not None:
        return given.label, Finding("label", given.label, "given", "given")
    if not reading.interval.is_intraday:
        return "start", Finding("label", "session", "daily bars are stamped with their session's date", "plain")
    if bars.is_empty():
        return "start", Finding("label", "start", "assumed", "plain")
    times, volume = bars["timestamp"].to_physical().to_numpy(), bars["volume"].to_numpy()
    try:
        return guess_label(times, volume, reading.interval.ns, TimeManager(given.exchange))
    except CalendarError:
        return "start", Finding("label", "start", f"assumed: before the calendar of {given.exchange} begins", "plain")


def _symbol(source: Source, given: Given, columns: dict[str, str]) -> Finding:
    if given.symbol is not None:
        return Finding("symbol", given.symbol, "given", "given")
    if "symbol" in columns:
        return Finding(
            "symbol", "as in the rows", f"column {columns['symbol']}", "given" if given.columns.symbol else "likely"
        )
    symbol = source.symbol or ""
    odd = "_" in symbol or " " in symbol or len(symbol) > 12
    why = "the file's name; if that is not all symbol, say --symbol or --file-name" if odd else "the file's name"
    return Finding("symbol", symbol, why, "unsure" if odd else "plain")


def _bars(sample: pl.DataFrame, reading: CsvReading, has: dict[str, str], source: Source) -> pl.DataFrame:
    options: dict[str, Any] = {"decimal_comma": reading.layout is not None and reading.layout.decimal_comma}
    symbol = None if "symbol" in has else source.symbol or ""
    times = TimeReader(reading.interval, reading.time_format, reading.timezone, reading.label)
    rows = BarRows(has, times, symbol, source.day, reading.price_scale, where=str(source), **options)
    bars, _ = rows.read(Chunk(sample.with_row_index("line", offset=1), pl.DataFrame()))
    if "symbol" not in bars.columns:
        bars = bars.with_columns(symbol=pl.lit(symbol))
    return bars.select("symbol", "timestamp", *PRICES, "volume")

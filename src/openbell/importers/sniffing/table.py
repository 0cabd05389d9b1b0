"""A guess of how a file of bars is to be read.

What a person gives is taken as it is; all else is found in the first rows, with the reasons and the first bars. The
time zone is never guessed.

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
from openbell.importers.parquet_table import ParquetTable
from openbell.importers.sniffing.columns import Detection, sniff_columns
from openbell.importers.sniffing.layout import SEPARATORS, sniff_layout
from openbell.importers.sniffing.times import TimeFormat, sniff_interval, sniff_label, sniff_time_format
from openbell.importers.table import Chunk
from openbell.importers.times import TimeReader
from openbell.model.interval import parse_interval
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from openbell.importers.csv_table import CsvLayout
    from openbell.importers.sources import Source

__all__ = ["Given", "Guess", "sniff_csv", "sniff_parquet"]

_BEGINNING = 1 << 20
_SAMPLE_ROWS = 20_000
_SHOWN = 5
_ONE_SECOND = parse_interval("1s")


@dataclass(frozen=True, slots=True)
class Given:
    """The settings that a person gives, None where they are to be guessed.

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
        exchange: The calendar by whose sessions the label is found.
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
    """A guess of how a file is to be read.

    Attributes:
        source: The file that was looked at.
        reading: All that is needed to read it and others of its make.
        detections: What was found out, and why.
        preview: The first bars as they would be stored: symbol, timestamp (UTC), open, high, low, close, volume.
    """

    source: Source
    reading: CsvReading
    detections: tuple[Detection, ...]
    preview: pl.DataFrame

    @property
    def guessed(self) -> tuple[Detection, ...]:
        """The detections that a person should confirm."""
        return tuple(f for f in self.detections if f.is_guess)


def sniff_csv(source: Source, given: Given) -> Guess:
    """Guess how a CSV file is to be read.

    Raises:
        BadBarsError: The file holds no rows.
        ConfigError: Something must be given, because the file does not show it; the message names it.
        OSError: The file cannot be read.
    """
    text = read_beginning(source, _BEGINNING)
    layout = sniff_layout(
        text, str(source), given.separator, has_header=given.has_header, decimal_comma=given.decimal_comma
    )
    name = next((n for n, s in SEPARATORS.items() if s == layout.separator), repr(layout.separator))
    is_given = given.separator is not None
    detections = [
        Detection("separator", name, "given" if is_given else "makes the same columns in the first lines",
                "given" if is_given else "plain" if layout.separator == "," else "certain"),
        _header(layout, given),
    ]  # fmt: skip
    if given.decimal_comma is not None:
        detections.append(Detection("decimal sign", "comma" if layout.decimal_comma else "point", "given", "given"))
    elif layout.decimal_comma:
        detections.append(Detection("decimal sign", "comma", "numbers are written like 10,5", "certain"))
    return _guess(source, CsvTable(source, layout).sample(text), given, detections, layout)


def sniff_parquet(source: Source, given: Given) -> Guess:
    """Guess how a Parquet file is to be read, as `sniff_csv` does."""
    table = ParquetTable(source)
    sample = pl.scan_parquet(source.path, glob=False).head(_SAMPLE_ROWS).collect()
    flat = [name for name, dtype in table.schema.items() if not dtype.is_nested()]
    return _guess(source, sample.select(flat), given, [], None)


def _guess(
    source: Source, sample: pl.DataFrame, given: Given, detections: list[Detection], layout: CsvLayout | None
) -> Guess:
    where = str(source)
    if sample.is_empty():
        below = " below its header" if layout is not None and layout.has_header else ""
        raise BadBarsError(f"{where} has no rows of bars{below}.")
    known = {f.name: getattr(given.columns, f.name) for f in fields(CsvColumns)}
    comma = layout is not None and layout.decimal_comma
    columns, found = sniff_columns(sample, known, where, decimal_comma=comma)
    if given.symbol is not None and known["symbol"] is None and "symbol" in columns:
        del columns["symbol"]
        found = [f for f in found if f.what != "symbol column"]
    detections += found
    sample = _first_symbol(sample, columns)
    has = {role: name for role, name in columns.items() if name != "none"}
    times = times_in(sample, has, source.day)
    form = _time_format(
        times,
        given,
        where,
        in_name=source.day is not None and times.dtype.is_temporal() and not sample[has["time"]].dtype.is_temporal(),
    )
    detections.append(form.detection)
    interval, detection = _interval(times, form, given, where)
    detections.append(detection)
    reading = CsvReading(storable(interval), CsvColumns(**columns), form.form, given.timezone, layout=layout)
    scale, detection = _price_scale(sample, columns, given, decimal_comma=comma)
    detections.append(detection)
    reading = replace(reading, price_scale=scale)
    if given.timezone is not None:
        detections.append(Detection("time zone", given.timezone, "given", "given"))
    bars = _bars(sample, reading, has, source)
    label, detection = _label(bars, reading, given)
    detections.append(detection)
    reading = replace(reading, label=label)
    detections.append(_symbol(source, given, columns))
    return Guess(source, reading, tuple(detections), _bars(sample.head(_SHOWN), reading, has, source))


def _header(layout: CsvLayout, given: Given) -> Detection:
    value = f"line {layout.header_lines}" if layout.has_header else "none"
    if given.has_header is not None:
        return Detection("header", value, "given", "given")
    why = "names, no numbers" if layout.has_header else "the first line has numbers"
    return Detection("header", value, why, "plain" if layout.has_header and layout.header_lines == 1 else "likely")


def _first_symbol(sample: pl.DataFrame, columns: dict[str, str]) -> pl.DataFrame:
    """Return the rows of one symbol, so that the distances between them mean something."""
    if "symbol" not in columns:
        return sample
    most = sample[columns["symbol"]].drop_nulls().value_counts(sort=True)
    return sample.filter(pl.col(columns["symbol"]) == most.item(0, 0)) if len(most) else sample


def _time_format(times: pl.Series, given: Given, where: str, *, in_name: bool) -> TimeFormat:
    if given.time_format is not None:
        has_clock = not given.time_format.startswith("%") or "%H" in given.time_format or "%I" in given.time_format
        return TimeFormat(given.time_format, has_clock, Detection("time format", given.time_format, "given", "given"))
    if in_name:
        why = "times of day; the date is in the file's name"
        return TimeFormat(None, has_clock=True, detection=Detection("time format", "time of day", why, "certain"))
    return sniff_time_format(times, where)


def _interval(times: pl.Series, form: TimeFormat, given: Given, where: str) -> tuple[str, Detection]:
    if given.interval is not None:
        return given.interval, Detection("interval", given.interval, "given", "given")
    # Distances do not depend on the time zone, but for two nights a year.
    reader = TimeReader(_ONE_SECOND, form.form, given.timezone or "UTC")
    read = reader.read(times)["timestamp"].drop_nulls().to_physical().to_numpy()
    if not len(read):
        raise ConfigError(f"{where}: none of its times can be read, e.g. {times[0]!r}. Say --time-format.")
    detection = sniff_interval(read, where, has_clock=form.has_clock)
    return detection.value, detection


def _price_scale(
    sample: pl.DataFrame, columns: dict[str, str], given: Given, *, decimal_comma: bool
) -> tuple[float, Detection]:
    if given.price_scale is not None:
        return given.price_scale, Detection("price scale", f"1/{given.price_scale:g}", "given", "given")
    rows = BarRows({role: columns[role] for role in ("time", *PRICES)}, TimeReader(_ONE_SECOND, timezone="UTC"), "",
                   decimal_comma=decimal_comma)  # fmt: skip
    prices = sample.select(rows.value(sample, "close")).to_series().drop_nulls().to_numpy()
    prices = prices[np.isfinite(prices) & (prices > 0)]
    whole = bool(len(prices)) and bool((prices % 1 == 0).all())
    typical = float(np.median(prices)) if len(prices) else 0.0
    if whole and typical >= 1e8:
        return 1e9, Detection("price scale", "1/1,000,000,000", f"whole numbers around {typical:,.0f}", "likely")
    if whole and typical >= 20_000 and (prices % 100 == 0).all() and not (prices % 10_000 == 0).all():
        why = f"whole numbers around {typical:,.0f}, all of them hundreds; if they are prices, say --price-scale 1"
        return 10_000.0, Detection("price scale", "1/10,000", why, "unsure")
    return 1.0, Detection("price scale", "1", f"prices around {typical:,.2f}", "plain")


def _label(bars: pl.DataFrame, reading: CsvReading, given: Given) -> tuple[Literal["start", "end"], Detection]:
    if given.label is not None:
        return given.label, Detection("label", given.label, "given", "given")
    if not reading.interval.is_intraday:
        return "start", Detection("label", "session", "daily bars are stamped with their session's date", "plain")
    if bars.is_empty():
        return "start", Detection("label", "start", "assumed", "plain")
    times, volume = bars["timestamp"].to_physical().to_numpy(), bars["volume"].to_numpy()
    try:
        return sniff_label(times, volume, reading.interval.ns, TimeManager(given.exchange))
    except CalendarError:
        return "start", Detection("label", "start", f"assumed: before the calendar of {given.exchange} begins", "plain")


def _symbol(source: Source, given: Given, columns: dict[str, str]) -> Detection:
    if given.symbol is not None:
        return Detection("symbol", given.symbol, "given", "given")
    if "symbol" in columns:
        return Detection(
            "symbol", "as in the rows", f"column {columns['symbol']}", "given" if given.columns.symbol else "likely"
        )
    symbol = source.symbol or ""
    odd = "_" in symbol or " " in symbol or len(symbol) > 12
    why = "the file's name; if that is not all symbol, say --symbol or --file-name" if odd else "the file's name"
    return Detection("symbol", symbol, why, "unsure" if odd else "plain")


def _bars(sample: pl.DataFrame, reading: CsvReading, has: dict[str, str], source: Source) -> pl.DataFrame:
    options: dict[str, Any] = {"decimal_comma": reading.layout is not None and reading.layout.decimal_comma}
    symbol = None if "symbol" in has else source.symbol or ""
    times = TimeReader(reading.interval, reading.time_format, reading.timezone, reading.label)
    rows = BarRows(has, times, symbol, source.day, reading.price_scale, where=str(source), **options)
    bars, _ = rows.read(Chunk(sample.with_row_index("line", offset=1), pl.DataFrame()))
    if "symbol" not in bars.columns:
        bars = bars.with_columns(symbol=pl.lit(symbol))
    return bars.select("symbol", "timestamp", *PRICES, "volume")

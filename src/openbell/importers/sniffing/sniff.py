"""Detection of the settings by which a file of bars is to be read.

Settings that the user gives are taken as they are; all others are found in the first rows, with the reasons and a
preview of the first bars. The time zone is never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

from openbell.errors import BadBarsError, CalendarError, ConfigError
from openbell.importers.csv import CsvColumns, CsvReading
from openbell.importers.files.text_blocks import read_head, require_encoding
from openbell.importers.sniffing.columns import sniff_columns
from openbell.importers.sniffing.daily import DayRule, sniff_days, sniff_span
from openbell.importers.sniffing.detection import Detection
from openbell.importers.sniffing.encoding import sniff_encoding
from openbell.importers.sniffing.guess import Given, Guess
from openbell.importers.sniffing.interval import sniff_interval
from openbell.importers.sniffing.layout import SEPARATORS, sniff_layout
from openbell.importers.sniffing.price_scale import sniff_price_scale
from openbell.importers.sniffing.sessions import (
    warnings_of_days,
    warnings_of_interval,
    warnings_of_times,
    warnings_of_times_to_come,
)
from openbell.importers.sniffing.start_or_end import label_by_name, label_by_stamps, sniff_label
from openbell.importers.sniffing.times import TimeFormat, sniff_time_format
from openbell.importers.tables.bar_rows import PRICES, BarRows, times_in
from openbell.importers.tables.csv_table import CsvTable, read_beginning
from openbell.importers.tables.table import Chunk
from openbell.importers.tables.wide_table import unpivoted
from openbell.importers.times.bar_times import TimeReader
from openbell.model.interval import parse_interval
from openbell.store.layout import storable
from openbell.timing import TimeManager, WallClock

if TYPE_CHECKING:
    from openbell.importers.files.import_files import ImportSource
    from openbell.importers.tables.columnar_table import FrameTable
    from openbell.importers.tables.csv_table import CsvLayout

__all__ = ["sniff_csv", "sniff_frame", "sniff_rows"]

_BEGINNING = 1 << 20
_HEAD = 1 << 16
_SAMPLE_ROWS = 20_000
_SHOWN = 5
_ONE_SECOND = parse_interval("1s")
_LONG_SYMBOL = 12


def sniff_csv(source: ImportSource, given: Given) -> Guess:
    """Guess how a CSV file is to be read.

    Raises:
        BadBarsError: The file holds no rows.
        IntervalError: A store does not hold bars of the interval, or there are too few bars to show it.
        ConfigError: A setting must be given, because the file does not show it; the message names the option.
        OSError: The file cannot be read.
    """
    require_encoding(given.encoding)
    encoding, found = given.encoding, Detection("encoding", str(given.encoding), "given", "given")
    if encoding is None:
        encoding, found = sniff_encoding(read_head(source, _HEAD))  # type: ignore[assignment]  # None: nothing to say
    text = read_beginning(source, _BEGINNING, encoding)
    layout = sniff_layout(
        text, str(source), given.separator, has_header=given.has_header, decimal_comma=given.decimal_comma
    )
    layout = replace(layout, encoding=encoding)
    sample = CsvTable(source, layout).sample(text)
    if layout.wide is not None:
        sample = unpivoted(sample, layout.wide)
    return sniff_rows(source, sample, given, [*([found] if found else []), *_of_layout(layout, given)], layout)


def sniff_frame(table: FrameTable, given: Given) -> Guess:
    """Guess how a Parquet, Feather or JSON file is to be read, as `sniff_csv` does."""
    return sniff_rows(table.source, table.sample(_SAMPLE_ROWS), given)


def sniff_rows(
    source: ImportSource,
    sample: pl.DataFrame,
    given: Given,
    detections: list[Detection] | None = None,
    layout: CsvLayout | None = None,
) -> Guess:
    """Guess how the rows of a table are to be read.

    Args:
        source: The file.
        sample: The first rows, under the names of the columns.
        given: The settings that the user gives.
        detections: Detections that have been made already.
        layout: The layout of a CSV, else None.

    Raises:
        BadBarsError: As for `sniff_csv`.
        IntervalError: As for `sniff_csv`.
        ConfigError: As for `sniff_csv`.
    """
    where = str(source)
    if sample.is_empty():
        below = " below its header" if layout is not None and layout.has_header else ""
        raise BadBarsError(f"{where} has no rows of bars{below}.")
    comma = layout is not None and layout.decimal_comma
    columns, found = _columns(sample, given, where, decimal_comma=comma)
    found = [*(detections or []), *found]
    sample = _of_one_symbol(sample, columns)
    has = {role: name for role, name in columns.items() if name != "none"}
    times = times_in(sample, has, source.day)
    form = _time_format(times, sample[has["time"]], given, source)
    interval, of_interval = _interval(times, form, given, where)
    reading = CsvReading(
        storable(interval), CsvColumns(**columns), form.form, given.timezone, layout=layout, days=given.days
    )
    rows = _Rows(sample, has, source, comma)
    scale, of_scale = _price_scale(rows, given)
    found += [form.detection, of_interval, of_scale]
    if given.timezone is not None:
        found.append(Detection("time zone", given.timezone, "given", "given"))
    reading = replace(reading, price_scale=scale)
    reading, of_times = _placed(reading, times, rows, given, where)
    found += [*of_times, _symbol(source, given, columns)]
    warnings = [*_warnings(rows.bars(reading), reading, given), *_warnings_of_label(rows, reading, given)]
    return Guess(source, reading, tuple(found), rows.bars(reading, _SHOWN), tuple(warnings))


@dataclass(frozen=True, slots=True)
class _Rows:
    """The first rows of a file, with the column of each role."""

    sample: pl.DataFrame
    columns: dict[str, str]
    source: ImportSource
    decimal_comma: bool

    def bars(self, reading: CsvReading, count: int | None = None) -> pl.DataFrame:
        """Return the usable bars of the first ``count`` rows, None for all."""
        symbol = None if "symbol" in self.columns else self.source.symbol or ""
        times = TimeReader(reading.interval, reading.time_format, reading.timezone, reading.label, reading.sessions_of)
        rows = BarRows(
            self.columns, times, symbol, self.source.day, reading.price_scale, self.decimal_comma, str(self.source)
        )
        sample = self.sample if count is None else self.sample.head(count)
        bars, _ = rows.read(Chunk(sample.drop("line", strict=False).with_row_index("line", offset=1), pl.DataFrame()))
        if "symbol" not in bars.columns:
            bars = bars.with_columns(symbol=pl.lit(symbol))
        return bars.select("symbol", "timestamp", *PRICES, "volume")

    def prices(self) -> np.ndarray:
        """Return all finite prices above 0."""
        rows = BarRows(self.columns, TimeReader(_ONE_SECOND, timezone="UTC"), "", decimal_comma=self.decimal_comma)
        columns = self.sample.select(rows.value(self.sample, name).alias(name) for name in PRICES)
        prices = np.concatenate([column.drop_nulls().to_numpy() for column in columns])
        return np.asarray(prices[np.isfinite(prices) & (prices > 0)])


def _of_layout(layout: CsvLayout, given: Given) -> list[Detection]:
    name = next((n for n, s in SEPARATORS.items() if s == layout.separator), repr(layout.separator))
    found = [Detection("separator", name, "given", "given")]
    if given.separator is None:
        plain = layout.separator == ","
        found = [
            Detection("separator", name, "makes the same columns in the first lines", "plain" if plain else "certain")
        ]
    found.append(_header(layout, given))
    if given.decimal_comma is not None:
        found.append(Detection("decimal sign", "comma" if layout.decimal_comma else "point", "given", "given"))
    elif layout.decimal_comma:
        found.append(Detection("decimal sign", "comma", "numbers are written like 10,5", "certain"))
    if layout.wide is not None:
        symbols = list(layout.wide.symbols)
        named = ", ".join(symbols[:4]) + (f" and {len(symbols) - 4} more" if len(symbols) > 4 else "")
        found.append(Detection("symbols", named, "each has columns of its own", "certain"))
    return found


def _header(layout: CsvLayout, given: Given) -> Detection:
    value = f"line {layout.header_lines}" if layout.has_header else "none"
    if given.has_header is not None:
        return Detection("header", value, "given", "given")
    why = "names, no numbers" if layout.has_header else "the first line has numbers"
    return Detection("header", value, why, "plain" if layout.has_header and layout.header_lines == 1 else "likely")


def _columns(
    sample: pl.DataFrame, given: Given, where: str, *, decimal_comma: bool
) -> tuple[dict[str, str], list[Detection]]:
    known = {f.name: getattr(given.columns, f.name) for f in fields(CsvColumns)}
    columns, found = sniff_columns(sample, known, where, decimal_comma=decimal_comma)
    if given.symbol is None or known["symbol"] is not None or "symbol" not in columns:
        return columns, found
    names = sample[columns["symbol"]].drop_nulls().unique()
    if len(names) > 1:
        raise ConfigError(
            f"{where} has bars of {len(names)} symbols ({', '.join(map(str, names.sort()[:3]))} ...), which cannot all "
            f"be {given.symbol}. Leave out --symbol; the column {columns['symbol']} has them."
        )
    del columns["symbol"]
    return columns, [d for d in found if d.what != "symbol column"]


def _of_one_symbol(sample: pl.DataFrame, columns: dict[str, str]) -> pl.DataFrame:
    """Return the rows of the most frequent symbol.

    So distances between times are those between its bars.
    """
    if "symbol" not in columns:
        return sample
    most = sample[columns["symbol"]].drop_nulls().value_counts(sort=True)
    return sample.filter(pl.col(columns["symbol"]) == most.item(0, 0)) if len(most) else sample


def _time_format(times: pl.Series, column: pl.Series, given: Given, source: ImportSource) -> TimeFormat:
    if given.time_format is not None:
        has_clock = not given.time_format.startswith("%") or "%H" in given.time_format or "%I" in given.time_format
        return TimeFormat(given.time_format, has_clock, Detection("time format", given.time_format, "given", "given"))
    if source.day is not None and times.dtype.is_temporal() and not column.dtype.is_temporal():
        why = "times of day; the date is in the file's name"
        return TimeFormat(None, has_clock=True, detection=Detection("time format", "time of day", why, "certain"))
    return sniff_time_format(times, str(source))


def _interval(times: pl.Series, form: TimeFormat, given: Given, where: str) -> tuple[str, Detection]:
    if given.interval is not None:
        return given.interval, Detection("interval", given.interval, "given", "given")
    # Distances depend on the time zone only in the two nights a year when the clocks change, so UTC serves.
    reader = TimeReader(_ONE_SECOND, form.form, given.timezone or "UTC")
    read = reader.instants(times)["timestamp"].drop_nulls().to_physical().to_numpy()
    if not len(read):
        raise ConfigError(f"{where}: none of its times can be read, e.g. {times[0]!r}. Use --time-format.")
    detection = sniff_interval(read, where, has_clock=form.has_clock)
    return detection.value, detection


def _price_scale(rows: _Rows, given: Given) -> tuple[float, Detection]:
    if given.price_scale is not None:
        return given.price_scale, Detection("price scale", f"1/{given.price_scale:g}", "given", "given")
    return sniff_price_scale(rows.prices())


def _placed(
    reading: CsvReading, times: pl.Series, rows: _Rows, given: Given, where: str
) -> tuple[CsvReading, list[Detection]]:
    """Return the reading with the label, or the rule for daily dates."""
    if reading.interval.is_intraday:
        label, detection = _label(reading, rows, given)
        return replace(reading, label=label), [detection]
    if given.label is not None:
        found = [Detection("label", given.label, "given", "given")]
        return replace(reading, label=given.label, days=given.days), found
    rule = (
        DayRule(given.timezone, None, None)
        if given.time_format is not None and given.timezone is not None and given.interval is not None
        else sniff_days(times, reading.time_format, given.timezone, given.exchange, where)
    )
    found = [rule.detection] if rule.detection else []
    plain = Detection("label", "session", "daily bars are stamped with their session's date", "plain")
    reading = replace(reading, timezone=rule.timezone, sessions_of=rule.sessions_of)
    days, span = sniff_span(rule, given.days, rows.bars(reading)["timestamp"].to_physical().to_numpy(), given.exchange)
    return replace(reading, days=days), [*found, *([span] if span else []), plain]


def _label(reading: CsvReading, rows: _Rows, given: Given) -> tuple[Literal["start", "end"], Detection]:
    if given.label is not None:
        return given.label, Detection("label", given.label, "given", "given")
    column = rows.columns.get("clock", rows.columns["time"])
    if (named := label_by_name(column)) is not None:
        return named
    bars = rows.bars(replace(reading, label="start"))
    if bars.is_empty():
        stamped = rows.bars(replace(reading, label="end"), None)["timestamp"]
        if len(stamped):
            return "end", Detection("label", "end", "stamped a moment before full minutes, as closes are", "certain")
        return "start", Detection("label", "start", "assumed", "assumed")
    stamped_early = label_by_stamps(bars["timestamp"].to_physical().to_numpy(), reading.interval.ns)
    return _label_by_sessions(bars, reading, given) if stamped_early is None else stamped_early


def _label_by_sessions(
    bars: pl.DataFrame, reading: CsvReading, given: Given
) -> tuple[Literal["start", "end"], Detection]:
    """Return the label that the sessions show of bars that are read as if their times were starts."""
    starts, volume = bars["timestamp"].to_physical().to_numpy(), bars["volume"].fill_null(0.0).to_numpy()
    try:
        return sniff_label(starts, volume, reading.interval.ns, TimeManager(given.exchange))
    except CalendarError:
        why = f"assumed: the calendar of {given.exchange} does not have these days"
        return "start", Detection("label", "start", why, "assumed")


def _symbol(source: ImportSource, given: Given, columns: dict[str, str]) -> Detection:
    if given.symbol is not None:
        return Detection("symbol", given.symbol, "given", "given")
    if "symbol" in columns:
        confidence = "given" if given.columns.symbol else "likely"
        return Detection("symbol", "as in the rows", f"column {columns['symbol']}", confidence)  # type: ignore[arg-type]
    symbol = source.symbol or ""
    odd = "_" in symbol or " " in symbol or len(symbol) > _LONG_SYMBOL
    why = "the file's name; if that is not all symbol, use --symbol or --file-name" if odd else "the file's name"
    return Detection("symbol", symbol, why, "unsure" if odd else "plain")


def _warnings(bars: pl.DataFrame, reading: CsvReading, given: Given) -> list[str]:
    times = bars["timestamp"].to_physical().to_numpy()
    to_come = warnings_of_times_to_come(times, WallClock().now_ns)
    try:
        manager = TimeManager(given.exchange)
        if reading.interval.is_intraday:
            of_interval = warnings_of_interval(times, reading.interval, manager)
            return [*to_come, *warnings_of_times(times, manager, given.timezone), *of_interval]
        return [*to_come, *warnings_of_days(times, manager)]
    except CalendarError:
        return to_come


def _warnings_of_label(rows: _Rows, reading: CsvReading, given: Given) -> list[str]:
    """Warn when the sessions plainly show another label than the one that a person gives."""
    if given.label is None or not reading.interval.is_intraday:
        return []
    label, found = _label_by_sessions(rows.bars(replace(reading, label="start")), reading, given)
    if label == given.label or found.confidence not in ("plain", "certain"):
        return []
    return [f"{found.why}, as times do that name the {label}s of bars: is --label {given.label} right?"]

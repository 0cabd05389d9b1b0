"""Bars made of the rows of a table.

Columns get openbell's names, times are in UTC, prices in their currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from openbell.errors import ConfigError
from openbell.importers.table import NO_BAD_ROWS, Chunk

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from openbell.importers.times import TimeReader

__all__ = ["PRICES", "BarRows", "number", "times_in"]

PRICES = ("open", "high", "low", "close")
_VALUES = (*PRICES, "volume")
_DAY_MS = 86_400_000
_SUFFIXES = {"K": 1e3, "M": 1e6, "B": 1e9}


@dataclass(frozen=True, slots=True)
class BarRows:
    """The way from the rows of one table to bars.

    Attributes:
        columns: The table's column for each of time, open, high, low, close, and if there are such: volume, clock (the
            time of day, when ``time`` has the date only) and symbol.
        times: Reads the times.
        symbol: The symbol of all rows; None when a column has it.
        day: The date of all rows, for when the time column has the time of day only.
        price_scale: Prices are divided by it.
        decimal_comma: Whether numbers in text are written with one.
        where: The table, for messages.
    """

    columns: Mapping[str, str]
    times: TimeReader
    symbol: str | None
    day: date | None = None
    price_scale: float = 1.0
    decimal_comma: bool = False
    where: str = ""

    @property
    def interval(self) -> str:
        """The interval of the bars."""
        return str(self.times.interval)

    @property
    def wanted(self) -> list[str]:
        """The columns of the table that are needed."""
        return list(dict.fromkeys(self.columns.values()))

    @property
    def numbers(self) -> list[str]:
        """The needed columns that hold numbers."""
        return [self.columns[name] for name in _VALUES if name in self.columns]

    def read(self, chunk: Chunk) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Separate the rows that become bars from those that cannot.

        Returns:
            Columns line, timestamp (UTC), open, high, low, close, volume and, when a column has it, symbol; columns
            line and reason.

        Raises:
            ConfigError: The times need a time zone or a format.
        """
        rows = chunk.rows
        try:
            moments = self.times.read(times_in(rows, self.columns, self.day))
        except ConfigError as exc:
            raise ConfigError(f"{self.where}: {exc}") from None
        values = [self.value(rows, name).alias(name) for name in _VALUES]
        if self.symbol is None:
            values.append(pl.col(self.columns["symbol"]).cast(pl.String).str.strip_chars().alias("symbol"))
        bars = rows.select("line", *values).hstack(moments)
        bars = self._on_grid(self._scaled(bars))
        if self.symbol is None:
            unnamed = pl.col("symbol").fill_null("") == ""
            bars = bars.with_columns(reason=pl.when(unnamed).then(pl.lit("the symbol is missing")).otherwise("reason"))
        if bars["reason"].null_count() == len(bars):
            return bars.drop("reason"), chunk.bad
        bad = bars.filter(pl.col("reason").is_not_null()).select(NO_BAD_ROWS.columns)
        return bars.filter(pl.col("reason").is_null()).drop("reason"), pl.concat([chunk.bad, bad])

    def value(self, rows: pl.DataFrame, name: str) -> pl.Expr:
        """Return a price or the volume of the rows as it is in the table.

        0 when there is no such column.
        """
        theirs = self.columns.get(name)
        if theirs is None:
            return pl.lit(0.0)
        value = pl.col(theirs)
        if rows.schema[theirs] == pl.String:
            value = number(value, decimal_comma=self.decimal_comma)
        return value.cast(pl.Float64)

    def _scaled(self, bars: pl.DataFrame) -> pl.DataFrame:
        if self.price_scale == 1:
            return bars
        # NumPy divides; polars multiplies by the inverse, which makes 166.45000000000002 of 1664500 / 10000.
        return bars.with_columns(**{name: bars[name].to_numpy() / self.price_scale for name in PRICES})

    def _on_grid(self, bars: pl.DataFrame) -> pl.DataFrame:
        """Add a reason to intraday bars that do not begin at a full second or minute."""
        if not self.times.interval.is_intraday:
            return bars
        unit = min(self.times.interval.ns, 60_000_000_000)
        off = bars["timestamp"].to_physical() % unit != 0
        if not off.any():
            return bars
        off_grid = f"the time is not at a full {'second' if unit < 60_000_000_000 else 'minute'}"
        return bars.with_columns(
            reason=pl.when(off & pl.col("reason").is_null()).then(pl.lit(off_grid)).otherwise("reason")
        )


def times_in(rows: pl.DataFrame, columns: Mapping[str, str], day: date | None) -> pl.Series:
    """Return the times of rows as one column.

    They are local times of ``day``, or a column of dates and one of times of day joined.

    Rows that have dates themselves need no ``day``.
    """
    times = rows[columns["time"]]
    if "clock" not in columns:
        clocks = times if day is None else _times_of_day(times, day)
        return times if clocks.null_count() == len(clocks) else clocks
    clock = pl.col(columns["clock"]).cast(pl.String).str.strip_chars()
    # 93000 is 9:30:00: numbers lose their leading zero.
    clock = clock.str.replace(r"^(\d{3}|\d{5})$", "0${1}")
    dates = pl.col(columns["time"]).cast(pl.String).str.strip_chars()
    return rows.select(pl.concat_str(dates, pl.lit(" "), clock)).to_series()


def number(text: pl.Expr, *, decimal_comma: bool = False) -> pl.Expr:
    """Parse numbers in text, also as ``1,234.50``, ``$12.30`` and ``1.2M``.

    Null where there is none.
    """
    plain = text.str.strip_chars()
    if decimal_comma:
        grouped = plain.str.contains(r"^-?\d{1,3}(\.\d{3})+(,\d+)?$")
        plain = pl.when(grouped).then(plain.str.replace_all(".", "", literal=True)).otherwise(plain)
        plain = plain.str.replace(",", ".", literal=True)
    bare = plain.str.replace_all(r"^[$€£¥]|[\s']", "")
    grouped = bare.str.contains(r"^-?\d{1,3}(,\d{3})+(\.\d+)?$")
    bare = pl.when(grouped).then(bare.str.replace_all(",", "", literal=True)).otherwise(bare)
    parts = bare.str.extract_groups(r"^(-?[\d.]+)([KMB])$")
    large = parts.struct[0].cast(pl.Float64, strict=False) * parts.struct[1].replace_strict(_SUFFIXES, default=None)
    return pl.coalesce(plain.cast(pl.Float64, strict=False), bare.cast(pl.Float64, strict=False), large)


def _times_of_day(times: pl.Series, day: date) -> pl.Series:
    """Return local times on ``day``, of milliseconds since midnight or of clock times as text."""
    midnight = pl.lit(day).cast(pl.Datetime("ns"))
    text = times.cast(pl.String).str.strip_chars()
    frame = pl.DataFrame({"text": text})
    ms = pl.col("text").cast(pl.Int64, strict=False)
    since = midnight + pl.duration(milliseconds=pl.when(ms.is_between(0, _DAY_MS - 1)).then(ms), time_unit="ns")
    clock = midnight + pl.coalesce(
        pl.col("text").str.to_time(form, strict=False).cast(pl.Duration("ns"))
        for form in ("%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p")
    )
    return frame.select(pl.coalesce(clock, since)).to_series()

"""Conversion of the rows of a table to bars.

Columns get openbell's names, times are converted to UTC, and prices are scaled.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import polars as pl

from openbell.errors import ConfigError, StoreError
from openbell.importers.tables.numbers import number
from openbell.importers.tables.table import NO_BAD_ROWS, Chunk
from openbell.store.check_bars import off_full_units
from openbell.store.layout import require_symbol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from openbell.importers.times.bar_times import TimeReader

__all__ = ["PRICES", "BarRows", "times_in", "volume_columns"]

PRICES = ("open", "high", "low", "close")
_VALUES = (*PRICES, "volume")
_DAY_MS = 86_400_000
_SUM = " + "


@dataclass(frozen=True, slots=True)
class BarRows:
    """The converter of the rows of one table to bars.

    Attributes:
        columns: The table's column for each of time, open, high, low, close, and if there are such: volume, clock (the
            time of day, where ``time`` has only dates) and symbol. A volume may be a sum, ``Up + Down``.
        times: The reader of the times.
        symbol: The symbol of all rows; None when a column has it.
        day: The date of all rows, where the time column has only times of day.
        price_scale: The number by which prices are divided.
        decimal_comma: Whether numbers in text have a decimal comma.
        where: The table, for messages.
        allow_negative: Whether prices may be 0 and below.
        days: The days that daily bars span, as the store records them: a time zone, `SESSION` or `UNKNOWN`.
    """

    columns: Mapping[str, str]
    times: TimeReader
    symbol: str | None
    day: date | None = None
    price_scale: float = 1.0
    decimal_comma: bool = False
    where: str = ""
    allow_negative: bool = False
    days: str | None = None

    @property
    def interval(self) -> str:
        """The interval of the bars."""
        return str(self.times.interval)

    @property
    def wanted(self) -> list[str]:
        """The columns of the table that are needed."""
        roles = [name for role, name in self.columns.items() if role != "volume"]
        return list(dict.fromkeys([*roles, *volume_columns(self.columns.get("volume"))]))

    @property
    def numbers(self) -> list[str]:
        """The needed columns that hold numbers."""
        return [*(self.columns[name] for name in PRICES), *volume_columns(self.columns.get("volume"))]

    def read(self, chunk: Chunk) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Convert rows to bars, without those that cannot be used.

        Returns:
            The bars, with the columns line, timestamp (UTC), open, high, low, close, volume and, when a column has it,
            symbol. The rows that cannot be used, with the columns line and reason.

        Raises:
            ConfigError: The times need a time zone or a format.
        """
        rows = chunk.rows
        try:
            symbols = rows[self.columns["symbol"]].cast(pl.String) if self.symbol is None else None
            times = self.times.read(times_in(rows, self.columns, self.day), symbols)
        except ConfigError as exc:
            raise ConfigError(f"{self.where}: {exc}") from None
        values = [self.value(rows, name).alias(name) for name in _VALUES]
        if self.symbol is None:
            values.append(pl.col(self.columns["symbol"]).cast(pl.String).str.strip_chars().alias("symbol"))
        bars = rows.select("line", *values).hstack(times)
        bars = self._on_grid(self._scaled(bars))
        if self.symbol is None:
            bars = _with_reasons_of_symbols(bars)
        if bars["reason"].null_count() == len(bars):
            return bars.drop("reason"), chunk.bad
        bad = bars.filter(pl.col("reason").is_not_null()).select(NO_BAD_ROWS.columns)
        return bars.filter(pl.col("reason").is_null()).drop("reason"), pl.concat([chunk.bad, bad])

    def value(self, rows: pl.DataFrame, name: str) -> pl.Expr:
        """Return a price or the volume of the rows, not scaled.

        It is 0 when there is no such column.
        """
        theirs = self.columns.get(name)
        if theirs is None:
            return pl.lit(0.0)
        parts = [self._number(rows, part) for part in (volume_columns(theirs) if name == "volume" else (theirs,))]
        return reduce(operator.add, parts)

    def _number(self, rows: pl.DataFrame, column: str) -> pl.Expr:
        if rows.schema[column] in (pl.String, pl.Categorical, pl.Enum):
            return pl.lit(number(rows[column].cast(pl.String), decimal_comma=self.decimal_comma))
        return pl.col(column).cast(pl.Float64)

    def _scaled(self, bars: pl.DataFrame) -> pl.DataFrame:
        if self.price_scale == 1:
            return bars
        # Divided by NumPy, because polars multiplies by the inverse, which makes 166.45000000000002 of 1664500 / 10000.
        return bars.with_columns(**{name: bars[name].to_numpy() / self.price_scale for name in PRICES})

    def _on_grid(self, bars: pl.DataFrame) -> pl.DataFrame:
        """Add a reason to intraday bars that do not begin at a full second or minute."""
        if not self.times.interval.is_intraday:
            return bars
        off, why = off_full_units(bars["timestamp"], self.times.interval)
        if not off.any():
            return bars
        return bars.with_columns(reason=pl.when(off & pl.col("reason").is_null()).then(pl.lit(why)).otherwise("reason"))


def _with_reasons_of_symbols(bars: pl.DataFrame) -> pl.DataFrame:
    """Add a reason to rows whose symbol is missing, or is not valid in a store."""
    bad = {}
    for symbol in bars["symbol"].drop_nulls().unique():
        try:
            require_symbol(symbol)
        except StoreError:
            bad[symbol] = "the symbol is too long or cannot be printed" if symbol else "the symbol is missing"
    why = pl.col("symbol").fill_null("").replace_strict({"": "the symbol is missing", **bad}, default=None)
    return bars.with_columns(reason=pl.coalesce(why.cast(pl.String), "reason"))


def volume_columns(name: str | None) -> tuple[str, ...]:
    """Return the columns whose sum is the volume, written ``Up + Down``."""
    return tuple(name.split(_SUM)) if name else ()


def times_in(rows: pl.DataFrame, columns: Mapping[str, str], day: date | None) -> pl.Series:
    """Return the times of rows as one column.

    A column of dates and one of times of day (``clock``) are joined. Without a clock, times of day are taken as local
    times on ``day``; a column that has dates itself is returned as it is.
    """
    times = rows[columns["time"]]
    if "clock" not in columns:
        clocks = times if day is None else _times_of_day(times, day)
        return times if clocks.null_count() == len(clocks) else clocks
    clock = pl.col(columns["clock"]).cast(pl.String).str.strip_chars().str.replace(r"\.0$", "")
    # A leading zero is restored, which numbers lose: 93000 is 09:30:00.
    clock = clock.str.replace(r"^(\d{3}|\d{5})$", "0${1}").str.replace(r"^(\d{1,2})$", "${1}:00")
    column = pl.col(columns["time"])
    dates = (column.cast(pl.Date) if isinstance(times.dtype, pl.Datetime) else column).cast(pl.String).str.strip_chars()
    dates = dates.str.replace(r"[ T]00:00(:00)?(\.0+)?$|\.0$", "")
    return rows.select(pl.concat_str(dates, pl.lit(" "), clock)).to_series()


def _times_of_day(times: pl.Series, day: date) -> pl.Series:
    """Return local times on ``day``, null where a text is no time of day.

    A time of day is written as a clock time or as milliseconds since midnight.
    """
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

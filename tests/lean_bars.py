"""Real bars as QuantConnect/Lean's algorithms see them, with prices adjusted to the end of its factor files."""

from __future__ import annotations

import zipfile
from bisect import bisect_left
from datetime import date, datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["WEEK", "daily_bars", "intraday_bars"]

NEW_YORK = ZoneInfo("America/New_York")
WEEK = [date(2013, 10, day) for day in (7, 8, 9, 10, 11)]
REGULAR = (time(9, 30), time(16))
EXTENDED = (time(4), time(20))
PRICES = ["open", "high", "low", "close"]


def daily_bars(lean: Path, symbol: str, first: str, last: str) -> pl.DataFrame:
    """Return the daily bars of a symbol between two dates."""
    factors = _Factors(lean, symbol)
    rows = _rows(lean / f"equity/usa/daily/{symbol.lower()}.zip").with_columns(
        pl.col("when").str.head(8).str.to_datetime("%Y%m%d", time_unit="ns", time_zone="UTC").alias("timestamp")
    )
    rows = rows.filter(pl.col("timestamp").dt.date().is_between(date.fromisoformat(first), date.fromisoformat(last)))
    days = rows["timestamp"].dt.date().to_list()
    return _adjusted(rows, [factors.on(day) for day in days])


def intraday_bars(
    lean: Path, symbol: str, resolution: str, days: Iterable[date] = WEEK, *, extended: bool = False
) -> pl.DataFrame:
    """Return the bars of a symbol of some days in New York, of a resolution that is called minute or second."""
    factors, frames = _Factors(lean, symbol), []
    begin, end = (_milliseconds(clock) for clock in (EXTENDED if extended else REGULAR))
    for day in days:
        midnight = int(datetime.combine(day, time(0), NEW_YORK).timestamp()) * 10**9
        rows = _rows(lean / f"equity/usa/{resolution}/{symbol.lower()}/{day:%Y%m%d}_trade.zip")
        rows = rows.with_columns(pl.col("when").cast(pl.Int64)).filter(pl.col("when").is_between(begin, end - 1))
        stamp = (midnight + pl.col("when") * 10**6).cast(pl.Datetime("ns", "UTC"))
        frames.append(_adjusted(rows.with_columns(stamp.alias("timestamp")), [factors.on(day)] * len(rows)))
    return pl.concat(frames)


class _Factors:
    def __init__(self, lean: Path, symbol: str) -> None:
        lines = (lean / f"equity/usa/factor_files/{symbol.lower()}.csv").read_text().splitlines()
        rows = sorted((date.fromisoformat(row[0]), row) for row in (line.split(",") for line in lines))
        self._days = [day for day, _ in rows]
        self._factors = [float(row[1]) * float(row[2]) for _, row in rows]

    def on(self, day: date) -> float:
        return self._factors[bisect_left(self._days, day)]


def _milliseconds(clock: time) -> int:
    return (clock.hour * 60 + clock.minute) * 60_000


def _rows(path: Path) -> pl.DataFrame:
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
        names = ["when", *PRICES, "volume"]
        schema = {name: pl.String if name == "when" else pl.Float64 for name in names}
        return pl.read_csv(file.read(), has_header=False, new_columns=names, schema=schema)


def _adjusted(rows: pl.DataFrame, factors: list[float]) -> pl.DataFrame:
    factor = pl.Series(factors, dtype=pl.Float64) / 10_000
    return rows.select("timestamp", *(pl.col(name) * factor for name in PRICES), "volume")

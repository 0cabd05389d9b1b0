"""Data of charts of candles with entries, exits, stops, targets, signals and indicators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import polars as pl

from openbell.errors import printable
from openbell.pages.report.overlays import is_overlay
from openbell.results.number_text import decimals_of, money, price, units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openbell.model.json_object import JsonObject
    from openbell.pages.report.candles import Candles
    from openbell.pages.report.levels import Level
    from openbell.pages.report.windows import Window
    from openbell.results.folder.run_tables import RunTables

__all__ = ["PRICES", "ChartData", "FilledInside", "chart_data", "filled_inside"]

FilledInside: TypeAlias = frozenset[tuple[str, str, int, bool]]

PRICES = ("open", "high", "low", "close")
_MOST_MARKS = 200
_MOST_TRADES = 80
_MOST_LEVELS = 160
_MOST_STARTS = 20
_VOLUME_DECIMALS = 4
_DIGITS = 4
"""Significant digits of an indicator that is no price."""


class _Bars(NamedTuple):
    """Times of a chart's bars in nanoseconds since 1970 UTC."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]

    def at(self, time_ns: int) -> int | None:
        """Return the row of the bar that a time lies in, its start included, or None outside of all bars."""
        row = int(np.searchsorted(self.start, time_ns, side="right")) - 1
        return row if row >= 0 and time_ns <= self.end[row] else None

    def inside(self, time_ns: int) -> int | None:
        """Return the row of the bar that a time lies in, its end included, or None outside of all bars."""
        row = int(np.searchsorted(self.end, time_ns, side="left"))
        return row if row < len(self.end) and time_ns >= self.start[row] else None

    def of_fill(self, time_ns: int, *, inside: bool) -> int | None:
        """Return the row of the bar of a fill, whose time is the bar's end if inside, else the bar's open."""
        return self.inside(time_ns) if inside else self.at(time_ns)


@dataclass(frozen=True, slots=True)
class ChartData:
    """Columns and marks of a window, for a script to draw.

    Attributes:
        head: Everything but the columns, as a JSON object: symbol, marks, trades, levels and names of lines.
        seconds: Start of each bar in seconds since 1970 UTC.
        prices: Open, high, low and close, a column each, rounded to the decimals that are shown.
        volume: Volume of each bar.
        lines: Values of each line in the head, NaN where there is none.
    """

    head: JsonObject
    seconds: NDArray[np.int64]
    prices: NDArray[np.float64]
    volume: NDArray[np.float64]
    lines: list[NDArray[np.float64]]

    def to_dict(self) -> JsonObject:
        """Return head and columns as one JSON object, for a page that is one file."""
        lines = [
            {**line, "values": pl.Series(values).fill_nan(None).to_list()}
            for line, values in zip(self.head["lines"], self.lines, strict=True)
        ]
        return {
            **self.head,
            "time": np.diff(self.seconds, prepend=0).tolist(),
            **{name: self.prices[:, column].tolist() for column, name in enumerate(PRICES)},
            "volume": self.volume.tolist(),
            "lines": lines,
        }


def chart_data(
    window: Window, candles: Candles, tables: RunTables, levels: Sequence[Level], inside: FilledInside
) -> ChartData:
    """Return the data of a window's chart.

    Args:
        window: The symbol and its sessions.
        candles: The bars and indicators of the window.
        tables: The tables of the run.
        levels: Prices at which orders of the symbol rested.
        inside: The fills inside of a bar, as `filled_inside` returns them.
    """
    frame = candles.bars
    prices = frame.select(PRICES).to_numpy()
    decimals = decimals_of(prices.ravel())
    times = [frame[name].to_physical().to_numpy() for name in ("timestamp", "end")]
    bars = _Bars(times[0], times[1])
    trades, trade_count = _trades(window, tables, bars, inside)
    lines = [_line(column, prices, decimals) for column in candles.indicators]
    head = {
        "symbol": printable(window.symbol),
        "interval": candles.interval,
        "daily": candles.is_daily,
        "kept": candles.kept,
        "decimals": decimals,
        "synthetic": np.flatnonzero(frame["count"].to_numpy() == 0).tolist() if "count" in frame.columns else [],
        "starts": _starts(candles),
        "lines": [line for line, _ in lines],
        "marks": _marks(window, tables, bars, inside)[:_MOST_MARKS],
        "trades": trades[:_MOST_TRADES],
        "levels": _levels(levels, bars)[:_MOST_LEVELS],
        "left_out": max(trade_count - _MOST_TRADES, 0),
    }
    with np.errstate(over="ignore"):  # so large a volume is none that anybody reads
        volume = np.round(frame["volume"].to_numpy(), _VOLUME_DECIMALS)
    return ChartData(head, candles.seconds, np.round(prices, decimals), volume, [values for _, values in lines])


def _starts(candles: Candles) -> list[int]:
    """Return the rows with which another day begins, none if they are too many to be marked."""
    if candles.is_daily:
        return []
    days = candles.bars["timestamp"].dt.convert_time_zone(candles.zone.key).dt.date().to_physical().to_numpy()
    rows: list[int] = (np.flatnonzero(np.diff(days)) + 1).tolist()
    return rows if len(rows) <= _MOST_STARTS else []


def _line(column: pl.Series, prices: NDArray[np.float64], decimals: int) -> tuple[JsonObject, NDArray[np.float64]]:
    """Return the entry of an indicator's line in the head, and its rounded values."""
    values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    over = is_overlay(column.name, values, prices)
    shown = decimals if over else decimals_of(values, _DIGITS)
    return {"name": printable(column.name), "over": over, "decimals": shown}, np.round(values, shown)


def _marks(window: Window, tables: RunTables, bars: _Bars, inside: FilledInside) -> list[JsonObject]:
    """Return marks of entries and exits in order, or of signals in a run that does not trade."""
    found: list[tuple[int, JsonObject]] = []
    if tables.fills is not None:
        for fill in _of_window(tables.fills, window).iter_rows(named=True):
            bought = fill["quantity"] > 0
            key = fill["symbol"], fill["strategy"], fill["ns"], bought
            row, side = bars.of_fill(fill["ns"], inside=key in inside), "buy" if bought else "sell"
            text = f"{side} {units(abs(fill['quantity']))} at {price(fill['price'])}"
            if row is not None:
                found.append((row, {"row": row, "kind": side, "text": text, "tag": printable(fill["tag"] or "")}))
    else:
        for signal in _of_window(tables.signals, window).iter_rows(named=True):
            row = bars.inside(signal["ns"])
            if row is not None:
                text = printable(signal["action"], 24)
                found.append(
                    (row, {"row": row, "kind": "signal", "text": text, "tag": printable(signal["reason"], 80)})
                )
    return [mark for _, mark in sorted(found, key=lambda item: item[0])]


def filled_inside(tables: RunTables) -> FilledInside:
    """Return symbol, strategy, time and side (whether bought) of the fills inside of a bar.

    The time of such a fill is the bar's end, at which its order was updated too. The time of a fill at the open is
    earlier than that of the update.
    """
    if tables.fills is None or tables.orders is None:
        return frozenset()
    filled = tables.fills.join(tables.orders.select("id", "updated"), left_on="order", right_on="id", how="inner")
    inside = filled.filter(pl.col("updated") == pl.col("time"))
    sides = inside.select("symbol", "strategy", pl.col("time").to_physical(), pl.col("quantity") > 0)
    return frozenset(sides.iter_rows())


def _of_window(frame: pl.DataFrame, window: Window) -> pl.DataFrame:
    return frame.filter(
        (pl.col("symbol") == window.symbol) & pl.col("date").is_between(window.first, window.last)
    ).with_columns(pl.col("time").to_physical().alias("ns"))


def _trades(window: Window, tables: RunTables, bars: _Bars, inside: FilledInside) -> tuple[list[JsonObject], int]:
    """Return the trades of a window as lines from entry to exit, and their number."""
    if tables.trades is None:
        return [], 0
    frame = tables.trades.with_row_index("number").filter(pl.col("symbol") == window.symbol)
    found = []
    entries = frame["entry_time"].to_physical().to_list()
    exits = frame["exit_time"].to_physical().to_list()
    for row, entered, left in zip(frame.iter_rows(named=True), entries, exits, strict=True):
        is_long = row["quantity"] > 0
        first, last = (
            bars.of_fill(time, inside=(row["symbol"], row["strategy"], time, bought) in inside)
            for time, bought in ((entered, is_long), (left, not is_long))
        )
        if first is None or last is None:
            continue
        net = row["pnl"] - row["fees"]
        found.append(
            {
                "number": row["number"] + 1, "from": first, "to": last, "entry": row["entry_price"],
                "exit": row["exit_price"], "won": net > 0, "net": money(net, signed=True),
            }
        )  # fmt: skip
    return found, len(found)


def _levels(levels: Sequence[Level], bars: _Bars) -> list[JsonObject]:
    """Return the levels that lie in the chart, with rows of bars for their times."""
    found = []
    for level in levels:
        end = bars.end[-1] if level.end_ns is None else level.end_ns
        if level.start_ns > bars.end[-1] or end < bars.start[0]:
            continue
        first = int(np.searchsorted(bars.end, level.start_ns, side="left"))
        last = min(int(np.searchsorted(bars.end, end, side="left")), len(bars.end) - 1)
        found.append({"kind": level.kind, "price": level.price, "from": min(first, last), "to": last})
    return found

"""Rows of the tables of trades and signals, of bounded number."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

if TYPE_CHECKING:
    from datetime import datetime, timedelta, tzinfo

__all__ = ["SignalRow", "TradeRow", "signal_counts", "signal_rows", "trade_rows"]


class TradeRow(NamedTuple):
    """A trade as the table shows it, with times in the exchange's time zone.

    Attributes:
        number: Its place among all trades, from 1.
        symbol: The symbol.
        strategy: The strategy.
        tag: The label of its entry.
        quantity: Units, below zero when short.
        entered: When the trade was entered.
        left: When the trade was closed.
        entry_price: The price at the entry.
        exit_price: The price at the exit.
        net: Profit after fees.
        share: Profit before fees as a fraction of the value at the entry.
        fees: Fees.
        held: How long the trade was held, as text.
        held_s: How long the trade was held, in seconds.
        mae: The largest loss during the trade (maximum adverse excursion).
        mfe: The largest profit during the trade (maximum favourable excursion).
        entry_reason: Why the trade was entered.
        exit_reason: Why the trade was closed.
    """

    number: int
    symbol: str
    strategy: str
    tag: str
    quantity: float
    entered: datetime
    left: datetime
    entry_price: float
    exit_price: float
    net: float
    share: float
    fees: float
    held: str
    held_s: float
    mae: float
    mfe: float
    entry_reason: str
    exit_reason: str


class SignalRow(NamedTuple):
    """A signal as the table shows it."""

    time: datetime
    symbol: str
    action: str
    strategy: str
    reason: str


def trade_rows(trades: pl.DataFrame, zone: tzinfo, most: int) -> tuple[list[TradeRow], int]:
    """Return the trades in the order in which they were closed.

    If there are too many, those with the largest profits and losses are kept.

    Returns:
        The rows, and how many trades are left out.
    """
    frame = trades.with_row_index("number", offset=1).with_columns((pl.col("pnl") - pl.col("fees")).alias("net"))
    if len(frame) > most:
        frame = frame.sort(pl.col("net").abs(), descending=True).head(most).sort("number")
    rows = [
        TradeRow(
            row["number"], row["symbol"], row["strategy"], row["tag"] or "", row["quantity"],
            row["entry_time"].astimezone(zone), row["exit_time"].astimezone(zone), row["entry_price"],
            row["exit_price"], row["net"], row["return"], row["fees"], _held(row["held"]),
            row["held"].total_seconds(), row["mae"], row["mfe"], row["entry_reason"] or "", row["exit_reason"] or "",
        )
        for row in frame.iter_rows(named=True)
    ]  # fmt: skip
    return rows, len(trades) - len(rows)


def _held(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    days, rest = divmod(seconds, 86_400)
    hours, minutes = rest // 3600, rest % 3600 // 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes:02} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"


def signal_rows(signals: pl.DataFrame, zone: tzinfo, most: int) -> tuple[list[SignalRow], int]:
    """Return the last signals in order, and how many earlier ones are left out."""
    rows = [
        SignalRow(
            row["time"].astimezone(zone), row["symbol"], row["action"], row["strategy"] or "", row["reason"] or ""
        )
        for row in signals.tail(most).iter_rows(named=True)
    ]
    return rows, max(len(signals) - most, 0)


def signal_counts(signals: pl.DataFrame) -> list[tuple[str, str, int, int]]:
    """Return strategies and actions with their numbers of signals and symbols, most signals first."""
    counted = signals.group_by("strategy", "action", maintain_order=True).agg(
        pl.len().alias("signals"), pl.col("symbol").n_unique().alias("symbols")
    )
    return sorted(counted.iter_rows(), key=lambda row: -row[2])

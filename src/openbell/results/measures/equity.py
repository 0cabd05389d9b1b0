"""Equity of an account over a run, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from openbell.results.measures.returns import drawdowns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

__all__ = ["EquityColumns", "SessionEquity", "equity_frame"]


@dataclass(frozen=True, slots=True)
class EquityColumns:
    """Equity of a session by bar time, as columns of one length, float64 but for the time.

    Attributes:
        time_ns: Times at which a bar closed, int64 nanoseconds since 1970 UTC, ascending.
        cash: Cash, below zero when borrowed.
        long_value: Value of the long positions.
        short_value: Value of the short positions, zero or less.
    """

    time_ns: NDArray[np.int64]
    cash: NDArray[np.float64]
    long_value: NDArray[np.float64]
    short_value: NDArray[np.float64]

    @property
    def equity(self) -> NDArray[np.float64]:
        """Cash and the value of all positions."""
        return np.asarray(self.cash + self.long_value + self.short_value)

    @property
    def gross(self) -> NDArray[np.float64]:
        """Value of all positions, longs and shorts added up."""
        return np.asarray(self.long_value - self.short_value)

    @property
    def held_times(self) -> int:
        """Number of times at which a position was held."""
        return int(np.count_nonzero(self.gross))


@dataclass(frozen=True, slots=True)
class SessionEquity:
    """Equity at the end of each session, with what the session traded and held.

    Attributes:
        start_equity: Equity before the first session.
        days: The sessions.
        equity: Equity at the end of each, shape (sessions,), float64.
        traded: Value of all fills of each, bought and sold alike, shape (sessions,), float64.
        bar_times: Number of bar times of each, int64.
        held_times: Number of those at which a position was held, int64.
    """

    start_equity: float
    days: Sequence[date]
    equity: NDArray[np.float64]
    traded: NDArray[np.float64]
    bar_times: NDArray[np.int64]
    held_times: NDArray[np.int64]


def equity_frame(start_equity: float, days: Sequence[date], columns: Sequence[EquityColumns]) -> pl.DataFrame:
    """Return the equity of a run by bar time, as ``equity.parquet`` holds it.

    The columns are ``date`` of the session, ``time`` (UTC), ``equity``, ``cash``, ``long_value``, ``short_value``,
    ``exposure`` (longs and shorts added up, by equity; null where equity is zero or below) and ``drawdown`` (equity by
    its highest so far, the start included, less 1).
    """
    names = ("time_ns", "cash", "long_value", "short_value", "equity", "gross")
    whole = {
        name: np.concatenate([getattr(session, name) for session in columns]) if columns else np.empty(0)
        for name in names
    }
    equity = whole["equity"]
    dates = [day for day, session in zip(days, columns, strict=True) for _ in range(len(session.time_ns))]
    with np.errstate(divide="ignore", invalid="ignore"):
        exposure = np.where(equity > 0, whole["gross"] / equity, np.nan)
    return pl.DataFrame(
        {
            "date": pl.Series(dates, dtype=pl.Date),
            "time": pl.Series(whole["time_ns"].astype(np.int64)).cast(pl.Datetime("ns", "UTC")),
            "equity": equity,
            "cash": whole["cash"],
            "long_value": whole["long_value"],
            "short_value": whole["short_value"],
            "exposure": pl.Series(exposure).fill_nan(None),
            "drawdown": drawdowns(start_equity, equity),
        }
    )

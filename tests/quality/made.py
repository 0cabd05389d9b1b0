"""Makes series with one fault each: quiet bars of some sessions, as stored, and what is done to them."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from openbell.errors import ConfigError
from openbell.model.interval import DAY_NS, parse_interval
from openbell.quality.peers import Peers
from openbell.quality.series import Series, make_series
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.timing.grid import SessionGrid

FIRST, LAST = date(2013, 9, 3), date(2013, 12, 31)


@lru_cache
def grid(exchange: str = "XNYS", hours: str = "regular") -> SessionGrid:
    return TimeManager(exchange, session_hours=hours).grid(FIRST, LAST)  # type: ignore[arg-type]


@lru_cache
def extended_grid(exchange: str) -> SessionGrid | None:
    try:
        return grid(exchange, "extended")
    except ConfigError:
        return None


def starts_of(interval: str, sessions: int, exchange: str = "XNYS") -> NDArray[np.int64]:
    """When the bars of the first sessions start, as they are stored."""
    whole = grid(exchange)
    if interval == "1d":
        return whole.days[:sessions] * DAY_NS
    expected = whole.expected_bars(parse_interval(interval))
    return expected.start_ns[expected.session < sessions]


def frame_of(starts: NDArray[np.int64], seed: int = 0, volatility: float = 0.0005) -> pl.DataFrame:
    """A quiet random walk with one bar at each time."""
    dice = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(dice.normal(0, volatility, len(starts))))
    opens = np.concatenate([[100.0], close[:-1]])
    wick = np.abs(dice.normal(0, volatility / 2, len(starts)))
    return pl.DataFrame(
        {
            "timestamp": pl.Series(starts).cast(pl.Datetime("ns", "UTC")),
            "open": opens,
            "high": np.maximum(opens, close) * (1 + wick),
            "low": np.minimum(opens, close) * (1 - wick),
            "close": close,
            "volume": dice.integers(800, 1200, len(starts)).astype(np.float64),
        }
    )


def bars(interval: str = "1m", sessions: int = 3, *, exchange: str = "XNYS", seed: int = 0) -> pl.DataFrame:
    """Whole sessions."""
    return frame_of(starts_of(interval, sessions, exchange), seed, 0.01 if interval == "1d" else 0.0005)


def series(frame: pl.DataFrame, interval: str = "1m", *, exchange: str = "XNYS", symbol: str = "MADE") -> Series:
    return make_series(symbol, parse_interval(interval), frame, grid(exchange), extended_grid(exchange))


def without(frame: pl.DataFrame, *rows: range) -> pl.DataFrame:
    """The frame without some rows."""
    gone = {i for part in rows for i in part}
    return frame.filter(~pl.int_range(pl.len()).is_in(sorted(gone)))


def times(frame: pl.DataFrame, row: int, column: str, factor: float) -> pl.DataFrame:
    """The frame with one value multiplied."""
    return frame.with_columns(
        pl.when(pl.int_range(pl.len()) == row).then(pl.col(column) * factor).otherwise(pl.col(column)).alias(column)
    )


def peers_of(*others: Series, interval: str = "1m", exchange: str = "XNYS") -> Peers:
    found = Peers(grid(exchange), parse_interval(interval))
    for other in others:
        found.add(other)
    return found

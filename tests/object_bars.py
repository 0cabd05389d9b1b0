"""Bars of growing value for tests of stores in object storage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from openbell.store.store import BarStore


def bars(price: float, count: int = 60, *, hour: int = 23) -> pl.DataFrame:
    """Minutes from an hour of 31 October 2013, which reach into November."""
    start = datetime(2013, 10, 31, hour, 30, tzinfo=UTC)
    times = pl.Series([start + timedelta(minutes=i) for i in range(count)], dtype=pl.Datetime("ns", "UTC"))
    return pl.DataFrame({"timestamp": times}).with_columns(
        **{name: pl.lit(float(price)) for name in ("open", "high", "low", "close", "volume")}
    )


def read(store: BarStore, symbol: str = "SPY") -> pl.DataFrame:
    return store.read([symbol], "1m", None, None).drop("symbol")

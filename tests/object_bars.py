"""Bars of growing value, and stores as another machine sees them, for tests of object storage."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from openbell.model.address import StoreAddress


def bars(price: float, count: int = 60, *, hour: int = 23) -> pl.DataFrame:
    """Minutes from an hour of 31 October 2013, which reach into November."""
    start = datetime(2013, 10, 31, hour, 30, tzinfo=UTC)
    times = pl.Series([start + timedelta(minutes=i) for i in range(count)], dtype=pl.Datetime("ns", "UTC"))
    return pl.DataFrame({"timestamp": times}).with_columns(
        **{name: pl.lit(float(price)) for name in ("open", "high", "low", "close", "volume")}
    )


def read(store: BarStore, symbol: str = "SPY") -> pl.DataFrame:
    return store.read([symbol], "1m", None, None).drop("symbol")


def on_another_machine(monkeypatch: pytest.MonkeyPatch, cache: Path, address: StoreAddress) -> BarStore:
    """The same store by what knows nothing of this process's, neither lock nor manifest."""
    before = os.environ["OPENBELL_CACHE"]
    monkeypatch.setenv("OPENBELL_CACHE", str(cache))
    try:
        return BarStore.open_or_create(address)
    finally:
        monkeypatch.setenv("OPENBELL_CACHE", before)

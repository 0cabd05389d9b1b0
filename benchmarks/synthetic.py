"""Seeded synthetic one-minute bars in a store: the data that the benchmarks run on."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from openbell.data.store import BarStore
from openbell.interval import parse_interval
from openbell.timing import TimeManager

FIRST_DAY = date(2023, 1, 3)


def sessions(count: int) -> list[date]:
    """The first ``count`` XNYS sessions from `FIRST_DAY` on."""
    time_manager = TimeManager("XNYS")
    return time_manager.sessions(FIRST_DAY, date(2026, 6, 30))[:count]


def symbols(count: int) -> list[str]:
    """``S0000``, ``S0001`` ..."""
    return [f"S{number:04d}" for number in range(count)]


def make_store(path: Path, symbol_count: int, session_count: int, interval: str = "1m", seed: int = 7) -> BarStore:
    """A store of complete bars: a random walk per symbol, the same for the same seed."""
    days = sessions(session_count)
    grid = TimeManager("XNYS").grid(days[0], days[-1])
    starts = grid.expected_bars(parse_interval(interval)).start_ns
    store = BarStore.open_or_create(path)
    with store.writer() as writer:
        for number, symbol in enumerate(symbols(symbol_count)):
            writer.write(symbol, interval, walk(starts, np.random.default_rng([seed, number])))
    return store


def walk(starts_ns: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    """Bars of a random walk from 100; columns as a store takes them."""
    count = len(starts_ns)
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 4e-4, count))), 4)
    opened = np.concatenate([[100.0], close[:-1]])
    spread = np.abs(rng.normal(0, 2e-4, (2, count))) * close
    return pl.DataFrame(
        {
            "timestamp": pl.Series(starts_ns).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC"),
            "open": opened,
            "high": np.round(np.maximum(opened, close) + spread[0], 4),
            "low": np.round(np.minimum(opened, close) - spread[1], 4),
            "close": close,
            "volume": rng.integers(100, 10_000, count).astype(np.float64),
        }
    )

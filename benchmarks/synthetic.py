"""Seeded synthetic bars in a store: the data that the benchmarks run on, the same files for every engine."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from openbell.model.interval import parse_interval
from openbell.store.store import BarStore
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.store.writer import StoreWriter

FIRST_DAY = date(2013, 1, 2)
STEP = {"1s": 1e-4, "1m": 4e-4, "1d": 1e-2}
"""The standard deviation of a bar's return."""


@cache
def calendar() -> TimeManager:
    """The calendar of all benchmarks."""
    return TimeManager("XNYS")


def sessions(count: int) -> list[date]:
    """The first ``count`` XNYS sessions from `FIRST_DAY` on."""
    return calendar().sessions(FIRST_DAY, date(2026, 6, 30))[:count]


def symbols(count: int) -> list[str]:
    """``S0000``, ``S0001`` ..."""
    return [f"S{number:04d}" for number in range(count)]


def make_store(path: Path, symbol_count: int, session_count: int, interval: str = "1m", seed: int = 7) -> BarStore:
    """A store of complete bars: a random walk per symbol, the same for the same seed."""
    store = BarStore.open_or_create(path)
    with store.writer() as writer:
        write_bars(writer, symbols(symbol_count), sessions(session_count), interval, seed=seed)
    return store


def write_bars(
    writer: StoreWriter, names: list[str], days: list[date], interval: str, *, seed: int = 7, wildness: float = 1.0
) -> None:
    """Write the bars of some symbols on some sessions; ``wildness`` is a factor on their returns."""
    grid = calendar().grid(days[0], days[-1])
    starts = grid.expected_bars(parse_interval(interval)).start_ns
    if interval == "1d":
        starts = grid.days * 86_400_000_000_000
    step = STEP[interval] * wildness
    for symbol in names:
        rng = np.random.default_rng([seed, int(symbol[1:]), *interval.encode()])
        writer.write(symbol, interval, walk(starts, rng, step))


def walk(starts_ns: np.ndarray, rng: np.random.Generator, step: float) -> pl.DataFrame:
    """Bars of a random walk from 100, in cents; columns as a store takes them."""
    count = len(starts_ns)
    # Pulled back to 100 in the long run, so that ten years end neither at a cent nor at a million.
    close = np.round(100 * np.exp(0.5 * np.tanh(np.cumsum(rng.normal(0, 2 * step, count)))), 2)
    opened = np.concatenate([[100.0], close[:-1]])
    spread = np.abs(rng.normal(0, step / 2, (2, count))) * close
    return pl.DataFrame(
        {
            "timestamp": pl.Series(starts_ns).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC"),
            "open": opened,
            "high": np.round(np.maximum(opened, close) + spread[0], 2),
            "low": np.round(np.minimum(opened, close) - spread[1], 2),
            "close": close,
            "volume": rng.integers(100, 10_000, count).astype(np.float64),
        }
    )

"""Makes small stores of seeded bars for days and exchanges that the real data does not have."""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from openbell.model.interval import DAY_NS
from openbell.store.store import BarStore
from openbell.timing import TimeManager
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray


def frame_of(starts_ns: NDArray[np.int64], seed: int = 1) -> pl.DataFrame:
    """A random walk with one bar at each time: every bar opens where the one before closed."""
    dice, rows = np.random.default_rng(seed), len(starts_ns)
    moves = dice.normal(0, 0.05, rows)
    close = 100 + np.cumsum(moves)
    opens = close - moves
    spread = dice.uniform(0, 0.05, rows)
    return pl.DataFrame(
        {
            "timestamp": pl.Series(starts_ns).cast(pl.Datetime("ns", "UTC")),
            "open": opens,
            "high": np.maximum(opens, close) + spread,
            "low": np.minimum(opens, close) - spread,
            "close": close,
            "volume": dice.integers(1, 1000, rows).astype(np.float64),
        }
    )


def made_store(
    folder: Path,
    symbols: Iterable[str],
    first: str,
    last: str,
    *,
    exchange: str = "XNYS",
    intervals: Iterable[str] = ("1m", "1d"),
    session_hours: str = "regular",
    keep: Callable[[str, str, int], bool] = lambda symbol, interval, start_ns: True,
) -> Path:
    """A store with all bars that the calendar expects of these symbols, but for those that ``keep`` refuses."""
    tm = TimeManager(exchange, session_hours=session_hours)  # type: ignore[arg-type]
    store = BarStore.open_or_create(folder)
    days = tm.sessions(date.fromisoformat(first), date.fromisoformat(last))
    with store.writer() as writer:
        for (number, symbol), interval in product(enumerate(symbols), intervals):
            if interval == "1d":
                starts = np.array([day_number(day) * DAY_NS for day in days])
            else:
                starts = np.concatenate([_starts(tm, interval, day) for day in days])
            kept = np.array([start for start in starts if keep(symbol, interval, int(start))], np.int64)
            if len(kept):
                writer.write(symbol, interval, frame_of(kept, seed=number))
    return folder


def _starts(tm: TimeManager, interval: str, day: date) -> NDArray[np.int64]:
    session = tm.session(day)
    step = {"1s": 1, "1m": 60}[interval] * 1_000_000_000
    return np.concatenate([np.arange(s.open_ns, s.close_ns, step, dtype=np.int64) for s in session.segments])

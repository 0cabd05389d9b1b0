"""How fast the store is: opening 500 symbols x 20 sessions of minutes beside polars on the same files, and writing.

    python benchmarks/store_io.py [FOLDER]

Prints JSON: milliseconds, each the median of five fresh readers (checksums included: nothing is remembered).
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from openbell.market_data.data_manager import DataManager
from openbell.model.interval import parse_interval
from openbell.store.store import BarStore
from openbell.timing import TimeManager, stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable

SYMBOLS, FIRST, LAST = 500, date(2024, 3, 1), date(2024, 3, 28)
SMALL_FILES = 5500


def bars(starts: np.ndarray, seed: int) -> pl.DataFrame:
    close = 100 + np.round(np.cumsum(np.random.default_rng(seed).normal(0, 0.05, len(starts))), 2)
    prices = {"open": close, "high": close + 0.5, "low": close - 0.5, "close": close}
    times = pl.Series(starts).cast(pl.Datetime("ns", "UTC"))
    return pl.DataFrame({"timestamp": times, **prices, "volume": np.full(len(starts), 100.0)})


def median_ms(work: Callable[[], object], times: int = 5) -> float:
    found = []
    for _ in range(times):
        watch = stopwatch()
        work()
        found.append(watch.ms)
    return round(statistics.median(found), 1)


def main(folder: Path) -> None:
    tm = TimeManager("XNYS")
    starts = tm.grid(FIRST, LAST).expected_bars(parse_interval("1m")).start_ns
    store = BarStore.open_or_create(folder / "store")
    names = [f"S{number:04}" for number in range(SYMBOLS)]
    watch = stopwatch()
    with store.writer() as writer:
        for number, name in enumerate(names):
            writer.write(name, "1m", bars(starts, number))
    written_ms = watch.ms

    paths = sorted((folder / "store" / "bars").rglob("*.parquet"))

    def with_polars() -> None:
        pl.scan_parquet(paths, glob=False, hive_partitioning=False, include_file_paths="path").collect()

    def with_store() -> None:
        BarStore.open(folder / "store").read_rows(names, "1m", None, None)

    def with_data_manager() -> None:
        manager = DataManager(BarStore.open(folder / "store"), tm)
        manager.prefetch(names, "1m", FIRST, LAST)
        for name in names:
            manager.load_historical_bars(name, "1m", FIRST, LAST)

    raw, rows, manager = (median_ms(work) for work in (with_polars, with_store, with_data_manager))
    one = bars(starts[:60], 1)
    small = BarStore.open_or_create(folder / "small")
    watch = stopwatch()
    with small.writer() as writer:
        for number in range(SMALL_FILES):
            writer.write(f"S{number}", "1m", one)
    small_ms = watch.ms
    watch = stopwatch()
    with small.writer() as writer:
        for number in range(SMALL_FILES):
            writer.write(f"S{number}", "1m", one)
    report = {
        "bars": len(starts) * SYMBOLS,
        "write_ms": round(written_ms),
        "polars_ms": raw,
        "store_ms": rows,
        "data_manager_ms": manager,
        "data_manager_per_polars": round(manager / raw, 2),
        f"write_{SMALL_FILES}_small_files_ms": round(small_ms),
        f"write_{SMALL_FILES}_small_files_again_ms": round(watch.ms),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as made:
            main(Path(made))

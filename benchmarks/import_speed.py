"""How fast a CSV is imported, beside polars reading the same file and doing nothing with it; and the memory it takes.

    python benchmarks/import_speed.py [MILLION_ROWS ...]

Each measurement is a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from openbell.importers.csv import import_csv
from openbell.store.store import BarStore
from openbell.timing.clock import stopwatch

SIZES = (2, 10, 20)
MINUTES = 390


def write_csv(path: Path, rows: int) -> None:
    """One-minute bars on local times, as vendors write them."""
    i = np.arange(rows)
    start = np.datetime64("2000-01-03T09:30", "s").astype(np.int64)
    seconds = start + (i // MINUTES) * 86_400 + (i % MINUTES) * 60
    rng = np.random.default_rng(1)
    close = 100 + np.abs(np.cumsum(rng.normal(0, 0.01, rows)))
    opens = np.concatenate([close[:1], close[:-1]])
    pl.DataFrame(
        {
            "timestamp": pl.Series(seconds * 1000).cast(pl.Datetime("ms")).dt.strftime("%Y-%m-%d %H:%M:%S"),
            "open": opens.round(2),
            "high": (np.maximum(opens, close) + 0.02).round(2),
            "low": (np.minimum(opens, close) - 0.02).round(2),
            "close": close.round(2),
            "volume": rng.integers(1, 10_000, rows),
        }
    ).write_csv(path)


def polars_read(path: Path, _: Path) -> int:
    """The floor: polars reads the file and parses its times."""
    frame = pl.read_csv(path)
    return frame.with_columns(pl.col("timestamp").str.to_datetime("%Y-%m-%d %H:%M:%S")).height


def openbell_import(path: Path, store: Path) -> int:
    """Read, brought to UTC, checked, merged and written durably."""
    report = import_csv([path], BarStore.open_or_create(store), interval="1m", symbol="X", timezone="America/New_York")
    return report.written.added + report.written.unchanged


WORK = {"polars": polars_read, "openbell": openbell_import, "again": openbell_import}


def measure(name: str, path: Path, store: Path) -> None:
    """Do one piece of work in this process and print what it took."""
    watch = stopwatch()
    rows = WORK[name](path, store)
    seconds = watch.ms / 1000
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    text = f"{rows / seconds:>12,.0f} rows/s  {seconds:6.2f} s  cpu {cpu:6.2f} s  peak {peak:6,.0f} MiB"
    print(f"{rows:>12,} rows  {name:10}{text}", flush=True)


def main(sizes: list[int]) -> None:
    """Make the files and measure, each in a process of its own."""
    for millions in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bars.csv"
            subprocess.run([sys.executable, __file__, "write", str(path), str(millions * 1_000_000)], check=True)
            for name in WORK:
                subprocess.run([sys.executable, __file__, "measure", name, str(path), f"{folder}/store"], check=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", path, rows]:
            write_csv(Path(path), int(rows))
        case ["measure", name, path, store]:
            measure(name, Path(path), Path(store))
        case sizes:
            main([int(size) for size in sizes] or list(SIZES))

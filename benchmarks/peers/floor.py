"""The floor: the same files through bare polars, NumPy and TA-Lib, with no session at all.

``load_s`` is the read, ``run_s`` bars, averages and crossings in bulk, without any callback. ``calls_s`` is what a bare
Python loop costs that calls the strategy's function for each bar in order of time: no engine with callbacks in Python
can be faster than that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import talib
from benchmarks.peers.common import Crossings, clock, job, memory_mb, settle, tell

Columns = dict[str, np.ndarray]
VERSION = f"polars {pl.__version__}, TA-Lib {talib.__version__}"


def read(
    work: dict[str, Any], names: tuple[str, ...] = ("open", "high", "low", "close", "volume")
) -> dict[str, Columns]:
    """All bars of the measured sessions, per symbol as NumPy columns."""
    time = pl.col("timestamp").to_physical()
    files = [file for files in work["files"].values() for file in files]
    frame = (
        pl.scan_parquet(files, hive_partitioning=True)
        .select("symbol", time, *names)
        .filter(time.is_between(work["first_ns"], work["end_ns"], closed="left"))
        .collect()
    )
    parts = frame.partition_by("symbol", maintain_order=True, include_key=False, as_dict=True)
    return {str(key[0]): {name: part[name].to_numpy() for name in part.columns} for key, part in parts.items()}


def size_mb(bars: dict[str, Columns]) -> float:
    """What the columns take."""
    return sum(column.nbytes for columns in bars.values() for column in columns.values()) / 2**20


def derived(columns: Columns, minutes: int) -> Columns:
    """Bars of ``minutes`` from one-minute bars; sessions open on multiples of them."""
    width = minutes * 60_000_000_000
    groups = columns["timestamp"] // width
    first = np.flatnonzero(np.diff(groups, prepend=-1))
    last = np.append(first[1:], len(groups)) - 1
    return {
        "timestamp": groups[first] * width,
        "open": columns["open"][first],
        "high": np.maximum.reduceat(columns["high"], first),
        "low": np.minimum.reduceat(columns["low"], first),
        "close": columns["close"][last],
        "volume": np.add.reduceat(columns["volume"], first),
    }


def main() -> None:
    """Read, compute, tell."""
    work = job()
    talib.EMA(np.arange(50.0), 10)
    pl.read_parquet(next(iter(work["files"].values()))[0], n_rows=1)
    settle()
    base_mb, started = memory_mb("VmRSS"), clock()
    bars = read(work)
    load_s = clock() - started
    columns_mb = size_mb(bars)
    started = clock()
    width_ns = work["bar_ns"]
    if work["minutes"] > 1:
        bars = {symbol: derived(columns, work["minutes"]) for symbol, columns in bars.items()}
        width_ns *= work["minutes"]
    averages, crossed = {}, {}
    for symbol, columns in bars.items():
        fast, slow = talib.EMA(columns["close"], 10), talib.EMA(columns["close"], 20)
        averages[symbol] = fast, slow
        above = fast > slow
        crossed[symbol] = np.flatnonzero(above[1:] != above[:-1]) + 1, above
    run_s = clock() - started
    peak_mb = memory_mb()
    crossings, calls_s = called(bars, averages, width_ns)
    assert len(crossings.found) == sum(len(rows) for rows, _ in crossed.values()) + len(bars)
    facts = {"load_s": load_s, "run_s": run_s, "calls_s": calls_s, "base_mb": base_mb, "peak_mb": peak_mb}
    tell(work, crossings, **facts, columns_mb=columns_mb, version=VERSION)


def called(bars: dict[str, Columns], averages: dict[str, Any], width_ns: int) -> tuple[Crossings, float]:
    """The strategy's function on each bar in order of time, and how long the loop took, its lists already there."""
    names = np.concatenate([np.full(len(columns["timestamp"]), symbol, object) for symbol, columns in bars.items()])
    ends = np.concatenate([columns["timestamp"] for columns in bars.values()]) + width_ns
    fast, slow = (np.concatenate([pair[which] for pair in averages.values()]) for which in (0, 1))
    order = np.argsort(ends, kind="stable")
    rows = [column[order].tolist() for column in (names, ends, fast, slow)]
    crossings = Crossings()
    started = clock()
    for symbol, end_ns, fast_value, slow_value in zip(*rows, strict=True):
        crossings.see(symbol, end_ns, fast_value, slow_value)
    calls_s = clock() - started
    crossings.final = {symbol: (float(pair[0][-1]), float(pair[1][-1])) for symbol, pair in averages.items()}
    return crossings, calls_s


if __name__ == "__main__":
    main()

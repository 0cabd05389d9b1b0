"""The floor of the universe scan: one read of all daily bars, two indicators each, the bars of those that are kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import talib
from benchmarks.peers.common import Leaders, clock, job, memory_mb, settle, tell
from benchmarks.peers.floor import VERSION, read, size_mb


def main() -> None:
    """Read, compute, choose, read what is kept, tell."""
    work: dict[str, Any] = job()
    talib.EMA(np.arange(50.0), 10)
    settle()
    base_mb, started = memory_mb("VmRSS"), clock()
    bars = read({**work, "first_ns": 0, "end_ns": work["day_ns"]})
    load_s = clock() - started
    columns_mb = size_mb(bars)
    started = clock()
    width = {
        symbol: talib.ATR(daily["high"], daily["low"], daily["close"], 14)[-1] / talib.SMA(daily["close"], 20)[-1]
        for symbol, daily in bars.items()
    }
    keep = sorted(width, key=width.__getitem__, reverse=True)[: work["keep"]]
    minutes = read({**work, "files": {symbol: work["minute_files"][symbol] for symbol in keep}, "first_ns": 0})
    for columns in minutes.values():
        talib.EMA(columns["close"], 10), talib.EMA(columns["close"], 20)
    run_s = clock() - started
    leaders = Leaders()
    leaders.callbacks = len(bars)
    leaders.final = {symbol: (float(width[symbol]), 0.0) for symbol in keep}
    facts = {"load_s": load_s, "run_s": run_s, "base_mb": base_mb, "columns_mb": columns_mb}
    tell(work, leaders, **facts, version=VERSION)


if __name__ == "__main__":
    main()

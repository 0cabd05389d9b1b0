"""The floor of the wide workload: derived bars and ten indicators of all symbols in bulk, then one look a bar time.

The look itself is the user's work, the same function for openbell: it counts to ``run_s``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import talib
from benchmarks.peers.common import Leaders, clock, job, memory_mb, settle, tell
from benchmarks.peers.floor import VERSION, Columns, derived, read, size_mb


def indicators(bars: Columns) -> dict[str, np.ndarray]:
    """The five of one series."""
    high, low, close = bars["high"], bars["low"], bars["close"]
    return {
        "ema": talib.EMA(close, 10),
        "sma": talib.SMA(close, 20),
        "rsi": talib.RSI(close, 14),
        "atr": talib.ATR(high, low, close, 14),
        "roc": talib.ROC(close, 10),
        "close": close,
    }


def main() -> None:
    """Read, compute, look, tell."""
    work: dict[str, Any] = job()
    talib.EMA(np.arange(50.0), 10)
    settle()
    base_mb, started = memory_mb("VmRSS"), clock()
    # The history, too: without it, no value of the first sessions is settled.
    bars = read({**work, "first_ns": work["history_ns"]})
    load_s = clock() - started
    columns_mb = size_mb(bars)
    started = clock()
    leaders, symbols = Leaders(), list(bars)
    looks = []
    for minutes in (5, 15):
        series = [derived(columns, minutes) for columns in bars.values()]
        ends = series[0]["timestamp"] + minutes * 60_000_000_000
        found = [indicators(one) for one in series]
        rows = {name: np.column_stack([values[name] for values in found]) for name in found[0]}
        looks += [(end, minutes, row, rows) for row, end in enumerate(ends.tolist()) if end > work["first_ns"]]
    for end, minutes, row, rows in sorted(looks, key=lambda look: look[:2]):
        values = {name: column[row] for name, column in rows.items()}
        leaders.look(end, f"{minutes}m", symbols, values.pop("close"), values)
    run_s = clock() - started
    facts = {"load_s": load_s, "run_s": run_s, "base_mb": base_mb, "columns_mb": columns_mb}
    tell(work, leaders, **facts, version=VERSION)


if __name__ == "__main__":
    main()

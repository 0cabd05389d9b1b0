"""vectorbt: the vectorised bound without an event loop; all symbols as one frame, its own EMA and crossings.

It calls nobody back: the callbacks that it tells are the bars that it looked at.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import vectorbt as vbt
from benchmarks.peers.common import Crossings, clock, job, memory_mb, read_with_pyarrow, settle, tell


def crossings_of(closes: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Both averages, and where the fast one goes above and below the slow one."""
    fast = vbt.MA.run(closes, 10, ewm=True, adjust=False)
    slow = vbt.MA.run(closes, 20, ewm=True, adjust=False)
    return fast.ma, slow.ma, fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)


def found(frame: pd.DataFrame, symbols: list[str], above: bool) -> list[tuple[int, str, bool]]:
    """The true cells as crossings."""
    rows, columns = np.nonzero(frame.to_numpy())
    ends = frame.index.as_unit("ns").asi8[rows]
    return [(end, symbols[column], above) for end, column in zip(ends.tolist(), columns.tolist(), strict=True)]


def main() -> None:
    """Load, run, tell."""
    work = job()
    symbols = work["symbols"]
    # Compiles what it needs, outside the measured time.
    crossings_of(pd.DataFrame(np.random.default_rng(0).normal(100, 1, (50, 2))))
    settle()
    base_mb, started = memory_mb("VmRSS"), clock()
    closes = pd.DataFrame(
        {
            symbol: pd.Series(columns["close"], pd.DatetimeIndex(columns["timestamp"]) + pd.Timedelta(minutes=1))
            for symbol, columns in read_with_pyarrow(work, ["close"]).items()
        }
    )
    load_s = clock() - started
    started = clock()
    if work["minutes"] > 1:
        closes = closes.resample(f"{work['minutes']}min", label="right", closed="right").last().dropna(how="all")
    fast, slow, above, below = crossings_of(closes)
    run_s = clock() - started
    crossings = Crossings()
    crossings.callbacks = int(closes.count().sum())
    crossings.found = found(above, symbols, above=True) + found(below, symbols, above=False)
    crossings.final = dict(zip(symbols, zip(fast.iloc[-1].tolist(), slow.iloc[-1].tolist(), strict=True), strict=True))
    tell(work, crossings, load_s=load_s, run_s=run_s, base_mb=base_mb, version=vbt.__version__)


if __name__ == "__main__":
    main()

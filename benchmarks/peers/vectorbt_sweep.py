"""vectorbt: the crossings of all pairs as one frame, each average computed once (`run_unique`)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import vectorbt as vbt
from benchmarks.peers.common import job, read_with_pyarrow, settle
from benchmarks.peers.sweeps import Found, Stopwatch, of_pair, start_facts, tell_pairs

Frames = tuple[pd.DataFrame, pd.DataFrame]


def crossings_of(closes: pd.DataFrame, pairs: list[tuple[int, int]]) -> Frames:
    """Where the fast average of each pair goes above and below the slow one, a column by pair and symbol."""
    how = {"ewm": True, "adjust": False, "run_unique": True}
    fast = vbt.MA.run(closes, [pair[0] for pair in pairs], short_name="fast", **how)
    slow = vbt.MA.run(closes, [pair[1] for pair in pairs], short_name="slow", **how)
    return fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)


def main() -> None:
    """Load, run, tell."""
    work = job()
    pairs = [tuple(pair) for pair in work["pairs"]]
    # Compiles what it needs, outside the measured time.
    crossings_of(pd.DataFrame(np.random.default_rng(0).normal(100, 1, (50, 2))), [(5, 10), (6, 12)])
    settle()
    start, watch = start_facts(), Stopwatch()
    closes = pd.DataFrame(
        {
            symbol: pd.Series(columns["close"], pd.DatetimeIndex(columns["timestamp"]) + pd.Timedelta(minutes=1))
            for symbol, columns in read_with_pyarrow(work, ["close"]).items()
        }
    )
    load = watch.facts("load")
    watch = Stopwatch()
    closes = closes.resample(f"{work['minutes']}min", label="right", closed="right").last().dropna(how="all")
    sides = crossings_of(closes, pairs)
    run = watch.facts("run")
    ends, symbols, found = closes.index.as_unit("ns").asi8, list(closes.columns), list[Found]()
    for above, frame in zip((True, False), sides, strict=True):
        rows, columns = np.nonzero(frame.to_numpy())
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            place, symbol = divmod(column, len(symbols))
            found += of_pair(pairs[place], [(int(ends[row]), symbols[symbol], above)])
    tell_pairs(work, found, **start, **load, **run, version=vbt.__version__)


if __name__ == "__main__":
    main()

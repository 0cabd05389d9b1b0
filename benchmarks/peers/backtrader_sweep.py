"""backtrader: `optstrategy` over the pairs, its bars loaded once (`optdatas`), one process."""

from __future__ import annotations

from typing import Any

import backtrader as bt
from benchmarks.peers.backtrader import COLUMNS, EPOCH, ColumnsFeed
from benchmarks.peers.common import Crossings, job, read_with_pyarrow, settle
from benchmarks.peers.sweeps import Stopwatch, of_pair, start_facts, tell_pairs

FOUND: dict[tuple[int, int], Crossings] = {}


class EmaCross(bt.Strategy):
    """Watches the crossings of all symbols."""

    params = (("pair", (10, 20)),)

    def __init__(self) -> None:
        self.crossings = FOUND[self.p.pair] = Crossings()
        fast, slow = self.p.pair
        self.averages = [
            (symbol, feed, bt.ind.EMA(feed, period=fast), bt.ind.EMA(feed, period=slow))
            for symbol, feed in self.dnames.items()
        ]
        self.seen = dict.fromkeys(self.datas, 0)

    def next(self) -> None:
        for symbol, feed, fast, slow in self.averages:
            if len(feed) != self.seen[feed]:
                self.seen[feed] = len(feed)
                end_ns = round((feed.datetime[0] - EPOCH) * 86_400) * 1_000_000_000
                self.crossings.see(symbol, end_ns, fast[0], slow[0])


def main() -> None:
    """Load and run, tell: it loads within its run."""
    work = job()
    settle()
    start, watch = start_facts(), Stopwatch()
    cerebro = bt.Cerebro(stdstats=False)
    for symbol, columns in read_with_pyarrow(work, COLUMNS).items():
        feed = ColumnsFeed(columns=columns, timeframe=bt.TimeFrame.Minutes)
        add: Any = cerebro.resampledata
        add(feed, name=symbol, timeframe=bt.TimeFrame.Minutes, compression=work["minutes"])
    cerebro.optstrategy(EmaCross, pair=[tuple(pair) for pair in work["pairs"]])
    load = watch.facts("load")
    watch = Stopwatch()
    cerebro.run(maxcpus=1)
    run = watch.facts("run")
    found = [one for pair, crossings in FOUND.items() for one in of_pair(pair, crossings.found)]
    tell_pairs(work, found, **start, **load, **run, version=bt.__version__)


if __name__ == "__main__":
    main()

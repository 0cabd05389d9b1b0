"""backtrader: one feed a symbol, preloaded and vectorised where it can (`runonce`), its own EMA, `next` each bar."""

from __future__ import annotations

from typing import Any

import backtrader as bt
from benchmarks.peers.common import Crossings, clock, job, memory_mb, read_with_pyarrow, settle, tell

COLUMNS = ["open", "high", "low", "close", "volume"]
NS_PER_DAY = 86_400_000_000_000
EPOCH = 719_163  # 1970-01-01 as backtrader counts days


class ColumnsFeed(bt.feed.DataBase):
    """A feed from NumPy columns, faster than the pandas feed; bars are stamped with their close, as is the custom."""

    params = (("columns", None),)

    def start(self) -> None:
        super().start()
        columns = self.p.columns
        times = EPOCH + (columns["timestamp"] + 60_000_000_000) / NS_PER_DAY
        self._rows = zip(times.tolist(), *(columns[name].tolist() for name in COLUMNS), strict=True)

    def _load(self) -> bool:
        row = next(self._rows, None)
        if row is None:
            return False
        lines = self.lines
        lines.datetime[0], lines.open[0], lines.high[0], lines.low[0], lines.close[0], lines.volume[0] = row
        lines.openinterest[0] = 0.0
        return True


class EmaCross(bt.Strategy):
    """Watches the crossings of all symbols."""

    params = (("started", 0.0),)

    def __init__(self) -> None:
        self.crossings = Crossings()
        self.averages = [
            (symbol, feed, bt.ind.EMA(feed, period=10), bt.ind.EMA(feed, period=20))
            for symbol, feed in self.dnames.items()
        ]
        self.seen = dict.fromkeys(self.datas, 0)

    def start(self) -> None:
        """Called when all feeds are loaded: from here on it is the run."""
        self.load_s = clock() - self.p.started
        self.run_started = clock()

    def prenext(self) -> None:
        self.next()

    def next(self) -> None:
        for symbol, feed, fast, slow in self.averages:
            if len(feed) != self.seen[feed]:
                self.seen[feed] = len(feed)
                end_ns = round((feed.datetime[0] - EPOCH) * 86_400) * 1_000_000_000
                self.crossings.see(symbol, end_ns, fast[0], slow[0])

    def stop(self) -> None:
        self.run_s = clock() - self.run_started
        self.crossings.final = {symbol: (fast[0], slow[0]) for symbol, _, fast, slow in self.averages}


def main() -> None:
    """Load, run, tell."""
    work = job()
    settle()
    base_mb, started = memory_mb("VmRSS"), clock()
    cerebro = bt.Cerebro(stdstats=False)
    for symbol, columns in read_with_pyarrow(work, COLUMNS).items():
        feed = ColumnsFeed(columns=columns, timeframe=bt.TimeFrame.Minutes)
        add: Any = cerebro.adddata
        if work["minutes"] > 1:
            add = cerebro.resampledata
        sizes = {} if work["minutes"] == 1 else {"timeframe": bt.TimeFrame.Minutes, "compression": work["minutes"]}
        add(feed, name=symbol, **sizes)
    cerebro.addstrategy(EmaCross, started=started)
    strategy = cerebro.run()[0]
    facts = {"load_s": strategy.load_s, "run_s": strategy.run_s, "base_mb": base_mb, "version": bt.__version__}
    tell(work, strategy.crossings, **facts)


if __name__ == "__main__":
    main()

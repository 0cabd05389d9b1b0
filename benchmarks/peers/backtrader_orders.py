"""backtrader with orders: market orders on each cross, which fill at the next bar's open; equity once a bar time."""

from __future__ import annotations

from typing import Any

import backtrader as bt
from benchmarks.peers.backtrader import COLUMNS, EPOCH, ColumnsFeed
from benchmarks.peers.common import clock, job, memory_mb, read_with_pyarrow, settle
from benchmarks.peers.orders import CASH, FEE_PER_UNIT, Fill, Reversals, tell_orders

MINUTE_NS = 60_000_000_000


def _ns(number: float) -> int:
    """A time as backtrader counts it, in nanoseconds."""
    return round((number - EPOCH) * 86_400) * 1_000_000_000


class PerShare(bt.CommInfoBase):
    """Fees by units."""

    params = (("commission", FEE_PER_UNIT), ("stocklike", True), ("commtype", bt.CommInfoBase.COMM_FIXED))

    def _getcommission(self, size: float, price: float, pseudoexec: bool) -> float:  # noqa: ARG002  backtrader's
        return abs(size) * self.p.commission


class EmaReversals(bt.Strategy):
    """Is long while the fast average is above, and short while it is below."""

    params = (("started", 0.0), ("first_ns", 0), ("last_ns", 0))

    def __init__(self) -> None:
        self.rule = Reversals(self.p.first_ns, self.p.last_ns)
        self.averages = [
            (symbol, feed, bt.ind.EMA(feed, period=10), bt.ind.EMA(feed, period=20))
            for symbol, feed in self.dnames.items()
        ]
        self.seen = dict.fromkeys(self.datas, 0)
        self.fills: list[Fill] = []
        self.equity: list[float] = []
        self.fees = 0.0

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
                units = self.rule.order(symbol, _ns(feed.datetime[0]), fast[0], slow[0])
                if units:
                    (self.buy if units > 0 else self.sell)(data=feed, size=abs(units))
        self.equity.append(self.broker.getvalue())

    def notify_order(self, order: Any) -> None:
        if order.status == order.Completed:
            done = order.executed
            self.fees += done.comm
            # Its bars are stamped with their close; it filled at the open.
            self.fills.append((_ns(done.dt) - MINUTE_NS, order.data._name, done.size, done.price))  # noqa: SLF001

    def stop(self) -> None:
        self.run_s = clock() - self.run_started
        self.rule.final = {symbol: (fast[0], slow[0]) for symbol, _, fast, slow in self.averages}


def main() -> None:
    """Load, run, tell."""
    work = job()
    settle()
    base_mb, started = memory_mb("VmRSS"), clock()
    cerebro = bt.Cerebro(stdstats=False)
    for symbol, columns in read_with_pyarrow(work, COLUMNS).items():
        cerebro.adddata(ColumnsFeed(columns=columns, timeframe=bt.TimeFrame.Minutes), name=symbol)
    cerebro.addstrategy(EmaReversals, started=started, first_ns=work["settled_ns"], last_ns=work["end_ns"])
    cerebro.broker.setcash(CASH)
    cerebro.broker.addcommissioninfo(PerShare())
    strategy = cerebro.run()[0]
    facts = {"load_s": strategy.load_s, "run_s": strategy.run_s, "base_mb": base_mb, "peak_mb": memory_mb()}
    tell_orders(work, strategy.rule, strategy.fills, strategy.equity, strategy.fees, **facts, version=bt.__version__)


if __name__ == "__main__":
    main()

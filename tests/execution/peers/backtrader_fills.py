"""Fills of backtrader for `test_peers`, made in an environment of its own.

Run with a file of bars (timestamp in nanoseconds of the bar's begin, open, high, low, close, volume) and the file of
orders, which gets the fills:

    python backtrader_fills.py bars.csv backtrader.json
"""

from __future__ import annotations

import csv
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import backtrader as bt  # type: ignore[import-not-found]  # of the environment that it is run in


class Feed(bt.feed.DataBase):  # type: ignore[misc]  # untyped
    """The bars of a file, in order."""

    rows: list[list[float]]

    def start(self) -> None:
        super().start()
        self.at = 0

    def _load(self) -> bool:
        if self.at == len(self.rows):
            return False
        time_ns, *values = self.rows[self.at]
        self.at += 1
        self.lines.datetime[0] = bt.date2num(datetime.fromtimestamp(time_ns / 1e9, UTC).replace(tzinfo=None))
        for name, value in zip(("open", "high", "low", "close", "volume", "openinterest"), (*values, 0), strict=True):
            getattr(self.lines, name)[0] = value
        return True


class Orders(bt.Strategy):  # type: ignore[misc]  # untyped
    """Gives the orders of a list: after which bar, kind, units, price."""

    orders: list[list[Any]]
    rows: list[list[float]]

    def __init__(self) -> None:
        self.fills: list[list[float]] = []

    def notify_order(self, order: Any) -> None:
        if order.status == order.Completed:
            self.fills.append([int(self.rows[len(self) - 1][0]), order.executed.size, round(order.executed.price, 9)])

    def next(self) -> None:
        for after, kind, units, price in self.orders:
            if after == len(self) - 1:
                give = self.buy if units > 0 else self.sell
                types = {"market": bt.Order.Market, "limit": bt.Order.Limit, "stop": bt.Order.Stop}
                give(size=abs(units), exectype=types[kind], price=price)


def main(bars: Path, target: Path) -> None:
    with bars.open() as file:
        rows = [[int(row[0]), *map(float, row[1:])] for row in csv.reader(file)]
    told = json.loads(target.read_text())
    Feed.rows = Orders.rows = rows
    Orders.orders = told["orders"]
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.broker.setcash(told["cash"])
    cerebro.adddata(Feed())
    cerebro.addstrategy(Orders)
    (strategy,) = cerebro.run()
    told |= {"engine": f"backtrader {bt.__version__}", "fills": strategy.fills, "equity": cerebro.broker.getvalue()}
    lists = {key: "[\n" + ",\n".join(json.dumps(row) for row in told[key]) + "\n]" for key in ("orders", "fills")}
    rest = {key: json.dumps(value) for key, value in told.items() if key not in lists}
    target.write_text("{" + ",\n".join(f'"{key}": {text}' for key, text in (rest | lists).items()) + "}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

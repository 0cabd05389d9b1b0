"""The strategies of the mid-session workload: one adds symbols while it runs, one notes when its bars come."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from benchmarks.peers.common import clock

from openbell.components.strategy import Strategy
from openbell.config import IndicatorConfig

if TYPE_CHECKING:
    from openbell.model.bars import Bar

SMA = IndicatorConfig("sma", period=20, interval="5m")
OPERATIONS = {
    "add_indicator": lambda context, symbol: context.add_indicator(symbol, SMA),
    "add_bar": lambda context, symbol: context.add_bar(symbol, "5m", days=2),
    "add_symbol": lambda context, symbol: context.add_symbol(symbol),
}
PAUSE_S = 0.0005


class Adder(Strategy):
    """Adds one symbol a minute to what it watches, and notes how long that took."""

    operation = ""
    pending: ClassVar[list[str]] = []
    took_ms: ClassVar[list[float]] = []

    def subscriptions(self) -> list[tuple[str, str]]:
        return [(self.config["watched"][0], "1m")]

    def on_bar(self, bar: Bar) -> None:
        # From 09:45 on, so that there is a morning to catch up with.
        if self.pending and bar.end >= self.context.session.open_ns + 900_000_000_000:
            symbol = self.pending.pop()
            started = clock()
            done = OPERATIONS[self.operation](self.context, symbol)
            self.took_ms.append((clock() - started) * 1000)
            assert done, symbol


class Watcher(Strategy):
    """Notes when its bars come, at a pace that leaves another thread its turn."""

    seen: ClassVar[list[float]] = []
    adder: ClassVar[Any] = None

    def subscriptions(self) -> list[tuple[str, str]]:
        return [(symbol, "1m") for symbol in self.config["watched"]]

    def on_bar(self, _bar: Bar) -> None:
        if not self.seen:
            type(self).adder(self.context)
        self.seen.append(clock())
        time.sleep(PAUSE_S)

"""The strategies of the benchmarks that trade, as a user of openbell writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.orders import Reversals
from benchmarks.strategies import EmaCross

from openbell.components.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openbell.model.bars import Bar

rule = Reversals(0, 0)
"""Across days: openbell makes a new strategy for each."""


class EmaReversals(EmaCross):
    """Is long while the fast average is above, and short while it is below."""

    def setup(self) -> None:
        rule.first_ns, rule.last_ns = self.config["from_ns"], self.config["to_ns"]
        super().setup()

    def on_bar(self, bar: Bar) -> None:
        fast, slow = self.averages[bar.symbol]
        units = rule.order(bar.symbol, bar.end, fast.value, slow.value)
        if units:
            self.context.order(bar.symbol, units)


class RestingLimits(Strategy):
    """Rests limit orders far below the market, which nobody fills."""

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        return [(symbol, "1m") for symbol in self.context.symbols]

    def on_bar(self, bar: Bar) -> None:
        each = self.config["orders"] // len(self.context.symbols)
        if self.state.setdefault("placed", {}).get(bar.symbol):
            return
        self.state["placed"] = {**self.state["placed"], bar.symbol: True}
        for number in range(each):
            self.context.order(bar.symbol, 1, limit=round(1 + number / each, 4), tif="gtc")

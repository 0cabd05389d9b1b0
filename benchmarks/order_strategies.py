"""The strategies of the benchmarks that trade, as a user of openbell writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.orders import Reversals

from openbell.components.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openbell.model.bars import Bar
    from openbell.session.cross_section import CrossSection

rule = Reversals(0, 0)
"""Across days: openbell makes a new strategy for each."""


class EmaReversals(Strategy):
    """Is long while the fast average is above, and short while it is below.

    It hears of all symbols at once, as the strategies of backtrader and zipline do, and compares the columns of their
    averages.
    """

    def setup(self) -> None:
        rule.first_ns, rule.last_ns = self.config["from_ns"], self.config["to_ns"]
        self.fast, self.slow = (f"ema_{period}_{self.config['interval']}" for period in (10, 20))

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        return [(symbol, self.config["interval"]) for symbol in self.context.symbols]

    def on_slice(self, bars: CrossSection) -> None:
        fast, slow, symbols = bars.indicator(self.fast), bars.indicator(self.slow), bars.symbols
        for place in rule.crossed(symbols, fast > slow):
            units = rule.order(symbols[place], bars.end, fast.item(place), slow.item(place))
            if units:
                self.context.order(symbols[place], units)


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

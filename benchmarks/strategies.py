"""The strategies of the benchmarks, as a user of openbell writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.common import Crossings
from openbell.strategies import Strategy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openbell.bars import Bar

crossings = Crossings()
"""Across days: openbell makes a new strategy for each."""


class EmaCross(Strategy):
    """Watches the crossings of EMA(10) and EMA(20), which the config gives to all symbols."""

    def setup(self) -> None:
        self.interval = self.config["interval"]
        self.fast, self.slow = f"ema_10_{self.interval}", f"ema_20_{self.interval}"

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        return [(symbol, self.interval) for symbol in self.context.symbols]

    def on_bar(self, bar: Bar) -> None:
        read = self.context.indicator
        crossings.see(bar.symbol, bar.end, read(bar.symbol, self.fast).value, read(bar.symbol, self.slow).value)

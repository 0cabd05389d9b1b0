"""The strategies of the benchmarks, as a user of openbell writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.common import Crossings, Leaders

from openbell.components.scanner import Scanner
from openbell.components.strategy import Signal, Strategy
from openbell.config import IndicatorConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openbell.model.bars import Bar
    from openbell.session import IndicatorData
    from openbell.session.cross_section import CrossSection

leaders = Leaders()
crossings = Crossings()
"""Across days: openbell makes a new strategy for each."""


class EmaCross(Strategy):
    """Watches the crossings of EMA(10) and EMA(20), which the config gives to all symbols."""

    def setup(self) -> None:
        self.interval = self.config["interval"]
        self.averages: dict[str, tuple[IndicatorData, IndicatorData]] = {}
        for symbol in self.context.symbols:
            self.on_symbol_added(symbol)

    def on_symbol_added(self, symbol: str) -> None:
        read = self.context.indicator
        self.averages[symbol] = read(symbol, f"ema_10_{self.interval}"), read(symbol, f"ema_20_{self.interval}")

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        return [(symbol, self.interval) for symbol in self.context.symbols]

    def on_bar(self, bar: Bar) -> None:
        fast, slow = self.averages[bar.symbol]
        crossings.see(bar.symbol, bar.end, fast.value, slow.value)


WIDE = {"ema": "ema_10", "sma": "sma_20", "rsi": "rsi_14", "atr": "atr_14", "roc": "roc_10"}
"""The indicators of the wide workload by name, each on 5m and on 15m."""


class LeadersStrategy(Strategy):
    """Looks across all symbols once a bar time."""

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        return [(symbol, interval) for interval in ("5m", "15m") for symbol in self.context.symbols]

    def on_slice(self, bars: CrossSection) -> None:
        values = {name: bars.indicator(f"{key}_{bars.interval}") for name, key in WIDE.items()}
        leaders.look(bars.end, bars.interval, bars.symbols, bars.close, values)


class RangeScanner(Scanner):
    """Keeps the symbols with the widest daily range in proportion to their price, and drops the rest."""

    def setup(self) -> None:
        daily = [IndicatorConfig("sma", period=20, interval="1d"), IndicatorConfig("atr", period=14, interval="1d")]
        self.context.add_indicators(self.context.universe, daily)

    def scan(self) -> list[str]:
        read = self.context.indicator
        universe = self.context.universe
        width = {symbol: read(symbol, "atr_14_1d").value / read(symbol, "sma_20_1d").value for symbol in universe}
        keep = sorted(width, key=width.__getitem__, reverse=True)[: self.config["keep"]]
        self.context.add_symbols(keep)
        kept = set(keep)
        self.context.remove_symbols(symbol for symbol in universe if symbol not in kept)
        leaders.callbacks = len(universe)
        leaders.final = {symbol: (width[symbol], 0.0) for symbol in keep}
        return keep


class PairSignals(Strategy):
    """Signals on which side of the slow average the fast one is, whenever that changes; the config gives both to all.

    It looks at all symbols of a time at once.
    """

    def setup(self) -> None:
        self.keys = [f"ema_{self.config[name]}_5m" for name in ("fast", "slow")]
        self.above = {
            symbol: self.is_above(*(self.context.indicator(symbol, key).value for key in self.keys))
            for symbol in self.context.symbols
        }

    @staticmethod
    def is_above(fast: object, slow: object) -> bool | None:
        """The side, None before both are known."""
        return fast > slow if isinstance(fast, float) and isinstance(slow, float) else None

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        return [(symbol, "5m") for symbol in self.context.symbols]

    def on_slice(self, bars: CrossSection) -> list[Signal]:
        fast, slow = (bars.indicator(key) for key in self.keys)
        found = []
        for symbol, above in zip(bars.symbols, (fast > slow).tolist(), strict=True):
            if self.above[symbol] is not above:
                self.above[symbol] = above
                found.append(Signal(symbol, "BUY" if above else "SELL"))
        return found

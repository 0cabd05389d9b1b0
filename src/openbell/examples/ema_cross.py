"""Example of a strategy that trades crossings of two moving averages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.components.strategy import Signal, Strategy
from openbell.config import IndicatorConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openbell.model.bars import Bar

__all__ = ["EmaCross"]


class EmaCross(Strategy):
    """Signals BUY when the fast EMA crosses above the slow one, and SELL when it crosses below.

    Config:
        fast: Bars of the fast EMA; 10 by default.
        slow: Bars of the slow EMA; 20 by default.
        interval: The interval; 5m by default.
    """

    def setup(self) -> None:
        """Give every symbol both averages."""
        self._interval = str(self.config.get("interval", "5m"))
        self._averages = [
            IndicatorConfig("ema", period=int(self.config.get(name, default)), interval=self._interval)
            for name, default in (("fast", 10), ("slow", 20))
        ]
        self._fast, self._slow = (f"ema_{average.period}_{self._interval}" for average in self._averages)
        self._above: dict[str, bool] = {}
        self._follow(self.context.symbols)

    def on_symbol_added(self, symbol: str) -> None:
        """Give a symbol both averages, and note on which side the fast one is before its next bar."""
        self._follow([symbol])

    def _follow(self, symbols: Iterable[str]) -> None:
        for symbol, added in self.context.add_indicators(symbols, self._averages).items():
            if added:
                self._crossed(symbol)

    def on_symbol_removed(self, symbol: str) -> None:
        """Remove the averages, and forget on which side the fast one was."""
        self.context.remove_symbol(symbol)
        self._above.pop(symbol, None)

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        """Subscribe to all full symbols."""
        return [(symbol, self._interval) for symbol in self.context.symbols]

    def on_bar(self, bar: Bar) -> Signal | None:
        """Signal when the fast average has changed sides."""
        side = self._crossed(bar.symbol)
        if side is None:
            return None
        return Signal(bar.symbol, "BUY" if side == "above" else "SELL", f"{self._fast} crossed {side} {self._slow}")

    def _crossed(self, symbol: str) -> str | None:
        """Return the side that the fast average has just changed to, "above" or "below"."""
        fast = self.context.indicator(symbol, self._fast).value
        slow = self.context.indicator(symbol, self._slow).value
        if not (isinstance(fast, float) and isinstance(slow, float)):
            return None
        above = fast > slow
        was_above = self._above.get(symbol, above)
        self._above[symbol] = above
        return None if above == was_above else "above" if above else "below"

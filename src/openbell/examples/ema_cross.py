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
        fast: Period of the fast EMA in bars; 10 by default.
        slow: Period of the slow EMA in bars; 20 by default.
        interval: Interval of the bars; 5m by default.
    """

    def setup(self) -> None:
        """Add both averages to every symbol."""
        self._interval = str(self.config.get("interval", "5m"))
        self._averages = [
            IndicatorConfig("ema", period=int(self.config.get(name, default)), interval=self._interval)
            for name, default in (("fast", 10), ("slow", 20))
        ]
        self._fast, self._slow = (f"ema_{average.period}_{self._interval}" for average in self._averages)
        self._above: dict[str, bool] = {}
        self._follow(self.context.symbols)

    def on_symbol_added(self, symbol: str) -> None:
        """Add both averages to a symbol, and note on which side of the slow one the fast one is."""
        self._follow([symbol])

    def _follow(self, symbols: Iterable[str]) -> None:
        for symbol, added in self.context.add_indicators(symbols, self._averages).items():
            if added:
                self._crossed(symbol)

    def on_symbol_removed(self, symbol: str) -> None:
        """Release the symbol, and forget on which side the fast average was."""
        self.context.remove_symbol(symbol)
        self._above.pop(symbol, None)

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        """Subscribe to the bars of all full symbols."""
        return [(symbol, self._interval) for symbol in self.context.symbols]

    def on_bar(self, bar: Bar) -> Signal | None:
        """Return a signal when the fast average has crossed the slow one."""
        side = self._crossed(bar.symbol)
        if side is None:
            return None
        return Signal(bar.symbol, "BUY" if side == "above" else "SELL", f"{self._fast} crossed {side} {self._slow}")

    def _crossed(self, symbol: str) -> str | None:
        """Return the side that the fast average has just changed to, "above" or "below", else None."""
        fast = self.context.indicator(symbol, self._fast).value
        slow = self.context.indicator(symbol, self._slow).value
        if not (isinstance(fast, float) and isinstance(slow, float)):
            return None
        above = fast > slow
        was_above = self._above.get(symbol, above)
        self._above[symbol] = above
        return None if above == was_above else "above" if above else "below"

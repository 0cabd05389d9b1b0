"""An example of a strategy: signals when a fast moving average crosses a slow one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.config import IndicatorConfig
from openbell.strategies.base import Signal, Strategy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openbell.bars import Bar

__all__ = ["EmaCross"]


class EmaCross(Strategy):
    """Signals BUY when the fast EMA crosses above the slow one, SELL when it crosses below.

    Config:
        fast: Bars of the fast EMA; 10 by default.
        slow: Bars of the slow EMA; 20 by default.
        interval: The interval; 5m by default.
    """

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        """The bars of all full symbols."""
        return [(symbol, self._interval) for symbol in self.context.symbols]

    def setup(self) -> None:
        """Give every symbol both averages."""
        self._above: dict[str, bool] = {}
        for symbol in self.context.symbols:
            self.on_symbol_added(symbol)

    def on_symbol_added(self, symbol: str) -> None:
        """Give a new symbol both averages, too."""
        for period in (self._fast, self._slow):
            self.context.add_indicator(symbol, IndicatorConfig("ema", period=period, interval=self._interval))

    def on_bar(self, bar: Bar) -> Signal | None:
        """Compare the side that the fast average is on with the one where it was."""
        fast = self.context.indicator(bar.symbol, f"ema_{self._fast}_{self._interval}").value
        slow = self.context.indicator(bar.symbol, f"ema_{self._slow}_{self._interval}").value
        if not isinstance(fast, float) or not isinstance(slow, float):
            return None
        above = fast > slow
        was_above = self._above.get(bar.symbol, above)
        self._above[bar.symbol] = above
        if above == was_above:
            return None
        side = "above" if above else "below"
        return Signal(bar.symbol, "BUY" if above else "SELL", f"ema {self._fast} crossed {side} ema {self._slow}")

    @property
    def _fast(self) -> int:
        return int(self.config.get("fast", 10))

    @property
    def _slow(self) -> int:
        return int(self.config.get("slow", 20))

    @property
    def _interval(self) -> str:
        return str(self.config.get("interval", "5m"))

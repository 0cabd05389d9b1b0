"""Example of a scanner that finds gaps between yesterday's close and the open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.components.scanner import Scanner
from openbell.config import IndicatorConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Gap"]


class Gap(Scanner):
    """Adds the symbols of its universe with the widest gaps at the open to the session.

    Config:
        min_percent: The smallest gap to add a symbol for, in percent of yesterday's close; 1 by default.
        most: How many symbols to add at the most; 5 by default.
        interval: The interval of the bars that the gap is computed from; 1m by default.

    A gap is known from the close of a symbol's first bar on: a scan before the open finds nothing.
    """

    def setup(self) -> None:
        """Add the indicator of gaps to every symbol of the universe."""
        self._min_percent = self.config.get("min_percent", 1)
        self._most = self.config.get("most", 5)
        self._indicator = IndicatorConfig("gap", interval=self.config.get("interval", "1m"))
        done = self.context.add_indicators(self.context.universe, [self._indicator])
        self._watched = [symbol for symbol, ok in done.items() if ok]
        self._found: list[str] = []

    def scan(self) -> Iterable[str]:
        """Add the symbols whose gap is wide enough, and release the others whose gap is known."""
        # Before a symbol's first bar of today its gap is not known: it stays watched until a later scan.
        widths = {s: abs(value) for s in self._watched if (value := self._gap_percent(s)) is not None}
        wide = [s for s in sorted(widths, key=lambda s: (-widths[s], s)) if widths[s] >= self._min_percent]
        wanted = wide[: self._most - len(self._found)]
        new = [s for s, ok in self.context.add_symbols(wanted).items() if ok]
        self.context.remove_symbols(s for s in widths if s not in new)
        self._watched = [s for s in self._watched if s not in widths]
        self._found += new
        return new

    def _gap_percent(self, symbol: str) -> float | None:
        value = self.context.indicator(symbol, f"gap_{self._indicator.interval}").value
        return value if isinstance(value, float) else None

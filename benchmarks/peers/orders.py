"""What the scripts of the workload with orders share: the rule, its numbers, and the fills that they hand in.

Runs in each peer's own environment: only the standard library.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.peers.common import Crossings, tell

CASH = 10_000_000.0
UNITS = 10
"""Few, so that no engine splits an order over bars for want of volume."""
FEE_PER_UNIT = 0.01


class Reversals(Crossings):
    """The rule, the same for all engines: long while the fast average is above, short while it is below.

    Args:
        first_ns: Crossings before this time are not traded, so that no average remembers how it was started.
        last_ns: Nor are those of the last bar, after which there is no open to fill at.
    """

    def __init__(self, first_ns: int, last_ns: int) -> None:
        super().__init__()
        self.first_ns, self.last_ns = first_ns, last_ns
        self.held: dict[str, int] = {}
        self._before: tuple[list[str], Any] = [], None

    def crossed(self, symbols: list[str], above: Any) -> list[int]:
        """Called once a time by engines that have averages as columns: the places of symbols that `order` is asked of.

        Args:
            symbols: The symbols that have a bar at this time.
            above: For each of them, whether its fast average is above (a NumPy array of bool).
        """
        (known, before), self._before = self._before, (symbols, above)
        if symbols != known:
            return list(range(len(symbols)))
        places: list[int] = (above != before).nonzero()[0].tolist()
        self.callbacks += len(symbols) - len(places)
        return places

    def order(self, symbol: str, end_ns: int, fast: float, slow: float) -> int:
        """Called once a bar that `crossed` has not ruled out: units to buy, below zero to sell, mostly none."""
        self.callbacks += 1
        above = fast > slow
        if self.above.get(symbol) is above:
            return 0
        first = symbol not in self.above
        self.above[symbol] = above
        if first or not self.first_ns <= end_ns < self.last_ns:
            return 0
        self.found.append((end_ns, symbol, above))
        target = UNITS if above else -UNITS
        units = target - self.held.get(symbol, 0)
        self.held[symbol] = target
        return units


Fill = tuple[int, str, float, float]
"""A fill: begin of the bar at whose open it filled, or end of the one at whose close; symbol, signed units, price."""


def tell_orders(
    job: dict[str, Any], rule: Reversals, fills: list[Fill], equity: list[float], fees: float, **facts: Any
) -> None:
    """Print the facts as one JSON line, and hand in the fills."""
    found = sorted((int(ns), str(symbol), float(units), round(float(price), 6)) for ns, symbol, units, price in fills)
    Path(job["fills"]).write_text(json.dumps(found))
    facts |= {"fills_count": len(found), "fees": fees, "equity": equity[-1], "equity_points": len(equity)}
    tell(job, rule, **facts)

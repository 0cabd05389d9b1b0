"""Time that additions to a live session take which its feed answers at once, within the call of ``add_symbol``.

``python -m benchmarks.live_additions [SYMBOLS] [ADDITIONS]``: a session of made-up 1m bars with 5m and 15m derived and
ten indicators of each symbol. From 10:00 on a strategy adds a symbol a minute, whose server answers at once: with two
days before and the morning. What others' bars wait for additions that are answered later: `live_waits.py`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from benchmarks.made_feed import clocks, play

from openbell.components.strategy import Strategy

if TYPE_CHECKING:
    from openbell.session.cross_section import CrossSection

FIRST_MINUTE = 30


class Adds(Strategy):
    """Adds symbols, one a minute, and notes how long each takes until its bars and indicators can be read."""

    pending: ClassVar[list[str]] = []
    took: ClassVar[list[tuple[float, float]]] = []

    def subscriptions(self) -> list[tuple[str, str]]:
        return [(symbol, "1m") for symbol in self.config["watched"]]

    def on_slice(self, bars: CrossSection) -> None:
        bars.close.max()
        minute = (bars.end - self.context.session.open_ns) // 60_000_000_000
        if minute >= FIRST_MINUTE and self.pending:
            symbol, begun = self.pending.pop(), clocks()
            assert self.context.add_symbol(symbol), symbol
            series = self.context.session_data.get_bars(symbol, "1m")
            assert series.end[-1] == bars.end, symbol
            self.took.append(tuple(np.subtract(clocks(), begun)))


def measure(symbols: int, additions: int) -> list[tuple[float, float]]:
    """Play a session with additions, and return how long each took."""
    from benchmarks.live_additions import Adds as Loaded  # the class that the engine loads

    Loaded.pending[:] = [f"A{n:04d}" for n in range(additions)]
    watched = [f"S{n:04d}" for n in range(symbols)]
    parts = {"strategies": [{"module": "benchmarks.live_additions:Adds", "config": {"watched": watched}}]}
    play(watched, FIRST_MINUTE + additions + 5, parts)
    return Loaded.took


def tell(what: str, seconds: np.ndarray) -> None:
    """Print percentiles of columns of wall and processor time."""
    for name, column in zip(("wall", "processor"), np.asarray(seconds).T * 1000, strict=True):
        low, high, highest = np.percentile(column, [50, 99, 100])
        print(f"{what:24} {name:9} median {low:7.2f} ms, p99 {high:7.2f} ms, most {highest:7.2f} ms")


def main(symbols: int = 100, additions: int = 200) -> None:
    took = measure(symbols, additions)
    print(f"{symbols} symbols, {len(took)} additions")
    tell("an addition", took)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

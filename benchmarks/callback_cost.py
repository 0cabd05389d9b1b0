"""What a callback costs in Python before any engine does anything: the floor under the first two workloads.

Each rung adds one thing that a strategy of openbell gets and a bare loop over columns does not have.

python -m benchmarks.callback_cost
"""

from __future__ import annotations

from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
from benchmarks.peers.common import Crossings, clock

from openbell.model.bars import Bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BARS, SYMBOLS, REPEATS = 390, 20, 15


class Value:
    """Something whose value is a property that looks up where the clock is, as an indicator's must be."""

    __slots__ = ("at", "column")

    def __init__(self, column: np.ndarray) -> None:
        self.column, self.at = column.data, [0]

    @property
    def value(self) -> float | None:
        number = self.column[self.at[0]]
        return number if number - number == 0.0 else None


class Strategy:
    """The benchmarks' rule as a strategy."""

    def __init__(self, averages: dict[str, tuple[Value, Value]]) -> None:
        self.averages, self.crossings = averages, Crossings()

    def nothing(self, bar: Bar) -> None:
        """A strategy that does nothing."""

    def on_bar(self, bar: Bar) -> None:
        """As in `strategies.EmaCross`."""
        fast, slow = self.averages[bar.symbol]
        self.crossings.see(bar.symbol, bar.end, fast.value, slow.value)


def made_bars(symbol: str, times: list[int], columns: list[np.ndarray]) -> Iterator[Bar]:
    """A named tuple for each bar, without its Python-level constructor."""
    fields = zip(repeat(symbol), repeat("1m"), times, times, *(c.data for c in columns), repeat(1), strict=False)
    return map(partial(tuple.__new__, Bar), fields)


def calls_only(names: list[str], times: list[int], prices: dict[str, list[np.ndarray]]) -> None:
    """The rule, called with numbers that are there."""
    see = Crossings().see
    for end, row in zip(times, zip(*(prices[name][0].tolist() for name in names), strict=True), strict=True):
        for name, price in zip(names, row, strict=True):
            see(name, end, price, 100.0)


def with_bars(
    names: list[str], times: list[int], prices: dict[str, list[np.ndarray]], callback: Callable[[Bar], Any]
) -> None:
    """A bar object for each callback."""
    for row in zip(*(made_bars(name, times, prices[name]) for name in names), strict=True):
        for bar in row:
            callback(bar)


def main() -> None:
    """Print the rungs, each the best of several, in nanoseconds a callback."""
    rng = np.random.default_rng(1)
    names = [f"S{n:02}" for n in range(SYMBOLS)]
    times = [1_380_000_000_000_000_000 + 60_000_000_000 * n for n in range(BARS)]
    prices = {name: [100 + rng.normal(size=BARS).cumsum() for _ in range(5)] for name in names}
    strategy = Strategy({name: (Value(columns[0]), Value(columns[1])) for name, columns in prices.items()})
    rungs = {
        "the rule, called by a loop": lambda: calls_only(names, times, prices),
        "a bar object, given to a method that does nothing": lambda: with_bars(names, times, prices, strategy.nothing),
        "a bar object, two values read, and the rule": lambda: with_bars(names, times, prices, strategy.on_bar),
    }
    for what, run in rungs.items():
        best = min(_seconds(run) for _ in range(REPEATS))
        print(f"{best / BARS / SYMBOLS * 1e9:5.0f} ns  {what}")


def _seconds(run: Callable[[], None]) -> float:
    started = clock()
    run()
    return clock() - started


if __name__ == "__main__":
    main()

"""NautilusTrader: a loop over runs of one engine with its bars, `reset` and a new strategy for each pair."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from benchmarks.peers import nautilus
from benchmarks.peers.common import job, settle
from benchmarks.peers.nautilus import VENUE, loaded_engine
from benchmarks.peers.sweeps import Found, Stopwatch, of_pair, start_facts, tell_pairs
from nautilus_trader.indicators import ExponentialMovingAverage
from nautilus_trader.model.data import BarType


class EmaCross(nautilus.EmaCross):
    """Watches the crossings of one pair of averages."""

    def __init__(self, symbols: list[str], minutes: int, pair: tuple[int, int]) -> None:
        super().__init__(symbols, minutes)
        self.pair = pair

    def on_start(self) -> None:
        for symbol in self.symbols:
            bar_type = BarType.from_str(f"{symbol}.{VENUE}-{self.minutes}-MINUTE-LAST-INTERNAL@1-MINUTE-EXTERNAL")
            averages: list[Any] = [ExponentialMovingAverage(period) for period in self.pair]
            for average in averages:
                self.register_indicator_for_bars(bar_type, average)
            self.averages[bar_type.standard()] = (symbol, *averages)
            self.subscribe_bars(bar_type)


def main() -> None:
    """Load, run, tell."""
    work = job()
    settle()
    start, watch = start_facts(), Stopwatch()
    engine = loaded_engine(work)
    load = watch.facts("load")
    watch, found = Stopwatch(), list[Found]()
    for pair in work["pairs"]:
        strategy = EmaCross(work["symbols"], work["minutes"], tuple(pair))
        engine.add_strategy(strategy)
        engine.run(end=work["end_ns"] + 1_000_000_000)
        found.append(of_pair(tuple(pair), strategy.crossings.found))
        engine.reset()
        engine.clear_strategies()
    run = watch.facts("run")
    tell_pairs(work, [one for of in found for one in of], **start, **load, **run, version=version("nautilus_trader"))


if __name__ == "__main__":
    main()

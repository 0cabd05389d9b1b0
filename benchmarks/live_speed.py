"""Time from the arrival of a minute's last bar to the end of the strategy's ``on_slice``, in a live session.

``python -m benchmarks.live_speed [SYMBOLS] [MINUTES]`` takes made-up 1m bars of so many symbols that arrive together,
with 5m and 15m derived and ten indicators each, and prints percentiles by wall time and by processor time. With
``--nautilus`` it plays the same beside NautilusTrader's live engine, in turns; see `peers/nautilus_live.py`.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from benchmarks.environments import ROOT, python_of
from benchmarks.made_feed import clocks, play

from openbell.components.strategy import Strategy

if TYPE_CHECKING:
    from openbell.session.cross_section import CrossSection

Clocks = tuple[float, float]
ROUNDS = 3


class Timed(Strategy):
    """Reads a column of bars and one of an indicator, and notes when it has."""

    ends: ClassVar[dict[int, Clocks]] = {}

    def subscriptions(self) -> list[tuple[str, str]]:
        return [(symbol, interval) for symbol in self.context.symbols for interval in ("1m", "5m", "15m")]

    def on_slice(self, bars: CrossSection) -> None:
        if bars.interval == "1m":
            bars.close.max()
            bars.indicator("rsi_14_1m").max()
        self.ends[bars.end] = clocks()


def measure(symbols: int, minutes: int) -> dict[str, object]:
    """Return seconds by the wall and of the processor, from each minute's first and last bar on, and the memory."""
    from benchmarks.live_speed import Timed as Noted  # the class that the engine loads

    names = [f"S{n:04d}" for n in range(symbols)]
    feed = play(names, minutes, {"strategies": [{"module": "benchmarks.live_speed:Timed"}]})
    took = {
        name: [tuple(np.subtract(Noted.ends[t], begins[t])) for t in begins if t in Noted.ends]
        for name, begins in (("first", feed.firsts), ("last", feed.begins))
    }
    return {**took, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


def tell(what: str, seconds: list[Clocks]) -> None:
    for name, column in zip(("wall", "processor"), np.array(seconds).T * 1000, strict=True):
        low, high, highest = np.percentile(column, [50, 99, 100])
        print(
            f"  {what:20} {name:9} mean {column.mean():7.1f} median {low:7.1f} p99 {high:7.1f} most {highest:7.1f} ms"
        )


def beside_nautilus(symbols: int, minutes: int) -> None:
    """Play both engines in turns, and print the ratios of each one's fastest round."""
    fastest: dict[str, np.ndarray] = {}
    for _ in range(ROUNDS):
        for engine, python, module in (
            ("openbell", sys.executable, "benchmarks.live_speed"),
            ("NautilusTrader", python_of("nautilus"), "benchmarks.peers.nautilus_live"),
        ):
            command = [python, "-m", module, str(symbols), str(minutes), *(["--json"] if engine == "openbell" else [])]
            done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
            told = json.loads(done.stdout.splitlines()[-1])
            took = told["first" if engine == "openbell" else "took"]
            print(f"{engine}, {told['mb']} MB")
            tell("first bar to the end", took)
            column = np.array(took)[:, 1]
            if engine not in fastest or column.sum() < fastest[engine].sum():
                fastest[engine] = column
    own, other = fastest["openbell"], fastest["NautilusTrader"]
    print("processor time, openbell to NautilusTrader, the fastest round of each:")
    for name, ratio in (("mean", own.mean() / other.mean()), ("median", np.median(own) / np.median(other))):
        print(f"  {name} {ratio:.2f} x")
    print(f"  p99 {np.percentile(own, 99) / np.percentile(other, 99):.2f} x")


def main(*words: str) -> None:
    numbers = [int(word) for word in words if word.isdecimal()]
    symbols, minutes = (*numbers, *(500, 60)[len(numbers) :])
    if "--nautilus" in words:
        beside_nautilus(symbols, minutes)
        return
    told = measure(symbols, minutes)
    if "--json" in words:
        print(json.dumps(told))
        return
    print(f"{symbols} symbols, {len(told['last'])} minutes, {told['mb']} MB")
    tell("last bar to the end", told["last"])


if __name__ == "__main__":
    main(*sys.argv[1:])

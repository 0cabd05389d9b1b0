"""The grid of pairs through other engines, whose crossings must agree before anything is compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import talib
from benchmarks import engines
from benchmarks.agreement import CROSSINGS
from benchmarks.peers.floor import derived, read

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.workloads import Workload

ASKED = {"nautilus": 25.0, "backtrader": 60.0, "vectorbt": 12.0}
FEW = {"nautilus": 2, "backtrader": 2}
"""How many pairs the slow ones run; all are reckoned from these in proportion, start and loading counted once."""
SETTLED_DAYS = 15
"""From so many days on, no average remembers how it was started."""

Crossing = tuple[int, str, bool]
Pair = tuple[int, int]
Crossings = dict[Pair, set[Crossing]]


@dataclass(frozen=True)
class Peer:
    """What another engine took for all pairs, and whether it found the same.

    Attributes:
        name: The engine.
        version: Its version.
        seconds: Of the wall, of the whole process: its start and loading included.
        cpu: Of the processor, likewise.
        start: Of the wall, what it took to start, with its imports and what it compiles.
        asked: How many times as fast openbell is to be, or as slow at the most.
        agreement: How many crossings lie elsewhere than by NumPy and TA-Lib.
    """

    name: str
    version: str
    seconds: float
    cpu: float
    start: float
    asked: float
    agreement: str


def compared(work: Workload, pairs: list[Pair], sweep: Path) -> list[Peer]:
    """Run the peers on the grid that a sweep has run.

    Raises:
        RuntimeError: An engine failed, or its crossings are others.
    """
    job = work.job()
    settled_ns = int(job["first_ns"]) + SETTLED_DAYS * 86_400_000_000_000
    reference = crossings_of(job, pairs)
    print("openbell:", agreement("openbell", signals_of(sweep), reference, settled_ns))
    found = []
    for name, asked in ASKED.items():
        few = pairs[9 :: len(pairs) // FEW[name]] if name in FEW else pairs
        told = engines.run(name, {**job, "pairs": few}, "_sweep")
        if "failed" in told:
            raise RuntimeError(f"{name}: {told['failed']}")
        share = len(pairs) / len(few)
        seconds, cpu = (
            told[f"start{kind}"] + told[f"load{kind}"] + share * told[f"run{kind}"] for kind in ("_s", "_cpu_s")
        )
        agrees = agreement(name, told_crossings(told, few), reference, settled_ns)
        reckoned = f", reckoned from {len(few)} pairs" if share > 1 else ""
        found.append(Peer(name, told["version"], seconds, cpu, told["start_s"], asked, agrees + reckoned))
    return found


def crossings_of(job: dict[str, Any], pairs: list[Pair]) -> Crossings:
    """The crossings by bare NumPy and TA-Lib."""
    width_ns = job["minutes"] * 60_000_000_000
    found: Crossings = {pair: set() for pair in pairs}
    for symbol, columns in read(job).items():
        bars = derived(columns, job["minutes"])
        averages = {period: talib.EMA(bars["close"], period) for period in {n for pair in pairs for n in pair}}
        for fast, slow in pairs:
            above = averages[fast] > averages[slow]
            rows = np.flatnonzero(above[1:] != above[:-1]) + 1
            ends = (bars["timestamp"][rows] + width_ns).tolist()
            found[fast, slow].update(zip(ends, [symbol] * len(rows), above[rows].tolist(), strict=True))
    return found


def signals_of(folder: Path) -> Crossings:
    """The signals of the points of a sweep, by pair."""
    found: Crossings = {}
    for row in pl.read_parquet(folder / "points.parquet").iter_rows(named=True):
        signals = pl.read_parquet(folder / "points" / row["run"] / "signals.parquet")
        ends = signals["time"].cast(pl.Datetime("ns", "UTC")).to_physical().to_list()
        sides = (signals["action"] == "BUY").to_list()
        pair = row["strategies.0.config.fast"], row["strategies.0.config.slow"]
        found[pair] = set(zip(ends, signals["symbol"].to_list(), sides, strict=True))
    return found


def told_crossings(told: dict[str, Any], pairs: list[Pair]) -> Crossings:
    """The crossings that an engine's script has told, by pair."""
    found: Crossings = {pair: set() for pair in pairs}
    for ns, name, above in told["crossings"]:
        of_pair, _, symbol = name.partition(" ")
        fast, slow = map(int, of_pair.split("-"))
        found[fast, slow].add((ns, symbol, above))
    return found


def agreement(name: str, ours: Crossings, reference: Crossings, settled_ns: int) -> str:
    """How many crossings lie elsewhere.

    Raises:
        RuntimeError: Too many do.
    """

    def settled(crossings: set[Crossing]) -> set[Crossing]:
        return {one for one in crossings if one[0] >= settled_ns}

    apart = sum(len(settled(crossings) ^ settled(reference[pair])) for pair, crossings in ours.items()) / 2
    count = sum(len(settled(reference[pair])) for pair in ours)
    text = f"{apart:g} of {count:,} crossings lie elsewhere"
    if not count or apart > CROSSINGS * count:
        raise RuntimeError(f"{name}: {text}")
    return text

"""The targets, each a ratio of one run or a time on the machine at hand, and whether they are met."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Any

from benchmarks.start import MOST_MIB, MOST_OWN_MIB

Results = dict[str, Any]
TITLES = {
    "per_bar": "1 per bar",
    "derived": "2 derived",
    "wide": "3 wide",
    "deep": "4 deep",
    "seconds": "5 seconds",
    "universe": "6 universe",
    "orders": "9 orders",
}
NAMES = {
    "floor": "the floor",
    "nautilus": "NautilusTrader",
    "zipline": "zipline-reloaded",
    "zipline_history": "zipline-reloaded, data.history",
}
"""What engines are called for people, where that is not the name of their script."""


@dataclass(frozen=True)
class Target:
    """One target: ``measured`` must be at least, or at most, the limit; None: it was not measured.

    ``floor`` is the same number for the floor in openbell's place, its calls included.
    """

    workload: str
    what: str
    measured: float | None
    limit: float
    unit: str = "x"
    at_least: bool = False
    floor: float | None = None

    @property
    def met(self) -> bool | None:
        if self.measured is None:
            return None
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


def targets(results: Results) -> list[Target]:
    """All targets with what was measured."""
    return [*_against_peers(results), *_against_floor(results), *_memory(results), *_others(results)]


def number(results: Results, workload: str, engine: str, name: str) -> float | None:
    """A median, None when there is none."""
    return results.get("workloads", {}).get(workload, {}).get("engines", {}).get(engine, {}).get(name)


def ratio(a: float | None, b: float | None) -> float | None:
    """``a / b`` where both are known."""
    return None if a is None or b is None else a / b


def floor_s(results: Results, workload: str, name: str) -> float | None:
    """What the floor takes with its calls: the run, or all of it."""
    parts = [number(results, workload, "floor", part) for part in ("load_s", "run_s")[name == "run_s" :]]
    return None if None in parts else sum(parts) + (number(results, workload, "floor", "calls_s") or 0.0)


def _against_peers(results: Results) -> list[Target]:
    def target(workload: str, peer: str, name: str, limit: float) -> Target:
        theirs = number(results, workload, peer, name)
        measured = ratio(theirs, number(results, workload, "openbell", name))
        what = f"faster than {NAMES.get(peer, peer)}: {'the run' if name == 'run_s' else 'with loading'}"
        floor = ratio(theirs, floor_s(results, workload, name))
        return Target(TITLES[workload], what, measured, limit, at_least=True, floor=floor)

    found = []
    for workload, run, total in (("per_bar", 15, 10), ("derived", 50, 20)):
        found += [target(workload, "nautilus", "run_s", run), target(workload, "nautilus", "total_s", total)]
        found += [target(workload, peer, "total_s", 100) for peer in ("backtrader", "zipline", "zipline_history")]
    found.append(target("orders", "nautilus", "total_s", 7))
    return found + [target("orders", peer, "total_s", 12) for peer in ("backtrader", "zipline")]


def _against_floor(results: Results) -> list[Target]:
    def target(workload: str, limit: float) -> Target:
        measured = ratio(number(results, workload, "openbell", "total_s"), floor_s(results, workload, "total_s"))
        return Target(TITLES[workload], "times the floor with its calls", measured, limit)

    universe = number(results, "universe", "openbell", "total_s")
    floor = number(results, "universe", "floor", "total_s")
    return [
        *(target(workload, limit) for workload, limit in (("wide", 2), ("deep", 2), ("seconds", 2), ("universe", 3))),
        Target(TITLES["universe"], "all together", universe, 3, "s", floor=floor),
    ]


def _memory(results: Results) -> list[Target]:
    def grown(workload: str, engine: str) -> float | None:
        peak, base = (number(results, workload, engine, name) for name in ("peak_mb", "base_mb"))
        return None if peak is None or base is None else peak - base

    found = []
    for workload in ("deep", "seconds"):
        size = number(results, workload, "floor", "columns_mb")
        measured, floor = (ratio(grown(workload, engine), size) for engine in ("openbell", "floor"))
        what = "memory over the imports, times the columns"
        found.append(Target(TITLES[workload], what, measured, 1.5, floor=floor))
    for workload in ("per_bar", "derived"):
        ours, floor, theirs = (number(results, workload, e, "peak_mb") for e in ("openbell", "floor", "nautilus"))
        what = "peak memory to NautilusTrader's"
        found.append(Target(TITLES[workload], what, ratio(ours, theirs), 1 / 3, floor=ratio(floor, theirs)))
    ours, theirs = (number(results, "orders", engine, "peak_mb") for engine in ("openbell", "nautilus"))
    found.append(Target(TITLES["orders"], "peak memory to NautilusTrader's", ratio(ours, theirs), 1 / 3))
    return found


def _others(results: Results) -> list[Target]:
    found = []
    for kind, limit in (("warm", 5), ("cold", 25)):
        times = [v for name, v in results.get("mid_session", {}).get("took_ms", {}).items() if name.endswith(kind)]
        slowest = max((time["p99"] for time in times), default=None)
        found.append(Target("7 mid-session", f"p99 of the slowest addition, {kind}", slowest, limit, "ms"))
    waits = results.get("mid_session", {}).get("wait_ms", {}).values()
    for name in ("p99", "max"):
        longest = max((wait[name] for wait in waits), default=None)
        found.append(Target("7 mid-session", f"other symbols' bars wait, {name}", longest, 5, "ms"))
    for workload, title in (("days", "8 days, 1m"), ("days_derived", "8 days, 5m")):
        setup, total = (number(results, workload, "openbell", name) for name in ("setup_s", "total_s"))
        found.append(Target(title, "set-up of the days, share of the whole", ratio(setup, total), 0.3, ""))
    for name in ("symbols", "days"):
        slope = results.get("scaling", {}).get(name, {}).get("slope")
        found.append(Target("all", f"log-log slope over {name}", slope, 1.05, ""))
        found.append(Target("all", f"the same, last step over {name}", _last_slope(results, name), 1.05, ""))
    resting = results.get("resting", {}).get("ratio")
    found.append(Target(TITLES["orders"], "100,000 resting limit orders, to the run without", resting, 3))
    ms = results.get("start", {}).get("ms", {})
    for ours, theirs, limit in (("import openbell", "import polars", 1.2), ("openbell --help", "import typer", 1.5)):
        found.append(Target("start", f"{ours} to {theirs}", ratio(ms.get(ours), ms.get(theirs)), limit))
    run = results.get("start", {}).get("run", {})
    found.append(Target("start", "a run of one symbol and day to import polars, CPU", run.get("times_polars"), 3.0))
    found.append(Target("start", "its peak memory", run.get("peak_mib"), MOST_MIB, "MiB"))
    found.append(Target("start", "its peak memory without pages of libraries", run.get("own_mib"), MOST_OWN_MIB, "MiB"))
    return found


def _last_slope(results: Results, name: str) -> float | None:
    """The slope between the two largest sizes: what is spent once hides in the slope over all of them."""
    seconds = list(results.get("scaling", {}).get(name, {}).get("seconds", {}).items())[-2:]
    if len(seconds) < 2:
        return None
    (fewer, before), (more, after) = ((int(count), time) for count, time in seconds)
    return log(after / before) / log(more / fewer)

"""The targets, each a ratio of one run or a time on the machine at hand, and whether they are met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Results = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """One target: ``measured`` must be at least, or at most, the limit; None: it was not measured."""

    workload: str
    what: str
    measured: float | None
    limit: float
    unit: str = "x"
    at_least: bool = False

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


def _against_peers(results: Results) -> list[Target]:
    def faster(workload: str, peer: str, name: str) -> float | None:
        return ratio(number(results, workload, peer, name), number(results, workload, "openbell", name))

    found = []
    for workload, title, run, total in (("per_bar", "1 per bar", 15, 10), ("derived", "2 derived", 50, 20)):
        nautilus = "faster than NautilusTrader"
        found += [
            Target(title, f"{nautilus}, the run", faster(workload, "nautilus", "run_s"), run, at_least=True),
            Target(title, f"{nautilus}, with loading", faster(workload, "nautilus", "total_s"), total, at_least=True),
        ]
        for peer in ("backtrader", "zipline", "zipline_history"):
            name = peer.replace("zipline_history", "zipline with data.history")
            what = f"faster than {name}, with loading"
            found.append(Target(title, what, faster(workload, peer, "total_s"), 100, at_least=True))
    return found


def _against_floor(results: Results) -> list[Target]:
    def slower(workload: str) -> float | None:
        floor = [number(results, workload, "floor", name) for name in ("load_s", "run_s")]
        known = None not in floor
        calls = number(results, workload, "floor", "calls_s") or 0.0
        return ratio(number(results, workload, "openbell", "total_s"), sum(floor) + calls) if known else None

    return [
        Target("3 wide", "times the floor, all together", slower("wide"), 2),
        Target("4 deep", "times the floor with its calls", slower("deep"), 2),
        Target("5 seconds", "times the floor with its calls", slower("seconds"), 2),
        Target("6 universe", "times the floor", slower("universe"), 3),
        Target("6 universe", "all together", number(results, "universe", "openbell", "total_s"), 3, "s"),
    ]


def _memory(results: Results) -> list[Target]:
    found = []
    for workload, title in (("deep", "4 deep"), ("seconds", "5 seconds")):
        peak, base = (number(results, workload, "openbell", name) for name in ("peak_mb", "base_mb"))
        grown = None if peak is None or base is None else peak - base
        size = number(results, workload, "floor", "columns_mb")
        found.append(Target(title, "memory over the imports, times the columns", ratio(grown, size), 1.5))
    for workload, title in (("per_bar", "1 per bar"), ("derived", "2 derived")):
        peaks = [number(results, workload, engine, "peak_mb") for engine in ("openbell", "nautilus")]
        found.append(Target(title, "peak memory to NautilusTrader's", ratio(*peaks), 1 / 3))
    return found


def _others(results: Results) -> list[Target]:
    found = []
    for kind, limit in (("warm", 5), ("cold", 25)):
        times = [v for name, v in results.get("mid_session", {}).get("took_ms", {}).items() if name.endswith(kind)]
        slowest = max((time["p99"] for time in times), default=None)
        found.append(Target("7 mid-session", f"p99 of the slowest addition, {kind}", slowest, limit, "ms"))
    waits = results.get("mid_session", {}).get("wait_ms", {}).values()
    longest = max((wait["p99"] for wait in waits), default=None)
    found.append(Target("7 mid-session", "other symbols' bars wait, p99", longest, 5, "ms"))
    for workload, title in (("days", "8 days, 1m"), ("days_derived", "8 days, 5m")):
        load, total = (number(results, workload, "openbell", name) for name in ("load_s", "total_s"))
        found.append(Target(title, "set-up, share of the whole", ratio(load, total), 0.3, ""))
    for name in ("symbols", "days"):
        slope = results.get("scaling", {}).get(name, {}).get("slope")
        found.append(Target("all", f"log-log slope over {name}", slope, 1.05, ""))
    ms = results.get("start", {}).get("ms", {})
    for ours, theirs, limit in (("import openbell", "import polars", 1.2), ("openbell --help", "import typer", 1.5)):
        found.append(Target("start", f"{ours} to {theirs}", ratio(ms.get(ours), ms.get(theirs)), limit))
    return found

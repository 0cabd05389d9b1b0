"""Compares ratios to the floor with those that were recorded: never absolute times, which belong to a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.measure import measure

if TYPE_CHECKING:
    from benchmarks.workloads import Workload

ALLOWED = 1.3
"""A loss of more than 30 % that a second run confirms is a failure."""


PARTS = ("load_s", "run_s")
SMALL = 0.2
"""A part of less than this share of the whole is not looked at by itself."""


def to_floor(measured: dict[str, Any]) -> dict[str, float]:
    """openbell's best load, run and both, each as a multiple of the floor's median, its calls included.

    openbell's best of several, because what else the machine does can only add to a time; the floor takes hundredths of
    a second, of which one lucky run would make all others slow.
    """
    engines = measured["engines"]
    if any("failed" in engines[name] for name in ("floor", "openbell")):
        return {}
    floor, ours = engines["floor"]["total_s"] + engines["floor"].get("calls_s", 0.0), engines["openbell"]
    parts = {name: min(run[at] for run in ours["runs"]) for at, name in enumerate(PARTS)}
    parts = {name: seconds for name, seconds in parts.items() if seconds > SMALL * ours["best_s"]}
    return {"all": ours["best_s"] / floor} | {name: seconds / floor for name, seconds in parts.items()}


def slowest(workload: Workload, measured: dict[str, Any], repeats: int | None) -> dict[str, Any]:
    """Measure again and return the slower of two measurements, so that luck sets no standard."""
    again = measure(workload, repeats)
    return max(measured, again, key=lambda found: to_floor(found).get("all", float("inf")))


def lost(workload: Workload, measured: dict[str, Any], recorded: dict[str, Any]) -> list[str]:
    """Return what became slower, after a second measurement."""
    now = to_floor(measured)
    if not now:
        return [f"{workload.title}: {t['failed']}" for t in measured["engines"].values() if "failed" in t]
    if not recorded:
        return []
    before = to_floor(recorded)
    if slower(now, before):
        print(f"  {ratio_text(now, before)}: once more ...", flush=True)
        again = to_floor(measure(workload))
        now = {name: min(value, again.get(name, value)) for name, value in now.items()}
    print(f"{workload.title}: {ratio_text(now, before)}", flush=True)
    return [f"{workload.title}: {name} is {now[name] / before[name] - 1:.0%} slower" for name in slower(now, before)]


def slower(now: dict[str, float], before: dict[str, float]) -> list[str]:
    """Return the names of ratios that are worse than allowed."""
    return [name for name, value in before.items() if now.get(name, 0.0) > value * ALLOWED]


def ratio_text(now: dict[str, float], before: dict[str, float]) -> str:
    """Format the ratios."""
    parts = [f"{name} {value:.2f} (recorded {before.get(name, float('nan')):.2f})" for name, value in now.items()]
    return "times the floor: " + ", ".join(parts)

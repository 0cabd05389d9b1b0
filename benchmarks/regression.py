"""Compares ratios to the floor with those that were recorded: never absolute times, which belong to a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.measure import measure

if TYPE_CHECKING:
    from benchmarks.workloads import Workload

ALLOWED = 1.3
"""A loss of more than 30 % that a second run confirms is a failure."""


def to_floor(measured: dict[str, Any]) -> float | None:
    """openbell's best time as a multiple of the floor's best, its callbacks included.

    The best of several, because what else the machine does can only add to a time.
    """
    engines = measured["engines"]
    if any("failed" in engines[name] for name in ("floor", "openbell")):
        return None
    return engines["openbell"]["best_s"] / engines["floor"]["best_s"]


def lost(workload: Workload, measured: dict[str, Any], recorded: dict[str, Any]) -> str | None:
    """What is to be told when openbell became slower; measures once more before it says so."""
    now = to_floor(measured)
    if now is None:
        reasons = [told["failed"] for told in measured["engines"].values() if "failed" in told]
        return f"{workload.title}: {'; '.join(reasons)}"
    before = to_floor(recorded) if recorded else None
    if before is None:
        return None
    if now > before * ALLOWED:
        print(f"  {now:.2f} times the floor, recorded were {before:.2f}: once more ...", flush=True)
        now = min(now, to_floor(measure(workload)) or now)
    print(f"{workload.title}: {now:.2f} times the floor, recorded were {before:.2f}", flush=True)
    if now <= before * ALLOWED:
        return None
    return f"{workload.title}: {now:.2f} times the floor, recorded were {before:.2f}: {now / before - 1:.0%} slower"

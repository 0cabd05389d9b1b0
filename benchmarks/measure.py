"""Runs a workload on all its engines: once to see that they agree, then several times in turn; medians."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import engines
from benchmarks.agreement import disagreement

if TYPE_CHECKING:
    from benchmarks.workloads import Workload

SLOW_S, SLOW_REPEATS = 15.0, 3
"""An engine that takes longer than this runs so many times only."""


def measure(workload: Workload, repeats: int | None = None) -> dict[str, Any]:
    """All engines on a workload.

    Returns:
        The size, the agreement and the medians per engine; ``runs`` are (load_s, run_s) in order.
    """
    job = workload.job()
    results: dict[str, Any] = {}
    first = {engine: _told(engine, job, workload.script) for engine in workload.engines}
    agreement = {}
    for engine, told in first.items():
        if "failed" in first["floor"]:
            told.setdefault("failed", "the floor, to compare with, failed")
        if "failed" not in told and engine != "floor":
            agreement[engine] = disagreement(told, first["floor"], job["settled_ns"])
            if problems := agreement[engine]["problems"]:
                told["failed"] = "does not agree: " + "; ".join(problems)
        if "failed" in told:
            results[engine] = {"failed": told["failed"]}
            print(f"  {engine}: {told['failed']}", flush=True)
    runs: dict[str, list[dict[str, Any]]] = {engine: [] for engine in first if engine not in results}
    for turn in range(repeats or workload.repeats):
        for engine, told in runs.items():
            if turn < SLOW_REPEATS or first[engine]["load_s"] + first[engine]["run_s"] < SLOW_S:
                told.append(_told(engine, job, workload.script))
    results |= {engine: summary(told) for engine, told in runs.items()}
    return {
        "title": workload.title,
        "size": workload.size,
        "agreement": agreement,
        "engines": {engine: results[engine] for engine in workload.engines},
    }


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The medians of several runs."""
    if failed := [run["failed"] for run in runs if "failed" in run]:
        return {"failed": failed[0]}
    numbers = ("load_s", "setup_s", "run_s", "calls_s", "peak_mb", "base_mb", "columns_mb")
    found = {name: median(run[name] for run in runs) for name in numbers if runs[0].get(name) is not None}
    found["total_s"] = median(run["load_s"] + run["run_s"] for run in runs)
    found["best_s"] = min(run["load_s"] + run["run_s"] + run.get("calls_s", 0.0) for run in runs)
    facts = {name: runs[0][name] for name in ("callbacks", "version", "python")}
    return {**found, **facts, "runs": [(round(run["load_s"], 4), round(run["run_s"], 4)) for run in runs]}


def _told(engine: str, job: dict[str, Any], script: str) -> dict[str, Any]:
    told = engines.run(engine, job, script)
    if "failed" not in told:
        print(f"  {engine}: load {told['load_s']:.3f} s, run {told['run_s']:.3f} s", flush=True)
    return told

"""Runs a workload on all its engines: once to see that they agree, then several times in turn; medians."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import engines
from benchmarks.agreement import disagreement, orders_disagreement

if TYPE_CHECKING:
    from benchmarks.workloads import Workload

SLOW_S, SLOW_REPEATS = 15.0, 3
"""An engine that takes longer than this runs so many times only."""


def measure(workload: Workload, repeats: int | None = None) -> dict[str, Any]:
    """Measure all engines on a workload.

    Args:
        workload: The workload.
        repeats: Timed runs of each engine; 0 for the time of the run by which they are compared.

    Returns:
        The size, the agreement and the medians per engine; ``runs`` are (load_s, run_s) in order.
    """
    job = workload.job()
    results: dict[str, Any] = {}
    first = {engine: _run(engine, job, workload.script) for engine in workload.engines}
    agreement = {}
    reference = workload.reference
    for engine, result in first.items():
        if "failed" in first[reference]:
            result.setdefault("failed", f"{reference}, to compare with, failed")
        if "failed" not in result and engine != reference:
            agreement[engine] = (
                disagreement(result, first[reference], job["settled_ns"])
                if reference == "floor"
                else orders_disagreement(result, first[reference], at_same_moments=engine != "nautilus")
            )
            if problems := agreement[engine]["problems"]:
                result["failed"] = "does not agree: " + "; ".join(problems)
        if "failed" in result:
            results[engine] = {"failed": result["failed"]}
            print(f"  {engine}: {result['failed']}", flush=True)
    runs = {engine: [] if repeats != 0 else [result] for engine, result in first.items() if engine not in results}
    for repeat in range(workload.repeats if repeats is None else repeats):
        for engine, done in runs.items():
            if repeat < SLOW_REPEATS or first[engine]["load_s"] + first[engine]["run_s"] < SLOW_S:
                done.append(_run(engine, job, workload.script))
    results |= {engine: summary(done) for engine, done in runs.items()}
    return {
        "title": workload.title,
        "size": workload.size,
        "reference": reference,
        "agreement": agreement,
        "engines": {engine: results[engine] for engine in workload.engines},
    }


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the medians of several runs."""
    if failed := [run["failed"] for run in runs if "failed" in run]:
        return {"failed": failed[0]}
    numbers = ("load_s", "setup_s", "run_s", "calls_s", "peak_mb", "base_mb", "columns_mb")
    found = {name: median(run[name] for run in runs) for name in numbers if runs[0].get(name) is not None}
    found["total_s"] = median(run["load_s"] + run["run_s"] for run in runs)
    found["best_s"] = min(run["load_s"] + run["run_s"] + run.get("calls_s", 0.0) for run in runs)
    facts = {name: runs[0][name] for name in ("callbacks", "version", "python")}
    return {**found, **facts, "runs": [(round(run["load_s"], 4), round(run["run_s"], 4)) for run in runs]}


def _run(engine: str, job: dict[str, Any], script: str) -> dict[str, Any]:
    result = engines.run(engine, job, script)
    if "failed" not in result:
        print(f"  {engine}: load {result['load_s']:.3f} s, run {result['run_s']:.3f} s", flush=True)
    return result

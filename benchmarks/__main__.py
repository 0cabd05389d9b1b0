"""The benchmark: ``python -m benchmarks`` for all, ``--quick`` for the comparison with what was recorded."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from benchmarks import engines, workloads
from benchmarks.machine import machine
from benchmarks.measure import measure
from benchmarks.regression import lost, slowest
from benchmarks.report import load_results, save_results, target_lines, write_report
from benchmarks.resting import measure_resting
from benchmarks.scaling import measure_scaling
from benchmarks.start import measure_run, measure_start, start_losses
from benchmarks.synthetic import calendar

if TYPE_CHECKING:
    from collections.abc import Callable

KIND = ("cpu", "cores", "python")
"""What of a machine makes recorded ratios comparable."""

OTHERS: dict[str, Callable[[], dict[str, Any]]] = {
    "mid_session": lambda: engines.run("openbell", workloads.MID_SESSION.job(), workloads.MID_SESSION.script),
    "resting": measure_resting,
    "start": measure_start,
    "scaling": measure_scaling,
}


def full(only: list[str], repeats: int | None) -> int:
    """Measure everything, or only some, and write results and report; those left out keep what they have."""
    results = load_results("full.json")
    results["machine"] = machine()
    measured = results.setdefault("workloads", {})
    for workload in workloads.FULL:
        if not only or workload.name in only:
            print(f"{workload.title}: {workload.size}", flush=True)
            measured[workload.name] = measure(workload, repeats)
            save_results(results, "full.json")
    for name, run in OTHERS.items():
        if not only or name in only:
            print(name, flush=True)
            results[name] = run()
            save_results(results, "full.json")
    results["workloads"] = {w.name: measured[w.name] for w in workloads.FULL if w.name in measured}
    save_results(results, "full.json")
    write_report(results, "full.json")
    print(*target_lines(results), sep="\n")
    failed = [
        f"{workload['title']}: {engine}: {result['failed']}"
        for workload in results["workloads"].values()
        for engine, result in workload["engines"].items()
        if "failed" in result
    ]
    print(*failed, sep="\n")
    return int(any("does not agree" in line for line in failed))


def quick(only: list[str], repeats: int | None, *, record: bool) -> int:
    """Measure the floor and openbell in small sizes; fail when openbell lost against the recorded ratios."""
    known = load_results("quick.json")
    recorded = known.get("workloads", {})
    # The floor reads with all cores, openbell plays with one: the ratios are those of a kind of machine.
    here, there = ({name: of.get(name) for name in KIND} for of in (machine(), known.get("machine", {})))
    measured, losses = {}, []
    for workload in workloads.QUICK:
        if not only or workload.name in only:
            print(f"{workload.title}: {workload.size}", flush=True)
            measured[workload.name] = measure(workload, repeats)
            if record:
                measured[workload.name] = slowest(workload, measured[workload.name], repeats)
            losses.extend(lost(workload, measured[workload.name], {} if record else recorded.get(workload.name, {})))
    if not only or "start" in only:
        # A loss counts when a longer measurement confirms it: what else the machine does makes starts slow.
        losses += start_losses(measure_run(5)) and start_losses(measure_run(15))
    if losses and here != there:
        print(f"recorded on another kind of machine ({there}; this is {here}): reported, no failure", file=sys.stderr)
    if record:
        save_results({"machine": machine(), "workloads": recorded | measured}, "quick.json")
    print(*losses, sep="\n", file=sys.stderr)
    wrong = [loss for loss in losses if not loss.endswith(("slower", "larger"))]
    return int(bool(wrong) or (bool(losses) and here == there))


def main() -> int:
    """Parse the command line and measure."""
    names = [workload.name for workload in workloads.FULL] + list(OTHERS)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, against what was recorded")
    parser.add_argument("--record", action="store_true", help="with --quick: record what is measured")
    parser.add_argument("--only", nargs="+", choices=names, default=[], help="some workloads only")
    parser.add_argument("--repeats", type=int, help="timed runs of each engine; 0: the first one alone")
    options = parser.parse_args()
    calendar()
    if options.quick:
        return quick(options.only, options.repeats, record=options.record)
    return full(options.only, options.repeats)


if __name__ == "__main__":
    sys.exit(main())

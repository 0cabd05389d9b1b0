"""Draws results: ``python plots.py RESULTS.json``; runs in an environment with matplotlib."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from targets import NAMES

mpl.rcParams["svg.hashsalt"] = "openbell"  # the same picture for the same numbers


def engines(results: dict[str, Any], file: Path) -> None:
    """Load and run of all engines on workloads 1 and 2, on a logarithmic axis."""
    shown = [results["workloads"][name] for name in ("per_bar", "derived") if name in results["workloads"]]
    figure, axes = plt.subplots(1, len(shown), figsize=(6 * len(shown), 3.2), squeeze=False)
    for axis, workload in zip(axes[0], shown, strict=True):
        by_engine = {name: found for name, found in workload["engines"].items() if "failed" not in found}
        order = sorted(by_engine, key=lambda name: by_engine[name]["total_s"], reverse=True)
        names = [NAMES.get(name, name) for name in order]
        colours = ["darkorange" if name == "openbell" else "lightsteelblue" for name in order]
        bars = axis.barh(names, [by_engine[name]["total_s"] for name in order], color=colours)
        axis.bar_label(bars, [f"{by_engine[name]['total_s']:.2f}" for name in order], padding=3, fontsize="small")
        axis.barh(names, [by_engine[name]["run_s"] for name in order], height=0.3, color="steelblue")
        axis.set(xscale="log", xlabel="seconds: load + run, and the run alone (narrow)", title=workload["title"])
        axis.margins(x=0.15)
    save(figure, file)


def scaling(results: dict[str, Any], file: Path) -> None:
    """openbell's time over symbols and days."""
    figure, axis = plt.subplots(figsize=(5, 3))
    for name, found in results["scaling"].items():
        if "seconds" in found:
            counts = [int(count) for count in found["seconds"]]
            axis.plot(counts, list(found["seconds"].values()), "o-", label=f"{name}: slope {found['slope']}")
    axis.set(xscale="log", yscale="log", xlabel="symbols (2 sessions, 5m), or days (10 symbols, 1m)", ylabel="seconds")
    axis.legend()
    save(figure, file)


def save(figure: Any, file: Path) -> None:
    """As SVG without a date."""
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})


if __name__ == "__main__":
    source = Path(sys.argv[1])
    numbers = json.loads(source.read_text())
    if numbers.get("workloads"):
        engines(numbers, source.parent / "engines.svg")
    if "scaling" in numbers:
        scaling(numbers, source.parent / "scaling.svg")

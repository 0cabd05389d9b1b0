"""Writes the generated part of ``benchmarks/README.md`` from results."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from benchmarks.environments import ROOT, UnavailableError, python_of
from benchmarks.targets import Target, targets

README = ROOT / "benchmarks" / "README.md"
BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"
NAMES = {
    "floor": "the floor",
    "nautilus": "NautilusTrader",
    "zipline": "zipline-reloaded",
    "zipline_history": "zipline-reloaded, data.history",
}


def write_report(results: dict[str, Any], file: str) -> None:
    """Put tables and plots into the README, between its markers."""
    draw(file)
    text = README.read_text()
    before, after = text[: text.index(BEGIN)], text[text.index(END) :]
    parts = [_machine(results), _targets(results), *map(_workload, results.get("workloads", {}).values())]
    parts += [_mid_session(results), _start(results), _scaling(results)]
    README.write_text(f"{before}{BEGIN}\n\n" + "\n\n".join(part for part in parts if part) + f"\n\n{after}")


def draw(file: str) -> None:
    """Draw the plots in an environment of their own."""
    try:
        python = python_of("plots")
    except UnavailableError as error:
        print(f"no plots: {error}")
        return
    script = ROOT / "benchmarks" / "plots.py"
    subprocess.run([python, script, ROOT / "benchmarks" / "results" / file], check=True)


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; all columns but the first two are numbers."""
    rule = ["---", "---", *["--:"] * (len(head) - 2)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def target_lines(results: dict[str, Any]) -> list[str]:
    """The targets for a terminal."""
    width = max(len(f"{target.workload}: {target.what}") for target in targets(results))
    return [
        f"{f'{t.workload}: {t.what}':{width}}  {_measured(t):>12}  {_limit(t):>10}  {_verdict(t)}"
        for t in targets(results)
    ]


def _machine(results: dict[str, Any]) -> str:
    machine = results["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    where = f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']:g} GB, {machine['system']}"
    return f"Measured on: {where}; Python {machine['python']}; {packages}."


def _targets(results: dict[str, Any]) -> str:
    rows = [[t.workload, t.what, _measured(t), _limit(t), _verdict(t), _floor(t)] for t in targets(results)]
    return "### Targets\n\n" + table(["workload", "what", "measured", "target", "met", "the floor itself"], rows)


def _measured(target: Target) -> str:
    return "not measured" if target.measured is None else f"{target.measured:.3g} {target.unit}".strip()


def _limit(target: Target) -> str:
    return f"{'≥' if target.at_least else '≤'} {target.limit:.3g} {target.unit}".strip()


def _floor(target: Target) -> str:
    return "" if target.floor is None else f"{target.floor:.3g} {target.unit}".strip()


def _verdict(target: Target) -> str:
    return {True: "yes", False: "**no**", None: ""}[target.met]


def _workload(workload: dict[str, Any]) -> str:
    ours = workload["engines"].get("openbell", {})
    rows, failed = [], []
    for engine, told in workload["engines"].items():
        name = NAMES.get(engine, engine)
        if "failed" in told:
            failed.append(f"{name}: {told['failed']}.")
            continue
        calls = told.get("calls_s")
        times = [f"{ours[key] and told[key] / ours[key]:.2f}" if key in ours else "" for key in ("run_s", "total_s")]
        seconds = [f"{told[key]:.3f}" for key in ("load_s", "run_s")]
        seconds.append("" if calls is None else f"{calls:.3f}")
        rows.append([name, told["version"], *seconds, f"{told['total_s']:.3f}", *times, f"{told['peak_mb']:.0f}"])
    head = [
        "engine",
        "version",
        "load s",
        "run s",
        "calls s",
        "load + run s",
        "run to openbell",
        "all to openbell",
        "MB",
    ]
    return "\n\n".join(
        [f"### {workload['title']}: {workload['size']}", table(head, rows), _agreement(workload), *failed]
    )


def _agreement(workload: dict[str, Any]) -> str:
    callbacks = next((told["callbacks"] for told in workload["engines"].values() if "callbacks" in told), 0)
    notes = [
        f"{NAMES.get(engine, engine)} {found['crossings_apart']:g} elsewhere, values within {found['values_apart']:.0e}"
        for engine, found in workload["agreement"].items()
        if not found["problems"]
    ]
    events = max((found["crossings"] for found in workload["agreement"].values()), default=0)
    return f"{callbacks:,} callbacks, {events:,} events compared with the floor's: {'; '.join(notes)}."


def _mid_session(results: dict[str, Any]) -> str:
    found = results.get("mid_session")
    if not found or "failed" in found:
        return "" if not found else f"### 7 mid-session\n\nfailed: {found['failed']}"
    rows = [
        [what, name, *(f"{times[key]:.2f}" for key in ("p50", "p95", "p99", "max"))]
        for what, of in (("takes", "took_ms"), ("others' bars wait", "wait_ms"))
        for name, times in found[of].items()
    ]
    return "### 7 mid-session, ms\n\n" + table(["", "addition", "p50", "p95", "p99", "max"], rows)


def _start(results: dict[str, Any]) -> str:
    if "start" not in results:
        return ""
    loaded = ", ".join(results["start"]["import_openbell_loads"]) or "none of the heavy libraries"
    rows = [[name, f"{ms:.0f} ms"] for name, ms in results["start"]["ms"].items()]
    text = f"### Start\n\n{table(['what', 'median'], rows)}\n\n`import openbell` loads {loaded}."
    costs = results["start"].get("imports", {})
    weights = [
        [f"import {name}", of["after"], f"{of['ms']:.0f} ms", f"{of['mb']:.0f} MB"] for name, of in costs.items()
    ]
    return f"{text}\n\n{table(['what', 'after', 'takes', 'adds'], weights)}" if weights else text


def _scaling(results: dict[str, Any]) -> str:
    if "scaling" not in results:
        return ""
    lines = []
    for name, found in results["scaling"].items():
        if "failed" in found:
            lines.append(f"{name}: failed: {found['failed']}.")
            continue
        points = ", ".join(f"{count}: {seconds:.2f} s" for count, seconds in found["seconds"].items())
        lines.append(f"Over {name}: slope {found['slope']} ({points}).")
    return (
        "### Scaling\n\n" + "\n".join(lines) + "\n\n![scaling](results/scaling.svg)\n\n![engines](results/engines.svg)"
    )


def load_results(file: str) -> dict[str, Any]:
    """Results that were recorded, empty when there are none."""
    path = ROOT / "benchmarks" / "results" / file
    return json.loads(path.read_text()) if path.exists() else {}


def save_results(results: dict[str, Any], file: str) -> None:
    """Record results."""
    path = ROOT / "benchmarks" / "results" / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")

"""Writes the generated part of ``benchmarks/README.md`` from results."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from benchmarks.environments import ROOT, UnavailableError, python_of
from benchmarks.targets import NAMES, Target, number, ratio, targets

README = ROOT / "benchmarks" / "README.md"
NO_CALLBACKS = ("floor", "vectorbt")
MARKERS = "<!-- generated {0}: begin -->", "<!-- generated {0}: end -->"


def write_report(results: dict[str, Any], file: str) -> None:
    """Put the summary, the tables and the plots into the README, between its markers."""
    draw(file)
    tables = [_targets(results), *map(_workload, results.get("workloads", {}).values())]
    tables += [_mid_session(results), _start(results), _scaling(results)]
    text = README.read_text()
    for name, parts in (("summary", [_summary(results), _machine(results)]), ("tables", tables)):
        begin, end = (marker.format(name) for marker in MARKERS)
        before, after = text[: text.index(begin)], text[text.index(end) :]
        text = f"{before}{begin}\n\n" + "\n\n".join(part for part in parts if part) + f"\n\n{after}"
    README.write_text(text)


def draw(file: str) -> None:
    """Draw the plots in an environment of their own."""
    try:
        python = python_of("plots")
    except UnavailableError as error:
        print(f"no plots: {error}")
        return
    script = ROOT / "benchmarks" / "plots.py"
    subprocess.run([python, script, ROOT / "benchmarks" / "results" / file], check=True)


def table(head: list[str], rows: list[list[str]], texts: int = 2) -> str:
    """A Markdown table; all columns but the first ``texts`` are numbers."""
    rule = ["---"] * texts + ["--:"] * (len(head) - texts)
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def target_lines(results: dict[str, Any]) -> list[str]:
    """The targets for a terminal."""
    width = max(len(f"{target.workload}: {target.what}") for target in targets(results))
    return [
        f"{f'{t.workload}: {t.what}':{width}}  {_measured(t):>12}  {_limit(t):>10}  {_verdict(t)}"
        for t in targets(results)
    ]


def _summary(results: dict[str, Any]) -> str:
    """Who is how fast on the workloads that all engines run, and how many targets are met."""
    compared = {name: of for name, of in results.get("workloads", {}).items() if len(of["engines"]) > 2}
    if not compared:
        return ""
    first = next(iter(compared))
    by_engine = {name: found for name, found in compared[first]["engines"].items() if "failed" not in found}
    rows = []
    for engine in sorted(by_engine, key=lambda name: by_engine[name]["total_s"]):
        row = [NAMES.get(engine, engine), "no" if engine in NO_CALLBACKS else "yes"]
        for workload in compared:
            seconds, ours = (number(results, workload, name, "total_s") for name in (engine, "openbell"))
            row += [_number(seconds, "s"), _number(ratio(seconds, ours), "x")]
        rows.append([*row, _number(by_engine[engine]["peak_mb"], "MB")])
    titles = (title for of in compared.values() for title in (of["title"], "to openbell"))
    found = targets(results)
    met = f"{sum(target.met is True for target in found)} of {len(found)} targets are met."
    lines = table(["engine", "calls a strategy at each bar", *titles, f"memory, {compared[first]['title']}"], rows)
    return f"{lines}\n\n![engines](results/engines.svg)\n\n{met}"


def _number(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.3g} {unit}".strip()


def _machine(results: dict[str, Any]) -> str:
    machine = results["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    where = f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']:g} GB, {machine['system']}"
    return f"Measured on: {where}; Python {machine['python']}; {packages}."


def _targets(results: dict[str, Any]) -> str:
    rows = [[t.workload, t.what, _measured(t), _limit(t), _verdict(t), _floor(t)] for t in targets(results)]
    return "### Targets\n\n" + table(["workload", "what", "measured", "target", "met", "the floor itself"], rows)


def _measured(target: Target) -> str:
    return _number(target.measured, target.unit) or "not measured"


def _limit(target: Target) -> str:
    return f"{'≥' if target.at_least else '≤'} {_number(target.limit, target.unit)}"


def _floor(target: Target) -> str:
    return _number(target.floor, target.unit)


def _verdict(target: Target) -> str:
    return {True: "yes", False: "**no**", None: ""}[target.met]


def _workload(workload: dict[str, Any]) -> str:
    ours = workload["engines"].get("openbell", {})
    rows, failed = [], []
    for engine, result in workload["engines"].items():
        name = NAMES.get(engine, engine)
        if "failed" in result:
            failed.append(f"{name}: {result['failed']}.")
            continue
        calls = result.get("calls_s")
        # A run that is over at once, as that of the universe, is nothing to compare with.
        times = [f"{result[key] / ours[key]:.2f}" if ours.get(key, 0) > 0.001 else "" for key in ("run_s", "total_s")]
        seconds = [f"{result[key]:.3f}" for key in ("load_s", "run_s")]
        seconds.append("" if calls is None else f"{calls:.3f}")
        rows.append([name, result["version"], *seconds, f"{result['total_s']:.3f}", *times, f"{result['peak_mb']:.0f}"])
    head = ["engine", "version", "load s", "run s", "calls s", "load + run s"]
    head += ["run to openbell", "all to openbell", "MB"]
    return "\n\n".join(
        [f"### {workload['title']}: {workload['size']}", table(head, rows), _agreement(workload), *failed]
    )


def _agreement(workload: dict[str, Any]) -> str:
    callbacks = next((result["callbacks"] for result in workload["engines"].values() if "callbacks" in result), 0)
    agreed = {NAMES.get(engine, engine): of for engine, of in workload["agreement"].items() if not of["problems"]}
    if not agreed:
        return f"{callbacks:,} callbacks."
    events = max(of["crossings"] for of in agreed.values())
    apart = ", ".join(f"{name} {of['crossings_apart']:g}" for name, of in agreed.items() if of["crossings_apart"])
    worst = max(agreed, key=lambda name: agreed[name]["values_apart"])
    farthest = f" (those of {worst} lie farthest)" if len(agreed) > 1 else ""
    values = agreed[worst]["values_apart"]
    parts = [f"{callbacks:,} callbacks of each engine"]
    whose, what = "the floor's", "final values"
    if workload.get("reference", "floor") != "floor":
        whose, what = f"{workload['reference']}'s", "equity at the end"
    parts += [f"of {events:,} events, elsewhere than {whose}: {apart or 'none'}"] if events else []
    parts += [f"{what} within {values:.0e} of {whose}{farthest}" if values else f"{what} equal to {whose}"]
    return "; ".join(parts) + "."


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
    if run := results["start"].get("run"):
        text += (
            f" A run of one symbol and one day takes {run['cpu_ms']:.0f} ms of CPU as a whole process, "
            f"{run['times_polars']} times as much as `import polars`, and {run['peak_mib']} MiB."
        )
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
    return "### Scaling\n\n" + "\n".join(lines) + "\n\n![scaling](results/scaling.svg)"


def load_results(file: str) -> dict[str, Any]:
    """Results that were recorded, empty when there are none."""
    path = ROOT / "benchmarks" / "results" / file
    return json.loads(path.read_text()) if path.exists() else {}


def save_results(results: dict[str, Any], file: str) -> None:
    """Record results."""
    path = ROOT / "benchmarks" / "results" / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")

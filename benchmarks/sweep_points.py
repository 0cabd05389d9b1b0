"""What a sweep costs, each target with what was measured: ``python -m benchmarks.sweep_points [PART ...] [--quick]``.

64 EMA pairs on the bars of workload 2. Parts, all of them unless some are named:

- ``signals``: the rule of workload 2 (averages by the config, a signal at each crossing, no orders), and ``orders``:
  the example `EmaCross`, which adds its averages itself, with orders from its signals. A single run is a process of its
  own, start and loading included; a point is the sweep's whole process by the number of its points. The single run is
  the mean of three pairs, the first, the middle and the last one: a pair that trades more takes longer.
- ``peers``: the grid of ``signals`` through other engines (`benchmarks.sweep_peers`).
- ``ray``: the same grid on a Ray cluster of this machine beside two processes; what a cluster takes to start is that of
  two points beside two points.

Seconds of the processor hardly depend on what else the machine does; those of the wall need a quiet one.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import sweep_peers
from benchmarks.environments import ROOT
from benchmarks.sweep_grid import FAST, ORDERS, SIGNALS, SLOW, Grid
from benchmarks.workloads import FULL, Workload

QUICK = Workload("derived", "2 derived", 10, 20, interval="5m")
PARTS = ("signals", "orders", "peers", "ray")


@dataclass(frozen=True)
class Row:
    """A target and what was measured."""

    what: str
    got: float
    asked: float
    at_least: bool = False
    note: str = ""

    def __str__(self) -> str:
        met = self.got >= self.asked if self.at_least else self.got <= self.asked
        sign, told = ">=" if self.at_least else "<=", "met" if met else "MISSED"
        return f"{self.what:58} asked {sign} {self.asked:5.2f}  got {self.got:6.2f}  {told:6}  {self.note}"


def timed(folder: Path, *words: str) -> tuple[float, float]:
    """Run a command of openbell, and return the seconds of its processes, and those of the wall."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    # Its bytecode is kept, as of whatever pip installs.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-m", "openbell", *words], cwd=folder, check=False, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, env={**environment, "PYTHONPATH": path, "RAY_AUTH_MODE": "disabled"},
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"openbell {' '.join(words)}: {done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - began


def points(grid: Grid, work: Workload, fast: range, slow: range) -> list[Row]:
    """A point beside a single run, and two jobs beside one."""
    count = len(fast) * len(slow)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = written(folder, grid, work, fast, slow)
        timed(folder, "run", single_run(folder, grid, work, fast[0], slow[0]))  # so that all files are in memory
        runs = [
            timed(folder, "run", single_run(folder, grid, work, fast[at], slow[at])) for at in (0, len(fast) // 2, -1)
        ]
        single_cpu, single = (sum(run[which] for run in runs) / len(runs) for which in (0, 1))
        one_cpu, one = timed(folder, "sweep", "pairs.json", *options, "--out", "one", "--jobs", "1")
        two_cpu, two = timed(folder, "sweep", "pairs.json", *options, "--out", "two", "--jobs", "2")
    print(f"{grid.name}, {count} points: seconds (of the processor)")
    print(f"  single run {single:.2f} ({single_cpu:.2f}); a point: one job {one / count:.3f} ({one_cpu / count:.3f}), "
          f"two jobs {two / count:.3f} ({two_cpu / count:.3f})")  # fmt: skip
    return [
        Row(f"{grid.name}: a point by a single run, processor, one job", one_cpu / count / single_cpu, 0.55),
        Row(f"{grid.name}: a point by a single run, wall, two jobs", two / count / single, 0.3),
        Row(f"{grid.name}: two jobs beside one, wall", one / two, 1.6, at_least=True, note=f"({one:.0f} s; 30 asked)"),
    ]


def written(folder: Path, grid: Grid, work: Workload, fast: range, slow: range) -> list[str]:
    """Write the config of a grid, and return the options of its points."""
    (folder / "pairs.json").write_text(json.dumps(grid.config(work, fast[0], slow[0])))
    return grid.options(fast, slow)


def single_run(folder: Path, grid: Grid, work: Workload, fast: int, slow: int) -> str:
    """Write the config of one pair, and return the name of its file."""
    (folder / f"{fast}-{slow}.json").write_text(json.dumps(grid.config(work, fast, slow)))
    return f"{fast}-{slow}.json"


def peers(work: Workload) -> list[Row]:
    """The grid beside other engines, each as it is used: whole processes by the wall, start and loading included."""
    pairs = [(fast, slow) for fast in FAST for slow in SLOW]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = written(folder, SIGNALS, work, FAST, SLOW)
        cpu, wall = timed(folder, "sweep", "pairs.json", *options, "--out", "out")
        found = sweep_peers.compared(work, pairs, folder / "out")
    print(f"peers, {len(pairs)} pairs: seconds (of the processor)\n  openbell {wall:.1f} ({cpu:.1f})")
    rows = []
    for peer in found:
        print(f"  {peer.name} {peer.version} {peer.seconds:.2f} ({peer.cpu:.2f}), of which {peer.start:.2f} to start; "
              f"{peer.agreement}")  # fmt: skip
        faster, alone = peer.name != "vectorbt", peer.seconds - peer.start
        by_wall, by_cpu, severe = peer.seconds / wall, peer.cpu / cpu, alone / wall
        if not faster:
            by_wall, by_cpu, severe = 1 / by_wall, 1 / by_cpu, 1 / severe
        what = "faster than" if faster else "times"
        note = f"processor {by_cpu:.2f}; {severe:.2f} when its start does not count, and openbell's does"
        rows.append(Row(f"signals: {what} {peer.name}, wall", by_wall, peer.asked, faster, note))
    return rows


def ray(work: Workload, fast: range, slow: range) -> list[Row]:
    """A cluster of this machine beside two processes."""
    walls = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size, options in (
            ("two", written(folder, SIGNALS, work, fast[:1], slow[:2])),
            ("all", written(folder, SIGNALS, work, fast, slow)),
        ):
            for executor in ("local", "ray"):
                where = ["--executor", executor, "--jobs", "2", "--out", f"{size}-{executor}"]
                walls[size, executor] = timed(folder, "sweep", "pairs.json", *options, *where)[1]
    start = walls["two", "ray"] - walls["two", "local"]
    print(f"ray, {len(fast) * len(slow)} points: {walls['all', 'ray']:.1f} s, start {start:.1f} s; "
          f"local {walls['all', 'local']:.1f} s")  # fmt: skip
    beyond = (walls["all", "ray"] - start) / walls["all", "local"] - 1
    return [Row("Ray beyond its start, by local processes", beyond, 0.1)]


def main(words: list[str]) -> None:
    """Measure the parts that are asked for, and print each target."""
    quick = "--quick" in words
    parts = [part for part in PARTS if part in words] or PARTS
    work, fast, slow = (QUICK, FAST[:2], SLOW[:4]) if quick else (FULL[1], FAST, SLOW)
    rows: list[Row] = []
    measured: dict[str, Any] = {
        "signals": lambda: points(SIGNALS, work, fast, slow),
        "orders": lambda: points(ORDERS, work, fast, slow),
        "peers": lambda: peers(work),
        "ray": lambda: ray(work, fast, slow),
    }
    for part in parts:
        rows += measured[part]()
    print(*rows, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])

"""What a point of a sweep costs beside a run of its own: ``python -m benchmarks.sweep_points [--quick] [--ray]``.

EMA pairs on the bars of workload 2. A single run is a process of its own, start and loading included; a point is the
sweep's whole process by the number of its points. Processor time is compared, because other programs change the
wall's; the wall's is shown for two processes beside one, which only a quiet machine can tell. The single run is the
mean of three pairs, the first, the middle and the last one: a pair that trades more takes longer.

With ``--ray``, the grid on a Ray cluster of this machine beside two processes, and what a cluster takes to start (two
points beside two points).
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.workloads import FULL, Workload

FAST, SLOW = range(5, 13), range(15, 79, 8)
"""64 pairs."""


def config_of(work: Workload) -> dict[str, Any]:
    """The config that both run."""
    days = work.days
    return {
        "session_name": "pairs",
        "store": str(work.data()),
        "backtest_config": {"start_date": str(days[0]), "end_date": str(days[-1])},
        "session_data_config": {"symbols": work.symbols, "streams": ["1m", "5m"]},
        "strategies": [
            {"module": "openbell.examples.ema_cross:EmaCross", "config": {"fast": FAST[0], "slow": SLOW[0]}}
        ],
        "execution": {"cash": 100_000, "signals": {"BUY": {"percent": 5}, "SELL": "close"}},
    }


def timed(folder: Path, *words: str) -> tuple[float, float]:
    """Run a command of openbell, and return the seconds of its processes, and those of the wall."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "openbell", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env=dict(os.environ),
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - began


def measure(work: Workload, fast: range, slow: range) -> dict[str, float]:
    """Measure a single run, and sweeps with one process and with two."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pairs.json").write_text(json.dumps(config_of(work)))
        pairs = grid(fast, slow)
        points = len(fast) * len(slow)
        single = (
            sum(timed(folder, "run", single_run(work, folder, fast[at], slow[at]))[0] for at in (0, len(fast) // 2, -1))
            / 3
        )
        one, one_wall = timed(folder, "sweep", "pairs.json", *pairs, "--out", "one", "--jobs", "1")
        two, two_wall = timed(folder, "sweep", "pairs.json", *pairs, "--out", "two", "--jobs", "2")
    return {
        "points": points,
        "single_run_cpu_s": single,
        "point_cpu_s": one / points,
        "point_by_single_run": one / points / single,
        "two_jobs_point_cpu_s": two / points,
        "two_jobs_faster_by_wall": one_wall / two_wall,
    }


def single_run(work: Workload, folder: Path, fast: int, slow: int) -> str:
    """Write the config of one pair, and return the name of its file."""
    config = config_of(work)
    config["strategies"][0]["config"] = {"fast": fast, "slow": slow}
    (folder / f"{fast}-{slow}.json").write_text(json.dumps(config))
    return f"{fast}-{slow}.json"


def grid(fast: range, slow: range) -> list[str]:
    """The options that name the pairs."""
    return [
        *("--set", f"strategies.0.config.fast={fast.start}:{fast[-1]}:{fast.step}"),
        *("--set", f"strategies.0.config.slow={slow.start}:{slow[-1]}:{slow.step}"),
    ]


def measure_ray(work: Workload, fast: range, slow: range) -> dict[str, float]:
    """Measure sweeps of two points and of all, with two processes and on a cluster of this machine, by the wall."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pairs.json").write_text(json.dumps(config_of(work)))
        walls = {}
        for size, pairs in (("two", grid(fast[:1], slow[:2])), ("all", grid(fast, slow))):
            for executor in ("local", "ray"):
                options = ["--executor", executor, "--jobs", "2", "--out", f"{size}-{executor}"]
                walls[size, executor] = timed(folder, "sweep", "pairs.json", *pairs, *options)[1]
    start = walls["two", "ray"] - walls["two", "local"]
    return {
        "ray_points": len(fast) * len(slow),
        "ray_start_s": start,
        "local_all_s": walls["all", "local"],
        "ray_all_s": walls["all", "ray"],
        "ray_beyond_start": (walls["all", "ray"] - start) / walls["all", "local"] - 1,
    }


def main() -> None:
    quick = "--quick" in sys.argv[1:]
    work = Workload("derived", "2 derived", 10, 20, interval="5m") if quick else FULL[1]
    if "--ray" in sys.argv[1:]:
        found = measure_ray(work, FAST, SLOW)
    else:
        found = measure(work, FAST[:2] if quick else FAST, SLOW[:4] if quick else SLOW)
    for key, value in found.items():
        print(f"{key:26} {value:10.3f}")


if __name__ == "__main__":
    main()

"""What a point of a sweep costs beside a run of its own: ``python -m benchmarks.sweep_points [--quick]``.

EMA pairs on the bars of workload 2. A single run is a process of its own, start and loading included; a point is the
sweep's whole process by the number of its points. Processor time is compared, because other programs change the
wall's; the wall's is shown for two processes beside one, which only a quiet machine can tell.
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
        pairs = [
            *("--set", f"strategies.0.config.fast={fast.start}:{fast[-1]}:{fast.step}"),
            *("--set", f"strategies.0.config.slow={slow.start}:{slow[-1]}:{slow.step}"),
        ]
        points = len(fast) * len(slow)
        single, _ = timed(folder, "run", "pairs.json")
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


def main() -> None:
    quick = "--quick" in sys.argv[1:]
    work = Workload("derived", "2 derived", 10, 20, interval="5m") if quick else FULL[1]
    found = measure(work, FAST[:2] if quick else FAST, SLOW[:4] if quick else SLOW)
    for key, value in found.items():
        print(f"{key:26} {value:10.3f}")


if __name__ == "__main__":
    main()

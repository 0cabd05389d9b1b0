"""Whether time grows in proportion to symbols and to days: the slope of a straight line through the logarithms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from benchmarks import engines
from benchmarks.workloads import Workload

SYMBOLS = Workload("scaling", "symbols", 1000, 2, interval="5m")
DAYS = Workload("scaling", "days", 10, 252)


def measure_scaling(repeats: int = 3) -> dict[str, Any]:
    """openbell's whole time over 10 to 1,000 symbols (2 sessions, 5m) and over 10 to 252 sessions (10 symbols, 1m)."""
    everything = SYMBOLS.job()
    by_symbols = {
        count: {**everything, "symbols": SYMBOLS.symbols[:count]} for count in (10, 32, 100, 316, SYMBOLS.symbol_count)
    }
    year = DAYS.job()
    by_days = {
        count: {**year, "last_day": str(replace(DAYS, session_count=count).days[-1])}
        for count in (10, 32, 100, DAYS.session_count)
    }
    return {"symbols": _slope(by_symbols, repeats), "days": _slope(by_days, repeats)}


def _slope(jobs: dict[int, dict[str, Any]], repeats: int) -> dict[str, Any]:
    """Best times of each size, and the slope of their logarithms."""
    seconds: dict[int, float] = {}
    for _ in range(repeats):
        for count, job in jobs.items():
            result = engines.run("openbell", job)
            if "failed" in result:
                return {"failed": result["failed"]}
            print(f"  {count}: {result['load_s'] + result['run_s']:.3f} s", flush=True)
            seconds[count] = min(seconds.get(count, np.inf), result["load_s"] + result["run_s"])
    slope = np.polyfit(np.log(list(seconds)), np.log(list(seconds.values())), 1)[0]
    return {"seconds": seconds, "slope": round(float(slope), 3)}

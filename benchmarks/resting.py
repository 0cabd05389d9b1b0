"""Limit orders that rest far from the market all run long, beside the same run without them."""

from __future__ import annotations

from typing import Any

from benchmarks import engines
from benchmarks.workloads import RESTING

ORDERS = 100_000


def measure_resting(repeats: int = 3) -> dict[str, Any]:
    """Run the strategy with its orders and without, in turn; the fastest of each counts."""
    seconds: dict[int, list[float]] = {0: [], ORDERS: []}
    for _ in range(repeats):
        for orders, taken in seconds.items():
            extra = {"strategy": "RestingLimits", "market": "next_open", "strategy_config": {"orders": orders}}
            result = engines.run("openbell", {**RESTING.job(), **extra}, "_orders")
            if "failed" in result:
                return result
            taken.append(result["load_s"] + result["run_s"])
    without, with_orders = (min(taken) for taken in seconds.values())
    return {"without_s": without, "with_s": with_orders, "ratio": with_orders / without}

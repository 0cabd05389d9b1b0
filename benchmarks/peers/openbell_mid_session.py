"""Additions into a running session: how long each takes, and how long the bars of other symbols wait meanwhile.

Cold: the process has read none of the symbol's bars. Warm: they are in its memory. One symbol an addition; a strategy
makes one each minute. Then the same from another thread, while the strategy notes when its bars come.
"""

from __future__ import annotations

import gc
import threading
import time
from datetime import date
from typing import Any

import numpy as np
from benchmarks.mid_session import OPERATIONS, PAUSE_S, Adder, Watcher
from benchmarks.peers.common import clock, job, settle, tell

from openbell.config import load_config
from openbell.engine.system import SystemManager
from openbell.indicators.talib_module import talib_module


def config(work: dict[str, Any], watched: list[str], strategy: str) -> dict[str, Any]:
    """One session with a few symbols, and what each symbol that is added gets."""
    return {
        "session_name": "mid-session",
        "backtest_config": {"start_date": work["first_day"], "end_date": work["first_day"]},
        "session_data_config": {
            "symbols": watched,
            "streams": ["1m", "5m"],
            "historical": {"data": [{"trailing_days": 2, "intervals": ["1m", "5m"]}]},
            "indicators": [{"name": "ema", "period": period, "interval": "5m"} for period in (10, 20)],
        },
        "strategies": [{"module": f"benchmarks.mid_session:{strategy}", "config": {"watched": watched}}],
    }


def made(work: dict[str, Any], watched: list[str], strategy: str, warm: list[str]) -> SystemManager:
    """A system that has read nothing but the bars of ``warm``."""
    system = SystemManager(load_config(config(work, watched, strategy)), store=work["store"])
    if warm:
        first = date.fromisoformat(work["history_day"])
        system.data_manager.prefetch(warm, "1m", first, date.fromisoformat(work["first_day"]))
    gc.collect()
    return system


def percentiles(values: list[float]) -> dict[str, float]:
    """p50, p95, p99 and the most, in ms."""
    found = np.percentile(values, (50, 95, 99, 100))
    return dict(zip(("p50", "p95", "p99", "max"), np.round(found, 3).tolist(), strict=True)) | {"count": len(values)}


def additions(work: dict[str, Any], operation: str, *, warm: bool) -> dict[str, float]:
    """Each symbol added by a strategy, one a minute."""
    watched, others = work["symbols"][:5], work["symbols"][5:]
    Adder.operation, Adder.pending, Adder.took_ms = operation, others.copy(), []
    made(work, watched, "Adder", others if warm else []).run()
    return percentiles(Adder.took_ms)


def waits(work: dict[str, Any], operation: str, *, warm: bool) -> dict[str, float]:
    """How much later than at its pace each bar came while another thread was adding symbols."""
    watched, others = work["symbols"][:5], work["symbols"][5:]
    adding: list[float] = []

    def add(context: Any) -> None:
        for symbol in others:
            time.sleep(PAUSE_S)
            adding.append(clock())
            OPERATIONS[operation](context, symbol)
        adding.append(clock())

    Watcher.seen = []
    Watcher.adder = lambda context: threading.Thread(target=add, args=(context,), daemon=True).start()
    made(work, watched, "Watcher", others if warm else []).run()
    seen = np.array(Watcher.seen)
    meanwhile = (seen[1:] > adding[0]) & (seen[:-1] < adding[-1])
    return percentiles((np.diff(seen)[meanwhile] - PAUSE_S) * 1000)


def main() -> None:
    """All operations, cold and warm; tell."""
    work = job()
    talib_module().get_functions()  # without pandas, which talib by itself would import
    settle()
    found: dict[str, Any] = {"took_ms": {}, "wait_ms": {}}
    additions({**work, "symbols": work["symbols"][:20]}, "add_symbol", warm=False)  # imports and compiles what it needs
    for operation in OPERATIONS:
        for warm in (False, True):
            name = f"{operation}, {'warm' if warm else 'cold'}"
            found["took_ms"][name] = additions(work, operation, warm=warm)
            found["wait_ms"][name] = waits(work, operation, warm=warm)
    tell(work, **found)


if __name__ == "__main__":
    main()

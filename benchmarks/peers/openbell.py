"""openbell: a session config and a strategy as a user writes them; sessions are provisioned afresh every day."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import talib

from benchmarks import strategies
from benchmarks.peers.common import clock, job, memory_mb, settle, tell

from openbell.config import load_config
from openbell.system import SystemManager


def config(work: dict[str, Any]) -> dict[str, Any]:
    """The session config of the crossings."""
    interval = work["interval"]
    return {
        "session_name": work["workload"],
        "backtest_config": {"start_date": work["first_day"], "end_date": work["last_day"]},
        "session_data_config": {
            "symbols": work["symbols"],
            "streams": list(dict.fromkeys((work["stored"], interval))),
            "indicators": [{"name": "ema", "period": period, "interval": interval} for period in (10, 20)],
        },
        "strategies": [{"module": "benchmarks.strategies:EmaCross", "config": {"interval": interval}}],
    }


def main() -> None:
    """Run, tell; whatever is not the stream of bars counts as loading."""
    work = job()
    talib.get_functions()
    settle()
    base_mb, started = memory_mb("VmRSS"), clock()
    system = SystemManager(load_config(config(work)), store=work["store"])
    summary = system.run()
    total_s = clock() - started
    run_s = summary["timing"]["run_s"]
    crossings = strategies.crossings
    read = system.session_data.get_indicator
    crossings.final = {
        symbol: tuple(read(symbol, f"ema_{period}_{work['interval']}").value for period in (10, 20))
        for symbol in work["symbols"]
    }
    tell(work, crossings, load_s=total_s - run_s, run_s=run_s, base_mb=base_mb, version=version("openbell"))


if __name__ == "__main__":
    main()

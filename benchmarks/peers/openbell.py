"""openbell: session configs and strategies as a user writes them; sessions are provisioned afresh every day."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import polars as pl
from benchmarks import strategies
from benchmarks.peers.common import clock, job, memory_mb, settle, tell

from openbell.config import load_config
from openbell.engine.system import SystemManager
from openbell.indicators.talib_module import talib_module


def config(work: dict[str, Any]) -> dict[str, Any]:
    """The session config of a workload."""
    interval = work["interval"]
    data: dict[str, Any] = {"symbols": work["symbols"], "streams": list(dict.fromkeys((work["stored"], interval)))}
    data["indicators"] = [{"name": "ema", "period": period, "interval": interval} for period in (10, 20)]
    components: dict[str, Any] = {
        "strategies": [{"module": "benchmarks.strategies:EmaCross", "config": {"interval": interval}}]
    }
    if work["workload"] == "wide":
        data["streams"] = ["1m", "5m", "15m"]
        data["indicators"] = [
            {"name": name, "period": int(key.split("_")[1]), "interval": wide_interval}
            for wide_interval in ("5m", "15m")
            for name, key in strategies.WIDE.items()
        ]
        components = {"strategies": [{"module": "benchmarks.strategies:LeadersStrategy"}]}
    if work["workload"] == "universe":
        # A config must name a symbol of its own: the last one that has one-minute bars.
        data |= {"symbols": [work["symbols"][2 * work["keep"] - 1]]}
        scanner = {"module": "benchmarks.strategies:RangeScanner", "config": {"keep": work["keep"]}}
        components = {"scanners": [{**scanner, "pre_session": True, "universe": work["symbols"]}]}
    return {
        "session_name": work["workload"],
        "backtest_config": {"start_date": work["first_day"], "end_date": work["last_day"]},
        "session_data_config": data,
        **components,
    }


def main() -> None:
    """Run, tell; whatever is not the stream of bars counts as loading, what libraries load at first use as imports.

    ``setup_s`` is the part of loading that the days' set-up took: without config, store and calendar, and summaries.
    """
    work = job()
    talib_module().get_functions()  # without pandas, which talib by itself would import
    pl.read_parquet(next(iter(work["files"].values()))[0], n_rows=1)
    settle()
    base_mb, started = memory_mb("VmRSS"), clock()
    system = SystemManager(load_config(config(work)), store=work["store"])
    summary = system.run()
    total_s = clock() - started
    setup_s, run_s = (summary["timing"][name] for name in ("load_s", "run_s"))
    rule = strategies.crossings if strategies.crossings.callbacks else strategies.leaders
    if rule is strategies.crossings:
        read = system.session_data.get_indicator
        keys = [f"ema_{period}_{work['interval']}" for period in (10, 20)]
        rule.final = {symbol: tuple(read(symbol, key).value for key in keys) for symbol in work["symbols"]}
    facts = {"setup_s": setup_s, "run_s": run_s, "base_mb": base_mb, "version": version("openbell")}
    tell(work, rule, load_s=total_s - run_s, **facts)


if __name__ == "__main__":
    main()

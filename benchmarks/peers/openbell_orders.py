"""openbell with orders: the strategy as a user writes it; equity by bar and trades are part of every run."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version

import polars as pl
from benchmarks import order_strategies
from benchmarks.peers.common import clock, job, memory_mb, settle
from benchmarks.peers.openbell import config
from benchmarks.peers.orders import CASH, FEE_PER_UNIT, tell_orders

from openbell.config import load_config
from openbell.engine.system import SystemManager
from openbell.indicators.talib_module import talib_module

TRADING = ("openbell.execution.desk", "openbell.engine.session_trading", "openbell.engine.trading_results")
"""What openbell imports when a run with orders begins; the other engines import theirs before they are timed."""


def main() -> None:
    """Run, tell; what is not the stream of bars counts as loading, as in the workloads without orders."""
    work = job()
    for name in TRADING:
        import_module(name)
    talib_module().get_functions()  # without pandas, which talib by itself would import
    pl.read_parquet(next(iter(work["files"].values()))[0], n_rows=1)
    settle()
    base_mb, started = memory_mb("VmRSS"), clock()
    strategy = {"module": f"benchmarks.order_strategies:{work['strategy']}", "config": work.get("strategy_config", {})}
    if work["strategy"] == "EmaReversals":
        strategy["config"] = {"interval": work["interval"], "from_ns": work["settled_ns"], "to_ns": work["end_ns"]}
    execution = {
        "cash": CASH,
        "fees": {"model": "per_share", "per_share": FEE_PER_UNIT},
        "fills": {"market": work["market"]},
    }
    system = SystemManager(
        load_config({**config(work), "strategies": [strategy], "execution": execution}), store=work["store"]
    )
    result = system.run()
    total_s = clock() - started
    peak_mb = memory_mb()
    days = [day.trading for day in result.days if day.trading is not None]
    fills = [(fill.time_ns, fill.symbol, fill.quantity, fill.price) for day in days for fill in day.fills]
    equity = [float(value) for day in days for value in day.equity.equity]
    assert result.trading is not None
    facts = {
        "load_s": total_s - result.run_s, "setup_s": result.load_s, "run_s": result.run_s,
        "base_mb": base_mb, "peak_mb": peak_mb, "version": version("openbell"),
    }  # fmt: skip
    tell_orders(work, order_strategies.rule, fills, equity, result.trading.performance.fees, **facts)


if __name__ == "__main__":
    main()

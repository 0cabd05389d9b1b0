"""How fast a session runs: 20 symbols x 60 sessions of 1m bars, EMA(10) and EMA(20) on 5m, `on_bar` on every 5m bar;
and how long one ad-hoc indicator takes in a running session on a warm store.

    python benchmarks/session_speed.py
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from synthetic import make_store, sessions, symbols

from openbell.config import IndicatorConfig, load_config
from openbell.strategies.ema_cross import EmaCross
from openbell.system import SystemManager
from openbell.timing.clock import stopwatch

SYMBOLS, SESSIONS, HISTORY, REPEATS = 20, 60, 3, 5
MINUTES = 390


def config(symbol_count: int, days: list) -> dict:
    """A session config over the synthetic store."""
    return {
        "session_name": "speed",
        "backtest_config": {"start_date": str(days[0]), "end_date": str(days[-1])},
        "session_data_config": {
            "symbols": symbols(symbol_count),
            "streams": ["1m", "5m"],
            "indicators": [
                {"name": "ema", "period": 10, "interval": "5m"},
                {"name": "ema", "period": 20, "interval": "5m"},
            ],
        },
        "strategies": [{"module": f"{EmaCross.__module__}:EmaCross"}],
    }


def replay(store: Path) -> None:
    """Bars replayed per second, the loading apart."""
    days = sessions(SESSIONS + HISTORY)[HISTORY:]
    loads, runs, summary = [], [], {}
    for _ in range(REPEATS):
        summary = SystemManager(load_config(config(SYMBOLS, days)), store=store).run()
        loads.append(summary["timing"]["load_s"])
        runs.append(summary["timing"]["run_s"])
    bars = sum(day["bars_streamed"] for day in summary["days"])
    callbacks = sum(day["callbacks"] for day in summary["days"])
    signals = sum(len(day["signals"]) for day in summary["days"])
    run_s, load_s = statistics.median(runs), statistics.median(loads)
    print(f"replay: {bars:,} one-minute bars, {callbacks:,} callbacks, {signals:,} signals")
    print(f"  run  {run_s:.3f} s (median of {REPEATS}): {bars / run_s:,.0f} bars a second")
    print(f"  load {load_s:.3f} s: {load_s / len(days) * 1000:.2f} ms a session")


def ad_hoc(store: Path) -> None:
    """Milliseconds for one ad-hoc indicator: a symbol that is not in the session, its bars in memory."""
    days = sessions(SESSIONS + HISTORY)[-1:]
    some_config = config(1, days)
    some_config["strategies"] = []
    times = []
    for repeat in range(REPEATS * 4):
        system = SystemManager(load_config(some_config), store=store)
        system.coordinator.begin_day(days[0])
        for symbol in symbols(SYMBOLS)[1:]:
            system.data_manager.prefetch([symbol], "1m", sessions(SESSIONS)[-20], days[0])
            watch = stopwatch()
            ok = system.session_data.add_indicator_unified(symbol, IndicatorConfig("sma", period=20, interval="5m"))
            times.append(watch.ms)
            assert ok, repeat
    times.sort()
    p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    print(f"ad-hoc indicator, warm: p50 {p50:.2f} ms, p99 {p99:.2f} ms, max {times[-1]:.2f} ms")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store"
        make_store(path, SYMBOLS, SESSIONS + HISTORY)
        replay(path)
        ad_hoc(path)

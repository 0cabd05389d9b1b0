"""What point-in-time adjustment costs: history across splits against the same raw, and the loads of a backtest.

Once with a split and a dividend in one symbol of ten, once in every symbol, which no market has seen. The latter costs
what it takes to write every column once more into fresh memory: 5 to 8 % of a load from files that the system has in
memory, on the two cores that this was written on.

python benchmarks/adjustment_cost.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from synthetic import make_store, sessions, symbols

from openbell.actions import ACTION_SCHEMA, ActionStore
from openbell.market_data.data_manager import DataManager
from openbell.store.store import BarStore
from openbell.timing import TimeManager
from openbell.timing.clock import stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

SYMBOLS, SESSIONS, TRAILING, REPEATS = 50, 40, 20, 15


def with_actions(folder: Path, days: list[date], every: int) -> None:
    """Every so many symbols split 7 for 1 in the middle of the days, and pay a dividend a week before."""
    rows = [
        (symbol, day, kind, value, None, None)
        for symbol in symbols(SYMBOLS)[::every]
        for day, kind, value in ((days[-20], "split", 7.0), (days[-25], "dividend", 0.5))
    ]
    ActionStore(folder).write(pl.DataFrame(rows, schema=ACTION_SCHEMA, orient="row").sort("symbol", "ex_date", "type"))


def cold_load(store: Path, time_manager: TimeManager, days: list[date], adjustment: str) -> float:
    """Seconds to open a store and load all symbols' bars of all days, as known on the last one."""
    watch = stopwatch()
    manager = DataManager(BarStore.open(store), time_manager, adjustment=adjustment).on_day(days[-1])
    manager.prefetch(symbols(SYMBOLS), "1m", days[0], days[-1])
    for symbol in symbols(SYMBOLS):
        manager.load_historical_bars(symbol, "1m", days[0], days[-1])
    return watch.seconds


def backtest(store: Path, time_manager: TimeManager, days: list[date], adjustment: str) -> float:
    """Seconds for the loads of a backtest, as the coordinator does them.

    On each day, all symbols' stored bars are brought into memory together, then each symbol's 1m and 5m bars of the
    trailing sessions are asked for.
    """
    watch = stopwatch()
    manager = DataManager(BarStore.open(store), time_manager, adjustment=adjustment, horizon=days[-1])
    for place in range(TRAILING, len(days)):
        known = manager.on_day(days[place])
        known.prefetch(symbols(SYMBOLS), "1m", days[place - TRAILING], days[place])
        for symbol in symbols(SYMBOLS):
            for interval in ("1m", "5m"):
                known.load_historical_bars(symbol, interval, days[place - TRAILING], days[place])
    return watch.seconds


def main() -> None:
    days = sessions(SESSIONS)
    time_manager = TimeManager("XNYS")
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        make_store(store, SYMBOLS, SESSIONS)
        print(f"{SYMBOLS} symbols x {SESSIONS} sessions of 1m bars; the best of {REPEATS}")
        for every in (10, 1):
            with_actions(store, days, every)
            print(f"a split and a dividend in {SYMBOLS // every} symbols")
            for name, load in (("cold load", cold_load), ("backtest's loads", backtest)):
                report(name, load, store, time_manager, days)


def report(name: str, load: Callable[..., float], store: Path, time_manager: TimeManager, days: list[date]) -> None:
    """Time a load with each adjustment, in turns; the best, as other work on the machine only adds to it."""
    times: dict[str, list[float]] = {"raw": [], "split": [], "total": []}
    for _ in range(REPEATS):
        for adjustment, seconds in times.items():
            seconds.append(load(store, time_manager, days, adjustment))
    for adjustment, seconds in times.items():
        print(f"  {name:17} {adjustment:5} {min(seconds) * 1000:8.1f} ms  x {min(seconds) / min(times['raw']):.3f}")


if __name__ == "__main__":
    main()

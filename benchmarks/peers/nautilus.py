"""NautilusTrader: bars as its Cython objects, its own EMA registered with the bars, `on_bar` on each.

The fastest of its public ways: `Bar.from_raw_arrays_to_list` instead of the wrangler, no logging, no bar execution in
the simulated exchange (the strategy sends no orders), no analysis after the run.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
from benchmarks.peers.common import Crossings, clock, job, memory_mb, read_with_pyarrow, settle, tell
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig
from nautilus_trader.data.config import DataEngineConfig
from nautilus_trader.indicators import ExponentialMovingAverage
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

VENUE = "SIM"
DELAY_NS = 15_000
"""Bars that it builds itself are stamped so much after their close; see `loaded_engine`."""
COLUMNS = ["open", "high", "low", "close", "volume"]


class EmaCross(Strategy):
    """Watches the crossings of all symbols."""

    def __init__(self, symbols: list[str], minutes: int) -> None:
        super().__init__()
        self.symbols, self.minutes = symbols, minutes
        self.late_ns = DELAY_NS if minutes > 1 else 0
        self.crossings = Crossings()
        self.averages: dict[BarType, tuple[str, Any, Any]] = {}

    def on_start(self) -> None:
        for symbol in self.symbols:
            stored = f"{symbol}.{VENUE}-1-MINUTE-LAST-EXTERNAL"
            derived = f"{symbol}.{VENUE}-{self.minutes}-MINUTE-LAST-INTERNAL@1-MINUTE-EXTERNAL"
            bar_type = BarType.from_str(stored if self.minutes == 1 else derived)
            fast, slow = ExponentialMovingAverage(10), ExponentialMovingAverage(20)
            self.register_indicator_for_bars(bar_type, fast)
            self.register_indicator_for_bars(bar_type, slow)
            self.averages[bar_type.standard()] = (symbol, fast, slow)
            self.subscribe_bars(bar_type)

    def on_bar(self, bar: Bar) -> None:
        symbol, fast, slow = self.averages[bar.bar_type]
        self.crossings.see(symbol, bar.ts_event - self.late_ns, fast.value, slow.value)


def bars_of(symbol: str, columns: dict[str, np.ndarray]) -> list[Bar]:
    """The stored bars as objects, stamped with their close."""
    ends = (columns["timestamp"] + 60_000_000_000).astype(np.uint64)
    bar_type = BarType.from_str(f"{symbol}.{VENUE}-1-MINUTE-LAST-EXTERNAL")
    # The arrays must be writable: it takes them as buffers.
    values = [np.array(columns[name]) for name in COLUMNS]
    return Bar.from_raw_arrays_to_list(bar_type, 2, 0, *values, ends, ends)


def loaded_engine(work: dict[str, Any]) -> BacktestEngine:
    """Return an engine with the bars of a job, which has no strategy yet."""
    engine = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True),
            # Minutes without bars build none; the delay lets a minute's own bar come before the bar that it closes.
            data_engine=DataEngineConfig(time_bars_build_with_no_updates=False, time_bars_build_delay=DELAY_NS // 1000),
            run_analysis=False,
        )
    )
    money = [Money(1_000_000, USD)]
    engine.add_venue(Venue(VENUE), OmsType.NETTING, AccountType.CASH, money, bar_execution=False)
    for symbol in work["symbols"]:
        engine.add_instrument(TestInstrumentProvider.equity(symbol, VENUE))
    for symbol, columns in read_with_pyarrow(work, COLUMNS).items():
        engine.add_data(bars_of(symbol, columns), sort=False)
    engine.sort_data()
    return engine


def main() -> None:
    """Load, run, tell."""
    work = job()
    settle()
    base_mb, started = memory_mb("VmRSS"), clock()
    engine = loaded_engine(work)
    strategy = EmaCross(work["symbols"], work["minutes"])
    engine.add_strategy(strategy)
    load_s = clock() - started
    started = clock()
    engine.run(end=work["end_ns"] + 1_000_000_000)
    run_s = clock() - started
    crossings = strategy.crossings
    crossings.final = {symbol: (fast.value, slow.value) for symbol, fast, slow in strategy.averages.values()}
    tell(work, crossings, load_s=load_s, run_s=run_s, base_mb=base_mb, version=version("nautilus_trader"))


if __name__ == "__main__":
    main()

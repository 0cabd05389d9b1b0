"""NautilusTrader: a loop over runs of one engine with its bars, `reset` and a new strategy for each pair."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from benchmarks.peers import nautilus
from benchmarks.peers.common import job, read_with_pyarrow, settle
from benchmarks.peers.nautilus import COLUMNS, DELAY_NS, VENUE, bars_of
from benchmarks.peers.sweeps import Found, Stopwatch, of_pair, tell_pairs
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig
from nautilus_trader.data.config import DataEngineConfig
from nautilus_trader.indicators import ExponentialMovingAverage
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.test_kit.providers import TestInstrumentProvider


class EmaCross(nautilus.EmaCross):
    """Watches the crossings of one pair of averages."""

    def __init__(self, symbols: list[str], minutes: int, pair: tuple[int, int]) -> None:
        super().__init__(symbols, minutes)
        self.pair = pair

    def on_start(self) -> None:
        for symbol in self.symbols:
            bar_type = BarType.from_str(f"{symbol}.{VENUE}-{self.minutes}-MINUTE-LAST-INTERNAL@1-MINUTE-EXTERNAL")
            averages: list[Any] = [ExponentialMovingAverage(period) for period in self.pair]
            for average in averages:
                self.register_indicator_for_bars(bar_type, average)
            self.averages[bar_type.standard()] = (symbol, *averages)
            self.subscribe_bars(bar_type)


def main() -> None:
    """Load, run, tell."""
    work = job()
    settle()
    watch = Stopwatch()
    engine = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True),
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
    load = watch.facts("load")
    watch, found = Stopwatch(), list[Found]()
    for pair in work["pairs"]:
        strategy = EmaCross(work["symbols"], work["minutes"], tuple(pair))
        engine.add_strategy(strategy)
        engine.run(end=work["end_ns"] + 1_000_000_000)
        found.append(of_pair(tuple(pair), strategy.crossings.found))
        engine.reset()
        engine.clear_strategies()
    run = watch.facts("run")
    tell_pairs(work, [one for of in found for one in of], **load, **run, version=version("nautilus_trader"))


if __name__ == "__main__":
    main()

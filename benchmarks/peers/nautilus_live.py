"""NautilusTrader's live path: its `LiveDataEngine`, fed through its queue on an event loop, with its own indicators.

Its clock is a `TestClock`, so that a day passes at once: what closes 5m and 15m bars are that clock's timers. The
client answers subscriptions and sends nothing, for bars are handed to the engine as a live client hands them over.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from importlib.metadata import version
from typing import Any

import numpy as np
from nautilus_trader.backtest.data_client import BacktestMarketDataClient
from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import MessageBus, TestClock
from nautilus_trader.indicators import (
    AverageTrueRange,
    ExponentialMovingAverage,
    RateOfChange,
    RelativeStrengthIndex,
    SimpleMovingAverage,
)
from nautilus_trader.live.config import LiveDataEngineConfig
from nautilus_trader.live.data_engine import LiveDataEngine
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.identifiers import ClientId, TraderId, Venue
from nautilus_trader.portfolio.portfolio import Portfolio
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

VENUE = "SIM"
MINUTE_NS = 60_000_000_000
DELAY_US = 15
FIRST_NS = 1_719_927_000_000_000_000
"""Open of the session that openbell plays beside it."""


def clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


class Watches(Strategy):
    """Keeps the last close and RSI of each symbol, and looks at their highest when a minute is whole."""

    def __init__(self, symbols: list[str]) -> None:
        super().__init__()
        self.symbols = symbols
        self.closes: dict[BarType, float] = {}
        self.strengths: dict[BarType, Any] = {}
        self.derived = 0
        self.looked = 0

    def on_start(self) -> None:
        for symbol in self.symbols:
            stored = BarType.from_str(f"{symbol}.{VENUE}-1-MINUTE-LAST-EXTERNAL")
            strength = self.strengths[stored] = RelativeStrengthIndex(14)
            kinds = [SimpleMovingAverage(20), ExponentialMovingAverage(10), AverageTrueRange(14), RateOfChange(10)]
            self._subscribe(stored, [strength, *kinds])
            base = "INTERNAL@1-MINUTE-EXTERNAL"
            five = [SimpleMovingAverage(10), ExponentialMovingAverage(20), RelativeStrengthIndex(14)]
            self._subscribe(BarType.from_str(f"{symbol}.{VENUE}-5-MINUTE-LAST-{base}"), five)
            fifteen = [SimpleMovingAverage(10), ExponentialMovingAverage(10)]
            self._subscribe(BarType.from_str(f"{symbol}.{VENUE}-15-MINUTE-LAST-{base}"), fifteen)

    def _subscribe(self, bar_type: BarType, indicators: list[Any]) -> None:
        for indicator in indicators:
            self.register_indicator_for_bars(bar_type, indicator)
        self.subscribe_bars(bar_type)

    def on_bar(self, bar: Bar) -> None:
        if bar.bar_type not in self.strengths:
            self.derived += 1
            return
        self.closes[bar.bar_type] = bar.close.as_double()
        if len(self.closes) == len(self.symbols):
            max(self.closes.values())
            max(one.value for one in self.strengths.values())
            self.closes.clear()
            self.looked += 1


def bars_of(symbols: list[str], minutes: int) -> list[list[Bar]]:
    """Return the bars of each minute."""
    random = np.random.default_rng(1)
    ends = (FIRST_NS + MINUTE_NS * np.arange(1, minutes + 1)).astype(np.uint64)
    columns = []
    for symbol in symbols:
        close = (100 * np.exp(np.cumsum(random.normal(0, 0.0004, minutes)))).round(2)
        opened = np.append(100.0, close[:-1])
        high, low = np.maximum(opened, close) + 0.01, np.minimum(opened, close) - 0.01
        kind = BarType.from_str(f"{symbol}.{VENUE}-1-MINUTE-LAST-EXTERNAL")
        volume = np.full(minutes, 1000.0)
        columns.append(Bar.from_raw_arrays_to_list(kind, 2, 0, opened, high, low, close, volume, ends, ends))
    return [list(minute) for minute in zip(*columns, strict=True)]


async def play(count: int, minutes: int) -> None:
    symbols = [f"S{n:04d}" for n in range(count)]
    minute_bars = bars_of(symbols, minutes)
    clock = TestClock()
    clock.set_time(FIRST_NS - MINUTE_NS)
    bus, cache = MessageBus(trader_id=TraderId("BENCH-001"), clock=clock), Cache(database=None)
    portfolio = Portfolio(msgbus=bus, cache=cache, clock=clock)
    config = LiveDataEngineConfig(time_bars_build_with_no_updates=False, time_bars_build_delay=DELAY_US)
    engine = LiveDataEngine(asyncio.get_running_loop(), bus, cache, clock, config)
    client = BacktestMarketDataClient(ClientId(VENUE), bus, cache, clock)
    engine.register_client(client)
    engine.register_venue_routing(client, Venue(VENUE))
    for symbol in symbols:
        instrument = TestInstrumentProvider.equity(symbol, VENUE)
        cache.add_instrument(instrument)
    strategy = Watches(symbols)
    strategy.register(TraderId("BENCH-001"), portfolio, bus, cache, clock)
    engine.start()
    strategy.start()
    while engine.cmd_qsize() or not engine.subscribed_bars():
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    took = []
    for n, bars in enumerate(minute_bars):
        end_ns = FIRST_NS + (n + 1) * MINUTE_NS
        # Up to the close, so that the timers of bars that close now have not fired when the last bar comes.
        for handler in clock.advance_time(end_ns):
            handler.handle()
        begun, seen = clocks(), engine.data_count
        for bar in bars:
            engine.process(bar)
        while engine.data_qsize() or engine.data_count < seen + len(bars):
            await asyncio.sleep(0)
        for handler in clock.advance_time(end_ns + 2000 * DELAY_US):
            handler.handle()
        # Bars that it makes go through the queue, too.
        while engine.data_qsize() or strategy.derived < count * ((n + 1) // 5 + (n + 1) // 15):
            await asyncio.sleep(0)
        took.append(tuple(np.subtract(clocks(), begun)))
    engine.stop()
    assert strategy.looked == minutes, strategy.looked
    derived = count * (minutes // 5 + minutes // 15)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    told = {"took": took, "derived": strategy.derived, "derived_due": derived, "mb": memory}
    print(json.dumps(told | {"version": version("nautilus_trader")}))


if __name__ == "__main__":
    asyncio.run(play(*map(int, sys.argv[1:])))

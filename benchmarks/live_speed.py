"""Time from the arrival of a minute's last bar to the end of the strategy's ``on_slice``, in a live session.

``python -m benchmarks.live_speed [SYMBOLS] [MINUTES]`` takes made-up 1m bars of so many symbols that arrive together,
with 5m and 15m derived and ten indicators each, and prints percentiles by wall time and by processor time.
"""

from __future__ import annotations

import contextlib
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from openbell.components.strategy import Strategy
from openbell.config import load_config
from openbell.feeds.replay import ReplayFeed
from openbell.live.parts import Stopped
from openbell.live.run import LiveRun
from openbell.model.feed_events import FeedBar
from openbell.results.run_folder import RunFolder
from openbell.store.store import BarStore
from openbell.testing import bar_starts, make_store, random_bars
from openbell.timing import TimeManager
from openbell.timing.clock import SimulatedClock

if TYPE_CHECKING:
    from openbell.session.cross_section import CrossSection

FIRST, DAY = "2024-06-28", "2024-07-02"
INDICATORS = [
    {"name": name, "period": period, "interval": interval}
    for name, period, interval in (
        *(("sma", 20, "1m"), ("ema", 10, "1m"), ("rsi", 14, "1m"), ("atr", 14, "1m"), ("roc", 10, "1m")),
        *(("sma", 10, "5m"), ("ema", 20, "5m"), ("rsi", 14, "5m"), ("sma", 10, "15m"), ("ema", 10, "15m")),
    )
]
Clocks = tuple[float, float]


def clocks() -> Clocks:
    return time.perf_counter(), time.process_time()


class Timed(Strategy):
    """Reads a column of bars and one of an indicator, and notes when it has."""

    ends: ClassVar[dict[int, Clocks]] = {}

    def subscriptions(self) -> list[tuple[str, str]]:
        return [(symbol, interval) for symbol in self.context.symbols for interval in ("1m", "5m", "15m")]

    def on_slice(self, bars: CrossSection) -> None:
        if bars.interval == "1m":
            bars.close.max()
            bars.indicator("rsi_14_1m").max()
        self.ends[bars.end] = clocks()


class TimedReplay(ReplayFeed):
    """Notes when it hands out the last bar of each minute, and ends after some minutes."""

    minutes = 0

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.begins: dict[int, Clocks] = {}

    def next(self, until_ns: int):
        arrival = super().next(until_ns)
        if arrival is not None and isinstance(arrival.event, FeedBar):
            if arrival.time_ns not in self.begins and len(self.begins) > self.minutes:
                raise Stopped
            self.begins[arrival.time_ns] = clocks()
        return arrival


def main(symbols: int = 500, minutes: int = 60) -> None:
    folder = Path(tempfile.mkdtemp())
    names = [f"S{n:04d}" for n in range(symbols)]
    starts = bar_starts(FIRST, DAY)
    make_store(folder / "store", {name: {"1m": random_bars(starts, seed=n)} for n, name in enumerate(names)})
    time_manager = TimeManager("XNYS", clock=SimulatedClock())
    config = load_config(
        {
            "backtest_config": {"start_date": DAY, "end_date": DAY},
            "session_data_config": {
                "symbols": names,
                "streams": ["1m", "5m", "15m"],
                "indicators": INDICATORS,
                "on_shortfall": "warm",
            },
            "strategies": [{"module": "benchmarks.live_speed:Timed"}],
        }
    )
    from benchmarks.live_speed import Timed as Noted  # the class that the engine loads

    days = time_manager.sessions(config.backtest_config.start_date, config.backtest_config.end_date)
    feed = TimedReplay(BarStore.open(folder / "store"), time_manager, ("1m",))
    feed.minutes = minutes
    feed.begin(days[0])
    run = LiveRun(config, feed, folder / "run", days, time_manager)
    with contextlib.suppress(Stopped):
        run.run(RunFolder(folder / "run", config))
    took = np.array([np.subtract(Noted.ends[t], feed.begins[t]) for t in feed.begins if t in Noted.ends]) * 1000
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{symbols} symbols, {len(took)} minutes, {memory} MB")
    for name, column in zip(("wall", "processor"), took.T, strict=True):
        low, high, highest = np.percentile(column, [50, 99, 100])
        print(f"  {name:9} median {low:7.1f} ms, p99 {high:7.1f} ms, most {highest:7.1f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""Whole sessions over a real socket, by a server that misbehaves, end as their backtest does."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from live.server import FeedServer
from live.tape import Tape, some, wrong
from live.virtual_time import S, VirtualArrivals
from openbell.config import load_config
from openbell.live.record.verify import Verification, verify_run
from openbell.live.run import LiveRun
from openbell.model.feed_events import FeedBar
from openbell.results.folder.run_folder import RunFolder
from openbell.store.store import BarStore
from openbell.timing import TimeManager
from openbell.timing.clock import SimulatedClock

if TYPE_CHECKING:
    from pathlib import Path

MINUTE = 60 * S
DAY = 24 * 60 * MINUTE

STRATEGIES = """
from openbell import IndicatorConfig, Scanner, Signal, Strategy

class Cross(Strategy):
    def subscriptions(self):
        return [(symbol, "5m") for symbol in self.context.symbols]

    def setup(self):
        self.prepare(self.context.symbols)

    def on_symbol_added(self, symbol):
        self.prepare([symbol])

    def prepare(self, symbols):
        average = IndicatorConfig("sma", period=3, interval="5m")
        self.context.add_indicators(symbols, [average, IndicatorConfig("vwap", interval="1m")])

    def on_bar(self, bar):
        fast = self.context.session_data.get_indicator(bar.symbol, "sma_3_5m")
        if fast is None or fast.value is None:
            return None
        held = self.context.portfolio.position(bar.symbol).quantity
        if bar.close > fast.value and not held:
            self.context.order(bar.symbol, 10)
            return Signal(bar.symbol, "BUY", f"{fast.value:.6f}")
        if bar.close < fast.value and held:
            self.context.close(bar.symbol)
            return Signal(bar.symbol, "SELL", f"{fast.value:.6f}")

class Slices(Strategy):
    def subscriptions(self):
        return [(symbol, "1m") for symbol in self.context.symbols]

    def on_slice(self, bars):
        return [Signal(symbol, "SEEN", f"{close:.4f} {bars.end}") for symbol, close in zip(bars.symbols, bars.close)]

    def on_revision(self, old, new):
        self.context.state["revised"] = self.context.state.get("revised", 0) + 1

class Later(Scanner):
    def scan(self):
        self.context.add_symbol("BAC")
        return ["BAC"]
"""


def config_of(folder: Path, **more: Any) -> dict[str, Any]:
    (folder / "parts.py").write_text(STRATEGIES)
    return {
        "backtest_config": {"start_date": "2013-10-10", "end_date": "2013-10-10"},
        "session_data_config": {
            "symbols": ["SPY", "IBM", "AIG"],
            "streams": ["1m", "5m"],
            "indicators": [
                {"name": "rsi", "period": 14, "interval": "1m"},
                {"name": "atr", "period": 5, "interval": "1d"},
            ],
        },
        "strategies": [{"module": f"{folder}/parts.py:Cross"}, {"module": f"{folder}/parts.py:Slices"}],
        "scanners": [
            {"module": f"{folder}/parts.py:Later", "schedule": [{"start": "10:17", "end": "10:17", "every": "1m"}]}
        ],
        "execution": {"cash": 100_000},
        **more,
    }


@cache
def stored_bars(store: Path) -> list[FeedBar]:
    """All bars of a store that nothing writes to."""
    bars = BarStore.open(store)
    found = []
    for symbol in bars.symbols():
        for interval in bars.intervals(symbol):
            frame = bars.read([symbol], interval, None, None)
            columns = [
                frame["timestamp"].cast(pl.Int64).to_list(),
                *(frame[n].to_list() for n in ("open", "high", "low", "close", "volume")),
            ]
            found += [FeedBar(symbol, interval, *row) for row in zip(*columns, strict=True)]
    return found


class Stage:
    """A day of real bars, what a server sends of it, and a run that hears of them.

    Args:
        folder: For run folders and strategies.
        store: The store that has the bars.
        kind: The server.
        exchange: The exchange, such as one that closes `early`.
    """

    def __init__(
        self, folder: Path, store: Path, kind: type[FeedServer] = FeedServer, *, exchange: Any = "XNYS"
    ) -> None:
        self._kind = kind
        self._exchange = exchange
        self.folder = folder
        self.max_lag_s = 30.0
        self.reconfigure()
        self.time_manager = self.own_time_manager()
        self.day = self.config.backtest_config.start_date
        self.session = self.time_manager.session(self.day)
        self.bars = stored_bars(store)
        self.time = VirtualArrivals(self.session.first_ns - MINUTE)
        self.tape = Tape([bar for bar in self.bars if self._is_of_the_day(bar)], self.end_of)

    def _is_of_the_day(self, bar: FeedBar) -> bool:
        if bar.interval == "1d":
            return self._is_daily_bar_of_the_day(bar)
        return self.session.first_ns <= bar.start_ns < self.session.last_ns

    def _is_daily_bar_of_the_day(self, bar: FeedBar) -> bool:
        return bar.start_ns <= self.session.first_ns < bar.start_ns + DAY

    def end_of(self, bar: FeedBar) -> int:
        """When a bar closes; that of the day does with its session."""
        if bar.interval == "1m":
            return bar.start_ns + MINUTE
        return self.session.close_ns if self._is_daily_bar_of_the_day(bar) else bar.start_ns + DAY

    def reconfigure(self, **more: Any) -> None:
        """Play another config of the same day."""
        self.config = load_config(config_of(self.folder, exchange=self._exchange, **more))

    def own_time_manager(self) -> TimeManager:
        """A calendar with a clock, for one run."""
        return TimeManager(self.config.exchange, clock=SimulatedClock())

    def server(self) -> FeedServer:
        return self._kind(self.time, self.bars, end_of=self.end_of)

    def times_of(self, symbol: str) -> list[str]:
        """The times of day at which a symbol had signals."""
        lines = (self.folder / "run" / "signals.jsonl").read_text().splitlines()
        return [line["time"][11:16] for line in map(json.loads, lines) if line["symbol"] == symbol]

    def play(self, server: FeedServer, *, wait_s: float = 30.0) -> Verification:
        """Play the day over the socket, and compare it with its backtest."""
        server.play(self.tape)
        self.run = LiveRun(self.config, server.feed(), self.folder / "run", [self.day], self.time_manager)
        self.run.resources.wait_ns = round(wait_s * S)
        self.run.resources.lag.limit_ns = round(self.max_lag_s * S)
        folder = RunFolder(self.folder / "run", self.config, keep_bars=True, keep_indicators=True)
        with self.time.running(lambda: self.run.run(folder)) as running:
            self.time.advance_to(self.session.last_ns + 10 * MINUTE)
            running.result()
        return verify_run(self.folder / "run")


@pytest.fixture
def stage(minute_store: Path, tmp_path: Path) -> Stage:
    return Stage(tmp_path, minute_store)


def test_a_day_with_jitter_equals_its_backtest(stage: Stage) -> None:
    stage.tape.jitter(1.5, seed=1)
    with stage.server() as server:
        found = stage.play(server)
    assert found.differences == ()
    assert found.revisions == 0
    assert found.compared[0] > 500


@pytest.mark.long
def test_what_comes_late_or_corrected_is_named_and_the_rest_is_equal(stage: Stage) -> None:
    stage.tape.late(40, some(0.01, seed=4))
    stage.tape.corrected(30, some(0.01, seed=5), wrong)
    with stage.server() as server:
        found = stage.play(server)
    assert found.revisions > 5
    assert found.is_equal
    # The bars and the indicators are those of the backtest, for they are computed anew.
    assert [one.file for one in found.differences if one.file.startswith(("bars/", "indicators/"))] == []

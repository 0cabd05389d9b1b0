"""A long live day needs no more memory at its end than at its begin (L15).

Of 500 symbols it is `benchmarks/live_soak.py`, which takes a minute of the processor.
"""

from __future__ import annotations

import gc
import os
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from openbell.config import load_config
from openbell.feeds.arrivals import Arrival
from openbell.live.run import LiveRun
from openbell.model.feed_events import FeedAnswer, FeedBar, FeedConnected, FeedEvent, FeedHistory
from openbell.results.folder.run_folder import RunFolder
from openbell.timing import TimeManager
from openbell.timing.clock import SimulatedClock

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from openbell.feeds.feed import HistoryRequest
    from openbell.timing.trading_session import TradingSession

MINUTE = 60_000_000_000

PARTS = """
from openbell import Scanner, Signal, Strategy

class Watch(Strategy):
    def subscriptions(self):
        return [(symbol, interval) for symbol in self.context.symbols for interval in ("1m", "5m")]

    def on_slice(self, bars):
        bars.close.max()

class ComesAndGoes(Scanner):
    def scan(self):
        minute = self.context.now_ns // 60_000_000_000
        self.context.add_symbols([f"T{minute % 1000}{n}" for n in range(3)])
        self.context.remove_symbols([f"T{(minute - 1) % 1000}{n}" for n in range(3)])
        return []
"""


class MadeUpFeed:
    """A feed without a store, which makes each bar when it closes; its time passes over all waiting."""

    name, intervals, limit = "made up", ("1m",), None

    def __init__(self, session: TradingSession) -> None:
        self.arrivals = self
        self.now_ns = session.first_ns - MINUTE
        self._session = session
        self._events: deque[FeedEvent] = deque()
        self._symbols: dict[str, None] = {}
        self._sent_ns = session.first_ns
        self.memory: dict[int, int] = {}

    def bar(self, symbol: str, start_ns: int) -> FeedBar:
        price = 100 + np.sin(start_ns / 1e13 + len(symbol))
        return FeedBar(symbol, "1m", start_ns, price, price + 1, price - 1, price + 0.5, 1000.0)

    def next(self, until_ns: int) -> Arrival | None:
        if not self._events and self._sent_ns + MINUTE <= until_ns and self._sent_ns < self._session.last_ns:
            self._send_a_minute()
        if self._events:
            return Arrival(self.now_ns, self._events.popleft())
        self.now_ns = max(self.now_ns, until_ns)
        return None

    def _send_a_minute(self) -> None:
        self._events.extend(self.bar(symbol, self._sent_ns) for symbol in self._symbols)
        self._sent_ns += MINUTE
        self.now_ns = max(self.now_ns, self._sent_ns)
        minute = (self._sent_ns - self._session.first_ns) // MINUTE
        if minute in (60, 300):
            gc.collect()
            self.memory[minute] = resident_bytes()

    def wake(self) -> None:
        """Nobody wakes it."""

    def intervals_of(self, symbol: str) -> None:
        """All symbols have all of its intervals."""

    def begin(self, day: date) -> None:
        """There is one day."""

    def connect(self) -> None:
        self._events.append(FeedConnected())

    def subscribe(self, symbols: Iterable[str]) -> None:
        self._symbols.update(dict.fromkeys(symbols))
        self._events.append(FeedAnswer(frozenset(self._symbols)))

    def unsubscribe(self, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            self._symbols.pop(symbol, None)

    def request_history(self, request: HistoryRequest) -> None:
        day_ns = 24 * 60 * MINUTE
        before = [self._session.first_ns - day_ns + n * MINUTE for n in range(390)]
        today = range(self._session.first_ns, min(self._sent_ns, self.now_ns), MINUTE)
        wanted = [start for start in (*before, *today) if request.from_ns <= start and start + MINUTE <= request.to_ns]
        self._events.append(FeedHistory(request.number, [self.bar(request.symbol, start) for start in wanted]))

    def disconnect(self) -> None:
        """It is never lost."""

    def close(self) -> None:
        """It holds nothing."""


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.long
def test_l15_a_day_with_a_thousand_additions_and_removals_keeps_its_memory(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text(PARTS)
    time_manager = TimeManager("XNYS", clock=SimulatedClock())
    config = load_config(
        {
            "backtest_config": {"start_date": "2024-07-02", "end_date": "2024-07-02"},
            "session_data_config": {
                "symbols": [f"S{n}" for n in range(50)],
                "streams": ["1m", "5m"],
                "indicators": [
                    {"name": name, "period": 10, "interval": interval}
                    for name in ("sma", "ema", "rsi")
                    for interval in ("1m", "5m")
                ],
            },
            "strategies": [{"module": f"{tmp_path}/parts.py:Watch"}],
            "scanners": [
                {
                    "module": f"{tmp_path}/parts.py:ComesAndGoes",
                    "schedule": [{"start": "09:40", "end": "15:30", "every": "1m"}],
                }
            ],
        }
    )
    (day,) = time_manager.sessions(config.backtest_config.start_date, config.backtest_config.end_date)
    feed = MadeUpFeed(time_manager.session(day))
    run = LiveRun(config, feed, tmp_path / "run", [day], time_manager)
    result = run.run(RunFolder(tmp_path / "run", config))

    journal = list(RunFolder.read_journal(tmp_path / "run"))
    assert sum(record["operation_type"] == "symbol" and record["ok"] for record in journal) > 1000
    assert sum(record["operation_type"] == "remove" and record["ok"] for record in journal) > 1000
    assert result.days[0].bars_streamed > 19_000
    assert feed.memory[300] < 1.05 * feed.memory[60], feed.memory

"""Feed of made-up 1m bars, whose server is in the process and answers at once."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from openbell.config import load_config
from openbell.feeds.arrivals import Arrival
from openbell.live.resources import Stopped
from openbell.live.run import LiveRun
from openbell.model.feed_events import FeedAnswer, FeedBar, FeedConnected, FeedEvent, FeedHistory
from openbell.results.folder.run_folder import RunFolder
from openbell.timing import TimeManager
from openbell.timing.clock import SimulatedClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from openbell.feeds.feed import HistoryRequest

__all__ = ["DAY", "INDICATORS", "MadeFeed", "clocks", "play"]

DAY = "2024-07-02"
INDICATORS = [
    {"name": name, "period": period, "interval": interval}
    for name, period, interval in (
        *(("sma", 20, "1m"), ("ema", 10, "1m"), ("rsi", 14, "1m"), ("atr", 14, "1m"), ("roc", 10, "1m")),
        *(("sma", 10, "5m"), ("ema", 20, "5m"), ("rsi", 14, "5m"), ("sma", 10, "15m"), ("ema", 10, "15m")),
    )
]
"""Ten indicators of each symbol."""
MINUTE_NS = 60_000_000_000
WALKS = 61
DAYS = 2
"""So many sessions of history."""
Clocks = tuple[float, float]


def clocks() -> Clocks:
    """Return the time by the wall and that of the processor, seconds."""
    return time.perf_counter(), time.process_time()


class MadeFeed:
    """Bars of one session and those before it, for any symbols that are asked for.

    Time outside of the session clock passes over all waiting. All bars of a minute come together.

    Args:
        day: The session.
        time_manager: Its calendar.
        minutes: So many minutes are played, then the run is stopped.
        at_minute: Called with the number of each minute before its bars come.

    Attributes:
        firsts: By the end of a minute, when its first bar was handed out.
        begins: By the end of a minute, when its last bar was handed out.
    """

    name, intervals, limit = "made up", ("1m",), None

    def __init__(
        self, day: date, time_manager: TimeManager, minutes: int, at_minute: Callable[[int], None] | None = None
    ) -> None:
        self.arrivals = self
        self.firsts: dict[int, Clocks] = {}
        self.begins: dict[int, Clocks] = {}
        session = time_manager.session(day)
        self._last_ns = session.last_ns
        self._first_ns = self._sent_ns = session.first_ns
        self._minutes = minutes
        self._at_minute = at_minute
        self.now_ns = session.first_ns - MINUTE_NS
        days = [time_manager.session(time_manager.session_before(day, back)) for back in range(DAYS, 0, -1)]
        self._starts = np.concatenate([np.arange(one.first_ns, one.last_ns, MINUTE_NS) for one in (*days, session)])
        random = np.random.default_rng(1)
        moves = random.normal(0, 0.0004, (WALKS, len(self._starts)))
        closes = 100 * np.exp(np.cumsum(moves, axis=1))
        opens = closes / np.exp(moves)
        spread = np.abs(random.normal(0, 0.0002, closes.shape)) + 1
        columns = opens, np.maximum(opens, closes) * spread, np.minimum(opens, closes) / spread, closes
        volumes = np.full(closes.shape, 1000.0)
        self._rows = [
            [tuple(row) for row in np.column_stack(one).tolist()] for one in zip(*columns, volumes, strict=True)
        ]
        self._symbols: dict[str, int] = {}
        self._walks: dict[str, int] = {}
        self._events: deque[FeedEvent] = deque()

    # Time

    def next(self, until_ns: int) -> Arrival | None:
        """Return the next event, and None when there is none by a time."""
        events = self._events
        if not events and self._sent_ns + MINUTE_NS <= until_ns and self._sent_ns < self._last_ns:
            self._send_a_minute()
            self.firsts[self.now_ns] = clocks()
        if events:
            event = events.popleft()
            if not events and type(event) is FeedBar:
                self.begins[self.now_ns] = clocks()
            return Arrival(self.now_ns, event)
        self.now_ns = max(self.now_ns, until_ns)
        return None

    def _send_a_minute(self) -> None:
        start_ns = self._sent_ns
        minute = (start_ns - self._first_ns) // MINUTE_NS
        if minute >= self._minutes:
            raise Stopped
        if self._at_minute is not None:
            self._at_minute(minute)
        place = int(self._starts.searchsorted(start_ns))
        rows = [walk[place] for walk in self._rows]
        self._events.extend(FeedBar(symbol, "1m", start_ns, *rows[n]) for symbol, n in self._symbols.items())
        self._sent_ns += MINUTE_NS
        self.now_ns = max(self.now_ns, self._sent_ns)

    def wake(self) -> None:
        """Nobody wakes it."""

    # Feed

    def intervals_of(self, symbol: str) -> None:
        """All symbols have all of its intervals."""

    def begin(self, day: date) -> None:
        """There is one day."""

    def connect(self) -> None:
        """Connect at once."""
        self._events.append(FeedConnected())

    def subscribe(self, symbols: Iterable[str]) -> None:
        """Send the bars of further symbols."""
        for symbol in symbols:
            self._symbols[symbol] = self._walks.setdefault(symbol, len(self._walks) % WALKS)
        self._events.append(FeedAnswer(frozenset(self._symbols)))

    def unsubscribe(self, symbols: Iterable[str]) -> None:
        """Send no more bars of symbols."""
        for symbol in symbols:
            self._symbols.pop(symbol, None)

    def request_history(self, request: HistoryRequest) -> None:
        """Answer with what has closed by now."""
        closed_ns = min(request.to_ns, self._sent_ns)
        first, after = self._starts.searchsorted((request.from_ns, closed_ns)).tolist()
        starts, rows = self._starts[first:after].tolist(), self._rows[self._walks[request.symbol]][first:after]
        bars = [FeedBar(request.symbol, "1m", start, *row) for start, row in zip(starts, rows, strict=True)]
        self._events.append(FeedHistory(request.number, bars))

    def disconnect(self) -> None:
        """Stay as it is."""

    def close(self) -> None:
        """Stay as it is."""


def play(
    symbols: list[str],
    minutes: int,
    components: dict[str, Any],
    at_minute: Callable[[int], None] | None = None,
    indicators: list[dict[str, Any]] = INDICATORS,
    kind: type[MadeFeed] = MadeFeed,
) -> MadeFeed:
    """Play the minutes of a session of symbols with 5m and 15m derived, and return its feed."""
    time_manager = TimeManager("XNYS", clock=SimulatedClock())
    data = {"symbols": symbols, "streams": ["1m", "5m", "15m"], "indicators": indicators, "on_shortfall": "warm"}
    dates = {"start_date": DAY, "end_date": DAY}
    config = load_config({"backtest_config": dates, "session_data_config": data, **components})
    (day,) = time_manager.sessions(config.backtest_config.start_date, config.backtest_config.end_date)
    feed = kind(day, time_manager, minutes, at_minute)
    with tempfile.TemporaryDirectory() as folder:
        run = LiveRun(config, feed, Path(folder) / "run", [day], time_manager)
        run.resources.wait_ns = 2 * MINUTE_NS  # answers may come around the next minute's close
        with contextlib.suppress(Stopped):
            run.run(RunFolder(Path(folder) / "run", config))
    return feed

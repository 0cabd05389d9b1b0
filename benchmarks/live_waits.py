"""Time that complete minutes wait for additions to a live session that are settled just then.

``python -m benchmarks.live_waits [SYMBOLS] [MINUTES] [APART_MS]``: a session of made-up 1m bars with 5m and 15m derived
and ten indicators of each symbol. At each minute a strategy adds two symbols, whose bars come at random moments within
so many milliseconds around the next minute's close; 0 is anywhere in the minute. The feed's clock is the processor's,
and passes over all waiting, so that a loaded machine finds the same.
"""

from __future__ import annotations

import heapq
import sys
import time
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from benchmarks import made_feed
from benchmarks.made_feed import MINUTE_NS, MadeFeed

from openbell.components.strategy import Strategy
from openbell.feeds.arrivals import Arrival
from openbell.live.session_loop.live_provisioner import LiveProvisioner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.feeds.feed import HistoryRequest
    from openbell.live.session_loop.live_provisioner import Waiting
    from openbell.model.feed_events import FeedEvent
    from openbell.session.cross_section import CrossSection

A_MINUTE = 2
Span = tuple[int, int]


class ClockedFeed(MadeFeed):
    """Sends a minute's bars at its close by the processor's time, and the history of additions when it is told."""

    apart_ns: ClassVar[int] = 0
    running: ClassVar[list[ClockedFeed]] = []

    def __init__(self, *args: object) -> None:
        self._ahead_ns = 0
        self._later: list[tuple[int, int, FeedEvent]] = []
        self._order = count()
        self._random = np.random.default_rng(2)
        super().__init__(*args)
        self.running.append(self)

    @property
    def now_ns(self) -> int:
        return self._ahead_ns + time.process_time_ns()

    @now_ns.setter
    def now_ns(self, value: int) -> None:
        self._ahead_ns = max(self._ahead_ns, value - time.process_time_ns())

    def next(self, until_ns: int) -> Arrival | None:
        """Return the next event, when its time has come."""
        if not self._events:
            close_ns = self._sent_ns + MINUTE_NS
            next_ns = min(close_ns, self._later[0][0]) if self._later else close_ns
            if next_ns > max(until_ns, self.now_ns) or self._sent_ns >= self._last_ns:
                self.now_ns = until_ns
                return None
            self.now_ns = next_ns
            if next_ns < close_ns:
                self._events.append(heapq.heappop(self._later)[2])
            else:
                self._send_a_minute()
        return Arrival(self.now_ns, self._events.popleft())

    def request_history(self, request: HistoryRequest) -> None:
        """Answer later if it is an addition."""
        super().request_history(request)
        if request.symbol.startswith("A"):
            close_ns, apart_ns = self._sent_ns + MINUTE_NS, self.apart_ns
            first_ns, last_ns = (close_ns - apart_ns, close_ns + apart_ns) if apart_ns else (self.now_ns, close_ns)
            moment_ns = int(self._random.integers(first_ns, last_ns))
            heapq.heappush(self._later, (moment_ns, next(self._order), self._events.pop()))


class AddsTwo(Strategy):
    """Adds two symbols a minute, and notes when each minute was played."""

    played: ClassVar[dict[int, int]] = {}
    added: ClassVar[list[str]] = []

    def subscriptions(self) -> list[tuple[str, str]]:
        return [(symbol, "1m") for symbol in self.config["watched"]]

    def on_symbol_added(self, symbol: str) -> None:
        self.added.append(symbol)

    def on_slice(self, bars: CrossSection) -> None:
        bars.close.max()
        self.played[bars.end] = ClockedFeed.running[-1].now_ns
        for number in range(A_MINUTE):
            self.context.add_symbol(f"A{len(self.played):04d}{number}")


@contextmanager
def noted(steps: list[Span]) -> Iterator[None]:
    """Note when steps of additions were taken."""
    settle = LiveProvisioner.settle

    def timed(self: LiveProvisioner, now_ns: int, **options: bool) -> list[tuple[Waiting, str]]:
        begun_ns = ClockedFeed.running[-1].now_ns
        try:
            return settle(self, now_ns, **options)
        finally:
            steps.append((begun_ns, ClockedFeed.running[-1].now_ns))

    LiveProvisioner.settle = timed
    try:
        yield
    finally:
        LiveProvisioner.settle = settle


def main(symbols: int = 100, minutes: int = 60, apart_ms: int = 60) -> None:
    from benchmarks import live_waits as loaded  # what the engine loads

    loaded.ClockedFeed.apart_ns = apart_ms * 1_000_000
    steps: list[Span] = []
    watched = [f"S{n:04d}" for n in range(symbols)]
    parts = {"strategies": [{"module": "benchmarks.live_waits:AddsTwo", "config": {"watched": watched}}]}
    with loaded.noted(steps):
        made_feed.play(watched, minutes, parts, kind=loaded.ClockedFeed)
    played = sorted(loaded.AddsTwo.played.items())
    waits = [sum(max(0, min(end, b) - max(close, a)) for a, b in steps) / 1e6 for close, end in played]
    print(f"{len(watched)} symbols, {len(played)} minutes, {len(loaded.AddsTwo.added)} additions")
    tell("a step of an addition", [(b - a) / 1e6 for a, b in steps if b - a > 1_000_000])
    tell("from a minute's close to its on_slice", [(end - close) / 1e6 for close, end in played])
    tell("of that, it waited for additions", waits)


def tell(what: str, took_ms: list[float]) -> None:
    median, high, most = np.percentile(took_ms, [50, 99, 100])
    over = sum(ms > 5 for ms in took_ms)
    print(f"{what:40} median {median:6.1f}, p99 {high:6.1f}, most {most:6.1f} ms; {over} over 5 ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

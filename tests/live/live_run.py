"""A live run of a stored day by our own server, in a script's time."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from live.server import FeedServer
from live.tape import Tape
from live.virtual_time import Running, S, VirtualArrivals
from openbell.live.run import LiveRun
from openbell.model.feed_events import FeedBar
from openbell.model.interval import DAY_NS, parse_interval
from openbell.results.folder.run_folder import RunFolder
from openbell.timing import TimeManager
from openbell.timing.clock import SimulatedClock
from openbell.timing.grid import date_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from openbell.config import SessionConfig
    from openbell.results.result import RunResult
    from openbell.store.store import BarStore


class Play:
    """A live run of one day, which goes on when the script lets time pass.

    Attributes:
        time: The script's time, which begins a minute before the session.
        server: The feed.
        tape: The day's bars, each sent when it closes unless the script changes that before `start`.
        run: The live run.
        folder: Its folder.
        open_ns: When the session opens, and likewise `close_ns`.
    """

    def __init__(
        self, config: SessionConfig, store: BarStore, folder: Path, day: date, *, history_days: int = 14
    ) -> None:
        self._config = config.with_days(day, day)
        time_manager = TimeManager(config.exchange, clock=SimulatedClock())
        session = time_manager.session(day)
        self.open_ns, self.close_ns = session.open_ns, session.close_ns
        self.folder = folder
        self.time = VirtualArrivals(session.first_ns - 60 * S)
        closes = {each: time_manager.session(each).close_ns for each in time_manager.sessions(*_days(store))}

        def end_of(bar: FeedBar) -> int:
            interval = parse_interval(bar.interval)
            if not interval.is_intraday:
                return closes[date_of(bar.start_ns // DAY_NS)]
            # Of earlier days it does not matter what the close cuts off.
            return min(bar.start_ns + interval.ns, max(session.last_ns, bar.start_ns))

        bars = list(stored_bars(store, day, history_days))
        self.server = FeedServer(self.time, bars, end_of=end_of)
        today = [bar for bar in bars if parse_interval(bar.interval).is_intraday and bar.start_ns >= session.first_ns]
        self.server.unknown = set(config.session_data_config.symbols) - set(store.symbols())
        self.tape = Tape((bar for bar in today if bar.start_ns < session.last_ns), end_of)
        self.run = LiveRun(self._config, self.server.feed(), folder, [day], time_manager)

    @contextmanager
    def start(self) -> Iterator[Running[RunResult]]:
        """Begin, with the tape as it is now."""
        self.server.play(self.tape)
        with self.server, self.time.running(lambda: self.run.run(RunFolder(self.folder, self._config))) as running:
            yield running

    def at(self, minutes: float) -> int:
        """A time so many minutes after the open."""
        return self.open_ns + round(minutes * 60 * S)


def stored_bars(store: BarStore, day: date, history_days: int) -> Iterator[FeedBar]:
    """All daily bars, and those within sessions of the last days."""
    for symbol in store.symbols():
        for interval in store.intervals(symbol):
            is_intraday = parse_interval(interval).is_intraday
            frame = store.read([symbol], interval, day - timedelta(days=history_days) if is_intraday else None, None)
            starts = frame["timestamp"].to_physical().to_list()
            prices = (frame[name].to_list() for name in ("open", "high", "low", "close", "volume"))
            for start_ns, *values in zip(starts, *prices, strict=True):
                yield FeedBar(symbol, interval, start_ns, *values)


def _days(store: BarStore) -> tuple[date, date]:
    spans = store.coverage()
    return min(span.first for span in spans).date(), max(span.last for span in spans).date()

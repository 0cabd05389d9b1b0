"""A day of real bars whose orders go to our Alpaca server, by Alpaca's protocols and through openbell's link."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from live.alpaca_server import AlpacaServer
from live.alpaca_trading_server import AlpacaTradingServer
from live.restarts import cut, no_locks
from live.test_sessions_over_a_socket import MINUTE, Stage
from live.virtual_time import HANGS_AFTER_S, S
from openbell.live.broker.broker_terms import AccountLock, BrokerTerms
from openbell.live.record.feed_record import read_record
from openbell.live.record.recorded_past import Past
from openbell.live.record.verify import Verification, verify_run
from openbell.live.run import LiveRun
from openbell.results.folder.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from live.server import FeedServer

RUN_ID = "0b0e11"


class BrokerStage(Stage):
    """A day at a broker.

    Attributes:
        broker: The broker; set while `at_broker` is open.
        folder_of_run: The run folder.
    """

    def __init__(self, folder: Path, store: Path, *, exchange: Any = "XNYS", **more: object) -> None:
        super().__init__(folder, store, AlpacaServer, exchange=exchange)
        self.reconfigure(**{"execution": {"broker": "alpaca"}, **more})
        self.folder_of_run = folder / "run"

    def at_broker(self, cash: float = 100_000, *, without: Iterable[str] = ()) -> AlpacaTradingServer:
        """A broker whose market trades as the day's bars say, but for symbols that the test lets trade."""
        self.broker = AlpacaTradingServer(self.time, {bar.symbol for bar in self.bars}, cash)
        minutes = [bar for bar in self.bars if bar.interval == "1m" and self._is_of_the_day(bar)]
        self.broker.follow([bar for bar in minutes if bar.symbol not in without])
        return self.broker

    def begin(self, server: FeedServer, *, past: Past | None = None, adopts: bool = False) -> LiveRun:
        """Begin a run, or let one go on."""
        link = self.broker.link(RUN_ID, self.time.put, answer_s=HANGS_AFTER_S)
        account = link.account()
        lock = AccountLock(account, self.folder_of_run)
        since_ns = 0 if past is None else past.since_ns
        broker_terms = BrokerTerms(link, account, lock, RUN_ID, since_ns, adopts)
        feed, time_manager = server.feed(), self.own_time_manager()
        self.run = LiveRun(
            self.config, feed, self.folder_of_run, [self.day], time_manager, past=past, broker_terms=broker_terms
        )
        self.run.resources.lag.limit_ns = round(self.max_lag_s * S)
        return self.run

    def play_day(
        self, server: FeedServer, script: Callable[[], None] = lambda: None, *, adopts: bool = False
    ) -> Verification:
        """Play the day to its end, and compare it with what its record says."""
        server.play(self.tape)
        run = self.begin(server, adopts=adopts)
        folder = RunFolder(self.folder_of_run, self.config, keep_bars=True, keep_indicators=True)
        with self.time.running(lambda: run.run(folder)) as running:
            script()
            self.time.advance_to(self.session.last_ns + 10 * MINUTE)
            running.result()
        return verify_run(self.folder_of_run)

    def at(self, clock: str, action: Callable[[], object]) -> None:
        """Do something at a time of the day, such as 09:36:02."""
        hours, minutes, seconds = map(int, f"{clock}:00".split(":")[:3])
        since_open_s = (hours - 9) * 3600 + (minutes - 30) * 60 + seconds
        self.time.at(self.session.first_ns + since_open_s * S, lambda: action() and None)

    def play_until(self, server: FeedServer, clock: str, *, adopts: bool = False) -> Verification:
        """Play a part of the day, and compare it with what its record says."""
        server.play(self.tape)
        run = self.begin(server, adopts=adopts)
        hours, minutes = map(int, clock.split(":"))
        with self.time.running(lambda: run.run(self._folder(None))):
            self.time.advance_to(self.session.first_ns + ((hours - 9) * 60 + minutes - 30) * MINUTE + 40 * S)
        return verify_run(self.folder_of_run)

    def play_with_kills(self, server: FeedServer, kills: Iterable[tuple[int, float]], *, seed: int = 0) -> Verification:
        """Play the day in pieces, with the process dead for some seconds after each."""
        server.play(self.tape)
        past = None
        for number, (kill_ns, down_s) in enumerate(kills, 1):
            run = self.begin(server, past=past)
            with self.time.running(lambda run=run, past=past: run.run(self._folder(past))):
                self.time.advance_to(kill_ns)
                left = shutil.copytree(self.folder_of_run, self.folder / f"run-{number}", ignore=no_locks)
            self.time.taken()
            cut(left, seed + number)
            self.folder_of_run = left
            past = Past.of(read_record(left))
            self.time.advance(down_s)
        run = self.begin(server, past=past)
        with self.time.running(lambda: run.run(self._folder(past))) as running:
            self.time.advance_to(self.session.last_ns + 10 * MINUTE)
            running.result()
        return verify_run(self.folder_of_run)

    def _folder(self, past: Past | None) -> RunFolder:
        more = {"keep_bars": True, "keep_indicators": True, "goes_on": past is not None}
        return RunFolder(self.folder_of_run, self.config, **more)

    def use(self, **more: object) -> None:
        """Play another config at the broker."""
        self.reconfigure(**{"execution": {"broker": "alpaca"}, **more})

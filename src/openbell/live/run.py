"""Run of live sessions, from the connection to the end of the last session."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING
from zlib import crc32

from openbell.actions import ActionStore
from openbell.engine.run_data import new_data_manager, store_path
from openbell.engine.system import SystemManager
from openbell.errors import BrokerError, FeedError
from openbell.live.broker.broker_traffic import BrokerTraffic
from openbell.live.broker.left_at_broker import leave
from openbell.live.incoming.bar_supply import Supply
from openbell.live.incoming.earlier_bars import EarlierBars
from openbell.live.incoming.feed_connection import Connection
from openbell.live.live_mode import LiveMode
from openbell.live.malloc import return_large_blocks
from openbell.live.new_files import NewFiles
from openbell.live.record.feed_record import FeedRecord
from openbell.live.record.recorded_past import Past
from openbell.live.resources import LiveResources
from openbell.live.session_loop.lag import MAX_LAG_NS, Lag, SessionHealth
from openbell.live.status.monitor import Monitor
from openbell.live.status.run_lock import CLOSING, ENDING, RunLock, watching
from openbell.live.stop_request import STOP, Stopped
from openbell.market_data.today_bars import TodayBars
from openbell.model.address import StoreAddress
from openbell.model.broker_events import BrokerEvent
from openbell.model.feed_events import FeedClock, FeedConnected, FeedLost
from openbell.results.folder.run_folder import require_no_run
from openbell.store.store import BarStore
from openbell.timing.clock import SimulatedClock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from openbell.config import SessionConfig
    from openbell.engine.observer import SessionObserver
    from openbell.feeds.arrivals import Arrival
    from openbell.feeds.feed import Feed
    from openbell.live.broker.broker_terms import BrokerTerms
    from openbell.model.address import Place
    from openbell.results.folder.run_folder import RunFolder
    from openbell.results.result import RunResult
    from openbell.timing import TimeManager

__all__ = ["LiveRun"]

STORE = "store"


class LiveRun:
    """A run of live sessions.

    Args:
        config: The config.
        feed: The feed.
        folder: The run folder, which also holds the record and the store of the run.
        sessions: The sessions to play.
        time_manager: The calendar, with the session clock.
        observers: Receive the events of the run.
        actions_of: The store whose corporate actions are copied, to adjust prices by; None copies none.
        past: The record of a run that is resumed; None for a new run.
        broker_terms: The terms of trading at a broker over the network, None without one.

    Attributes:
        resources: Feed, bars and settings.
        system: The engine.
        monitor: The status of the run for people and programs outside of it.

    Raises:
        RunFolderError: Another live run is using the folder.
        ConfigError: The folder holds a run already.
    """

    def __init__(
        self,
        config: SessionConfig,
        feed: Feed,
        folder: Path,
        sessions: list[date],
        time_manager: TimeManager,
        observers: Sequence[SessionObserver] = (),
        *,
        actions_of: Place | None = None,
        past: Past | None = None,
        broker_terms: BrokerTerms | None = None,
    ) -> None:
        clock = time_manager.clock
        if not isinstance(clock, SimulatedClock):
            raise TypeError("a live session needs a TimeManager with a SimulatedClock, which its bars move")
        self._has_begun = False
        new_files = NewFiles(folder)
        self._lock = RunLock(folder)  # before anything is written
        self._stop_file = folder / STOP
        with ExitStack() as undoing:
            undoing.callback(new_files.remove)
            undoing.callback(self._lock.release)
            undoing.callback(feed.close)
            if broker_terms is not None:
                undoing.callback(broker_terms.close)
            if past is None:
                require_no_run(folder)
            self._stop_file.unlink(missing_ok=True)
            if actions_of is not None:
                _copy_actions(actions_of, folder / STORE)
            store, today = BarStore.open_or_create(folder / STORE), TodayBars(sessions[0], time_manager)
            record = FeedRecord(folder)
            undoing.callback(record.close)
            self.monitor = Monitor(
                folder, config.session_name, feed.name, lambda: feed.arrivals.now_ns, time_manager.timezone
            )
            seed = crc32(str(folder).encode())
            connection, lag = Connection(feed, self._say, seed), Lag(MAX_LAG_NS)
            self.resources = LiveResources(
                feed=feed,
                supply=Supply(feed, store, today, time_manager, self._earlier_bars(config, feed)),
                today=today,
                record=record,
                connection=connection,
                lag=lag,
                health=SessionHealth(connection, lag, self._say),
                monitor=self.monitor,
                stop_file=self._stop_file,
                closes=self._closes,
                ended=self._ended,
                past=past or Past(),
                broker_traffic=None if broker_terms is None else BrokerTraffic(broker_terms, record, seed),
            )
            record.is_paused = self.resources.supply.is_paused = bool(self.resources.past.days)
            self.system = SystemManager(
                config,
                data_manager=new_data_manager(config, time_manager, store, today=today),
                clock=clock,
                observer=[self.monitor, *observers],
                mode=LiveMode(self.resources, sessions),
            )
            self._undoing = undoing.pop_all()  # for a run that does not begin, so that its folder can be used again

    def _say(self, text: str) -> None:
        self.resources.say(text)

    def _earlier_bars(self, config: SessionConfig, feed: Feed) -> EarlierBars | None:
        """Return the source of bars that the feed's history may not have, None if the config wants none."""
        live = config.live
        if live is None or not (live.keep_bars or live.mix_feeds):
            return None
        store = store_path(config, None)
        return EarlierBars(store, feed.name, keeps=live.keep_bars, mixes=live.mix_feeds, notify=self._warn)

    def _warn(self, text: str) -> None:
        """Report a message to the user that belongs to the warnings of the results as well."""
        self.resources.say(text)
        self.system.coordinator.warnings.warn(text)

    def _closes(self) -> None:
        self._lock.write(CLOSING)
        self.monitor.enter(CLOSING)

    def _ended(self) -> None:
        self._lock.write(ENDING)
        self.monitor.enter(ENDING)

    def run(self, folder: RunFolder) -> RunResult:
        """Play the sessions.

        Raises:
            FeedError: There is no first connection; the files of the run are then removed.
        """
        state = "failed"
        try:
            result = self._play(folder)
            state = "ended"
        except Stopped:
            state = "stopped"
            raise
        except KeyboardInterrupt:
            state = "interrupted"
            raise
        finally:
            if self._has_begun:
                self.monitor.finish(state)
                self._lock.write(state)
                self._lock.release()
            else:
                folder.close()
                if self.resources.past.days:
                    self._lock.write(state)
                self._undoing.close()
        return result

    def _play(self, folder: RunFolder) -> RunResult:
        feed = self.resources.feed
        session = self.system.config.session_name
        return_large_blocks()
        try:
            self._lock.write("connecting", session=session, config="config.json", feed=feed.name)
            self.monitor.enter("connecting")
            with watching(self._stop_file, feed.arrivals.wake, self.monitor.write):
                if self.resources.broker_traffic is not None:
                    self._say(f"orders are for {self.resources.broker_traffic.broker_terms.account}")
                self._connect()
                self._require_same_feed()
                if self.resources.broker_traffic is not None:
                    self._listen(self.resources.broker_traffic)
                self._has_begun = True
                self._lock.write("running")
                self.resources.today.sent = self._sent
                self.resources.record.feed(feed.name, feed.intervals)
                result = self.system.run(folder)
                self.resources.supply.keep_today()
                return result
        except BaseException:
            desk = self.system.coordinator.desk
            if self.resources.broker_traffic is not None and desk is not None and self._has_begun:
                leave(self.resources.broker_traffic.broker_terms.link, desk, self._say)
            raise
        finally:
            if self._has_begun:
                if self.resources.broker_traffic is not None:
                    self.resources.broker_traffic.broker_terms.close()
                self.resources.record.close()
                feed.close()

    def _sent(self, symbol: str) -> tuple[str, ...]:
        """Return the intervals in which the feed sends bars of a symbol."""
        said = self.resources.feed.intervals_of(symbol)
        return self.resources.feed.intervals if said is None else said.stored

    def _require_same_feed(self) -> None:
        """Check that a resumed run has the same feed as before.

        Raises:
            FeedError: The name or the intervals of the feed are others.
        """
        feed, past = self.resources.feed, self.resources.past
        if past.days and (feed.name, feed.intervals) != (past.feed, past.intervals):
            raise FeedError(
                f"the run was fed by {past.feed} with {', '.join(past.intervals)}, and continues only with the same: "
                f"this feed is {feed.name} with {', '.join(feed.intervals)}."
            )

    def _connect(self) -> None:
        """Connect to the feed, and wait for the connection.

        Raises:
            FeedError: There is no connection within the time that an addition may wait.
        """
        feed, connection, arrivals = self.resources.feed, self.resources.connection, self.resources.feed.arrivals
        feed.connect()
        deadline_ns = arrivals.now_ns + self.resources.wait_ns
        reason = "no answer"
        while connection.is_down:
            self.resources.take_turn()
            now_ns = arrivals.now_ns
            if now_ns >= deadline_ns or connection.has_ended:
                raise FeedError(f"no connection to the feed {feed.name}: {reason}")
            connection.act(now_ns)
            arrival = arrivals.next(min(deadline_ns, connection.next_ns or deadline_ns))
            if arrival is not None:
                reason = self._handle(arrival) or reason

    def _handle(self, arrival: Arrival) -> str:
        """Handle an event before the first session.

        Returns the reason if the connection is lost, else an empty text.
        """
        event, connection = arrival.event, self.resources.connection
        if isinstance(event, FeedConnected):
            connection.came_back(arrival.time_ns)
        elif isinstance(event, FeedClock):
            connection.told_time(event)
            self.resources.supply.behind_ns = connection.behind_ns
        elif isinstance(event, FeedLost):
            connection.lost(event, arrival.time_ns)
            return event.reason
        elif isinstance(event, BrokerEvent) and self.resources.broker_traffic is not None:
            self.resources.broker_traffic.came(event, arrival.time_ns)
        return ""

    def _listen(self, broker_traffic: BrokerTraffic) -> None:
        """Connect to the broker's events, and wait for the connection.

        Raises:
            BrokerError: There is no connection within the time that an addition may wait.
        """
        arrivals = self.resources.feed.arrivals
        deadline_ns = arrivals.now_ns + self.resources.wait_ns
        broker_traffic.connect(arrivals.now_ns)
        while not broker_traffic.is_connected:
            self.resources.take_turn()
            now_ns = arrivals.now_ns
            if now_ns >= deadline_ns or broker_traffic.has_ended:
                broker = broker_traffic.broker_terms.account.broker
                raise BrokerError(f"no order events arrive from {broker}: {broker_traffic.trouble}")
            broker_traffic.act(None, now_ns)
            arrival = arrivals.next(min(deadline_ns, broker_traffic.next_ns(None, now_ns) or deadline_ns))
            if arrival is not None:
                self._handle(arrival)
        self.resources.record.account(broker_traffic.broker_terms, broker_traffic.since_ns)


def _copy_actions(store: Place, target: Path) -> None:
    """Copy the corporate actions of a store, by which every day's prices are adjusted."""
    if isinstance(store, StoreAddress):
        ActionStore(target).write(ActionStore(store).read())
    elif (store / "actions").is_dir():
        BarStore.open_or_create(target)
        shutil.copytree(store / "actions", target / "actions", dirs_exist_ok=True)

"""Runs of live sessions, made of a config, a feed and a folder."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING
from zlib import crc32

from openbell.actions import ActionStore
from openbell.engine.data_source import new_data_manager, store_path
from openbell.engine.drive import BacktestDrive
from openbell.engine.system import SystemManager
from openbell.errors import ConfigError, FeedError
from openbell.feeds.replay import ReplayFeed
from openbell.live.connection import Connection
from openbell.live.drive import LiveDrive
from openbell.live.earlier_bars import EarlierBars
from openbell.live.feeds import feed_of
from openbell.live.lag import MAX_LAG_NS, Lag, SessionHealth
from openbell.live.memory import return_large_blocks
from openbell.live.monitor import Monitor
from openbell.live.new_files import NewFiles
from openbell.live.parts import LiveParts
from openbell.live.past import Past
from openbell.live.record import FeedRecord
from openbell.live.run_lock import ENDING, RunLock, watching
from openbell.live.stopping import STOP, Stopped
from openbell.live.supply import Supply
from openbell.market_data.today import TodayBars
from openbell.model.address import StoreAddress
from openbell.model.feed_events import FeedBack, FeedClock, FeedLost
from openbell.model.interval import DAY_NS, parse_interval
from openbell.results.run_folder import require_no_run
from openbell.store.store import BarStore
from openbell.timing import TimeManager
from openbell.timing.clock import SimulatedClock, WallClock
from openbell.timing.grid import date_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from openbell.config import SessionConfig
    from openbell.config.live import LiveConfig
    from openbell.engine.observer import SessionObserver
    from openbell.feeds.feed import Feed
    from openbell.model.address import Place
    from openbell.results.result import RunResult
    from openbell.results.run_folder import RunFolder

__all__ = ["LiveRun", "live_run", "replay_run", "time_manager_of", "with_waits"]

STORE = "store"


class LiveRun:
    """A run of live sessions.

    Args:
        config: The config.
        feed: The feed.
        folder: The run folder, which also keeps what came.
        sessions: The sessions to play.
        time_manager: The calendar, with the session clock.
        observers: Watch the run.
        actions_of: The store whose corporate actions are taken over, by which every day's prices are adjusted.
        past: What the run has recorded before, when it goes on after it was killed.

    Attributes:
        parts: Feed, bars and settings.
        system: The engine.
        monitor: What others see of it.

    Raises:
        RunFolderError: Another run goes on in the folder.
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
    ) -> None:
        self._has_begun = False
        self._to_close: list[Feed | FeedRecord] = [feed]
        self._new_files = NewFiles(folder)
        self._lock = RunLock(folder)  # before anything is written
        self._stop_file = folder / STOP
        try:
            if past is None:
                require_no_run(folder)
            self._stop_file.unlink(missing_ok=True)
            if actions_of is not None:
                _copy_actions(actions_of, folder / STORE)
            self._make(config, feed, folder, sessions, time_manager, observers, past or Past())
        except BaseException:
            self._undo()
            raise

    def _make(
        self,
        config: SessionConfig,
        feed: Feed,
        folder: Path,
        sessions: list[date],
        time_manager: TimeManager,
        observers: Sequence[SessionObserver],
        past: Past,
    ) -> None:
        store = BarStore.open_or_create(folder / STORE)
        today = TodayBars(sessions[0], time_manager)
        record = FeedRecord(folder)
        self._to_close.append(record)
        arrivals = feed.arrivals
        zone, name = time_manager.timezone, config.session_name
        self.monitor = Monitor(folder, name, feed.name, lambda: arrivals.now_ns, zone)
        connection, lag = Connection(feed, self._say, crc32(str(folder).encode())), Lag(MAX_LAG_NS)
        self.parts = LiveParts(
            feed=feed,
            supply=Supply(feed, store, today, time_manager, self._earlier_bars(config, feed)),
            today=today,
            record=record,
            connection=connection,
            lag=lag,
            health=SessionHealth(connection, lag, self._say),
            monitor=self.monitor,
            stop_file=self._stop_file,
            ended=self._ended,
            past=past,
        )
        self.parts.record.is_paused = self.parts.supply.is_paused = bool(self.parts.past.days)
        manager = new_data_manager(config, time_manager, store, today=today)
        drive = LiveDrive(self.parts, sessions)
        clock = time_manager.clock
        if not isinstance(clock, SimulatedClock):
            raise TypeError("a live session needs a TimeManager with a SimulatedClock, which its bars move")
        self.system = SystemManager(
            config, data_manager=manager, clock=clock, observer=[self.monitor, *observers], drive=drive
        )

    def _say(self, text: str) -> None:
        self.parts.say(text)

    def _earlier_bars(self, config: SessionConfig, feed: Feed) -> EarlierBars | None:
        """Return the bars that the feed's history may lack, None where the config wants no others."""
        live = config.live
        if live is None or not (live.keep_bars or live.mix_feeds):
            return None
        store = store_path(config, None)
        return EarlierBars(store, feed.name, keeps=live.keep_bars, mixes=live.mix_feeds, tell=self._warn)

    def _warn(self, text: str) -> None:
        """Tell people something that belongs to the results as well."""
        self.parts.say(text)
        self.system.coordinator.warnings.warn(text)

    def _ended(self) -> None:
        self._lock.write(ENDING)
        self.monitor.enter(ENDING)

    def _undo(self) -> None:
        """Leave nothing of a run that has not begun, so that it can be started again in the same folder."""
        for one in self._to_close:
            one.close()
        self._lock.release()
        self._new_files.remove()

    def run(self, folder: RunFolder) -> RunResult:
        """Play the sessions.

        Raises:
            FeedError: There is no connection to begin with; then nothing is left of the run.
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
                self._undo()
        return result

    def _play(self, folder: RunFolder) -> RunResult:
        feed = self.parts.feed
        session = self.system.config.session_name
        return_large_blocks()
        try:
            self._lock.write("connecting", session=session, config="config.json", feed=feed.name)
            self.monitor.enter("connecting")
            with watching(self._stop_file, feed.arrivals.wake, self.monitor.write):
                self._connect()
                self._require_same_feed()
                self._has_begun = True
                self._lock.write("running")
                self.parts.today.sent = self._sent
                self.parts.record.feed(feed.name, feed.intervals)
                result = self.system.run(folder)
                self.parts.supply.keep_today()
                return result
        finally:
            if self._has_begun:
                self.parts.record.close()
                feed.close()

    def _sent(self, symbol: str) -> tuple[str, ...]:
        """Return the intervals in which the feed sends bars of a symbol."""
        said = self.parts.feed.intervals_of(symbol)
        return self.parts.feed.intervals if said is None else said.stored

    def _require_same_feed(self) -> None:
        """Raise when a run that goes on has another feed than before.

        Raises:
            FeedError: It has.
        """
        feed, past = self.parts.feed, self.parts.past
        if past.days and (feed.name, feed.intervals) != (past.feed, past.intervals):
            raise FeedError(
                f"the run was fed by {past.feed} with {', '.join(past.intervals)}, and goes on with the same only: "
                f"this feed is {feed.name} with {', '.join(feed.intervals)}."
            )

    def _connect(self) -> None:
        """Connect, and wait for it.

        Raises:
            FeedError: There is no connection within the time that an addition may wait.
        """
        feed, connection, arrivals = self.parts.feed, self.parts.connection, self.parts.feed.arrivals
        feed.connect()
        deadline_ns = arrivals.now_ns + self.parts.wait_ns
        reason = "no answer"
        while connection.is_down:
            self.parts.take_turn()
            now_ns = arrivals.now_ns
            if now_ns >= deadline_ns or connection.has_ended:
                raise FeedError(f"no connection to the feed {feed.name}: {reason}")
            connection.act(now_ns)
            arrival = arrivals.next(min(deadline_ns, connection.next_ns or deadline_ns))
            if arrival is not None and isinstance(arrival.event, FeedBack):
                connection.came_back(arrival.time_ns)
            elif arrival is not None and isinstance(arrival.event, FeedClock):
                connection.told_time(arrival.event)
            elif arrival is not None and isinstance(arrival.event, FeedLost):
                reason = arrival.event.reason
                connection.lost(arrival.event, arrival.time_ns)


def replay_run(
    config: SessionConfig,
    store: BarStore | Place | str | None,
    folder: Path,
    *,
    speed: float | None = None,
    observers: Sequence[SessionObserver] = (),
) -> LiveRun:
    """Make a run of stored sessions through the live path.

    Args:
        config: The config, with the days to play.
        store: The store or its folder; the config's unless given.
        folder: The run folder.
        speed: How many times as fast as the machine's clock; None passes over all waiting.
        observers: Watch the run.

    Raises:
        ConfigError: The config names no days, or no store; or the exchange has no session on its days.
        StoreError: The folder is not a store.
    """
    if not config.has_days:
        raise ConfigError("a replay plays stored days: write them under backtest_config.")
    time_manager = time_manager_of(config)
    sessions = BacktestDrive().days(config, time_manager)
    bars = store if isinstance(store, BarStore) else BarStore.open(store_path(config, store))
    intervals = sorted({name for symbol in bars.symbols() for name in bars.intervals(symbol)}, key=parse_interval)
    feed = ReplayFeed(bars, time_manager, tuple(intervals), speed=speed)
    feed.begin(sessions[0])
    return LiveRun(config, feed, folder, sessions, time_manager, observers, actions_of=bars.path)


def live_run(
    config: SessionConfig, folder: Path, *, sessions: int = 1, observers: Sequence[SessionObserver] = ()
) -> LiveRun:
    """Make a run of the sessions to come, by the feed that the config names.

    Args:
        config: The config, of mode live.
        folder: The run folder.
        sessions: How many sessions, the running one among them.
        observers: Watch the run.

    Raises:
        ConfigError: The config is of another mode.
    """
    if config.mode != "live" or config.live is None:
        raise ConfigError(
            "this config is of a backtest. Write mode: live and live: {provider: alpaca}, or another; or play its "
            "days through the live path with openbell replay."
        )
    time_manager = time_manager_of(config)
    now_ns = WallClock().now_ns
    first = time_manager.first_session_on_or_after(date_of(now_ns // DAY_NS) - timedelta(days=1))
    days = time_manager.sessions(first, first + timedelta(days=30 + 3 * sessions))
    coming = [day for day in days if time_manager.session(day).last_ns > now_ns][:sessions]
    feed = feed_of(config.live, time_manager)
    # Without the keys that an address may hold, for the run folder keeps the config.
    live = config.live.model_copy(update={"url": feed.address if config.live.url else None})
    config = config.model_copy(update={"live": live}).with_days(coming[0], coming[-1])
    return with_waits(LiveRun(config, feed, folder, coming, time_manager, observers), live)


def with_waits(run: LiveRun, live: LiveConfig) -> LiveRun:
    """Return a run that waits for bars and additions as long as its config says."""
    run.parts.grace_ns = parse_interval(live.grace).ns
    run.parts.wait_ns = parse_interval(live.wait).ns
    run.parts.lag.limit_ns = parse_interval(live.max_lag).ns
    return run


def time_manager_of(config: SessionConfig) -> TimeManager:
    """Return the calendar of a config, with a session clock of its own."""
    hours = config.session_data_config.session_hours
    return TimeManager(config.exchange, session_hours=hours, clock=SimulatedClock())


def _copy_actions(store: Place, target: Path) -> None:
    """Take over the corporate actions, which every day's prices are adjusted by."""
    if isinstance(store, StoreAddress):
        ActionStore(target).write(ActionStore(store).read())
    elif (store / "actions").is_dir():
        BarStore.open_or_create(target)
        shutil.copytree(store / "actions", target / "actions", dirs_exist_ok=True)

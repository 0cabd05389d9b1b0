"""Start of live runs, from a config or from the folder of one that was killed or stopped."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from openbell.config import load_config
from openbell.engine.run_data import store_path
from openbell.engine.run_mode import BacktestMode
from openbell.errors import ConfigError, RunFolderError
from openbell.feeds.replay import ReplayFeed
from openbell.live.broker.broker_terms import broker_terms_of
from openbell.live.incoming.configured_feed import feed_of
from openbell.live.record.feed_record import read_record
from openbell.live.record.recorded_past import Past
from openbell.live.run import LiveRun
from openbell.live.status.run_lock import read_state
from openbell.model.interval import DAY_NS, parse_interval
from openbell.results.folder.run_folder import repeatable
from openbell.store.store import BarStore
from openbell.timing import TimeManager
from openbell.timing.clock import SimulatedClock, WallClock
from openbell.timing.grid import date_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from openbell.config import SessionConfig
    from openbell.config.live import LiveConfig
    from openbell.engine.observer import SessionObserver
    from openbell.model.address import Place

__all__ = ["live_run", "replay_run", "resumed_run"]

_MAY_DIFFER = ("live", "backtest_config")
"""Keys in which the configs may differ, since the run folder keeps no secrets of addresses and sets the days."""


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
        speed: How many times as fast as the machine's clock; None does not wait at all.
        observers: Receive the events of the run.

    Raises:
        ConfigError: The config names no days, or no store; or the exchange has no session on its days.
        StoreError: The folder is not a store.
    """
    if not config.has_days:
        raise ConfigError("a replay plays stored days: write them under backtest_config.")
    time_manager = _time_manager_of(config)
    sessions = BacktestMode().days(config, time_manager)
    bars = store if isinstance(store, BarStore) else BarStore.open(store_path(config, store))
    intervals = sorted({name for symbol in bars.symbols() for name in bars.intervals(symbol)}, key=parse_interval)
    feed = ReplayFeed(bars, time_manager, tuple(intervals), speed=speed)
    feed.begin(sessions[0])
    return LiveRun(config, feed, folder, sessions, time_manager, observers, actions_of=bars.path)


def live_run(
    config: SessionConfig,
    folder: Path,
    *,
    sessions: int = 1,
    adopts: bool = False,
    observers: Sequence[SessionObserver] = (),
) -> LiveRun:
    """Make a run of the sessions to come, by the feed that the config names.

    Args:
        config: The config, of mode live.
        folder: The run folder.
        sessions: How many sessions, including one that is running now.
        adopts: Whether the run adopts the positions and cash that its broker has.
        observers: Receive the events of the run.

    Raises:
        ConfigError: The config is of another mode, a variable of the environment is missing, or a package is.
        BrokerError: The broker does not answer, or another run trades on the account.
    """
    if config.mode != "live" or config.live is None:
        raise ConfigError(
            "this config is of a backtest. Write mode: live and live: {provider: alpaca}, or another; or play its "
            "days through the live path with openbell replay."
        )
    time_manager = _time_manager_of(config)
    now_ns = WallClock().now_ns
    first = time_manager.first_session_on_or_after(date_of(now_ns // DAY_NS) - timedelta(days=1))
    days = time_manager.sessions(first, first + timedelta(days=30 + 3 * sessions))
    coming = [day for day in days if time_manager.session(day).last_ns > now_ns][:sessions]
    feed = feed_of(config.live, time_manager)
    # Without the keys that an address may hold, because the run folder keeps the config.
    live = config.live.model_copy(update={"url": feed.address if config.live.url else None})
    config = config.model_copy(update={"live": live}).with_days(coming[0], coming[-1])
    broker_terms = broker_terms_of(config, folder, feed.filled, secrets.token_hex(4), adopts=adopts)
    return _with_waits(LiveRun(config, feed, folder, coming, time_manager, observers, broker_terms=broker_terms), live)


def resumed_run(
    folder: Path,
    config: SessionConfig | None = None,
    *,
    adopts: bool = False,
    observers: Sequence[SessionObserver] = (),
) -> LiveRun:
    """Resume a run that was killed or stopped.

    Its record is played again, so that strategies, orders and positions are as they were. Then come the bars that were
    missed meanwhile, and then new ones.

    Args:
        folder: The run folder.
        config: The config that it was started with, whose address may hold keys that the folder does not keep; that of
            the folder unless given.
        adopts: Whether the run adopts the broker's positions and cash where they differ from its own.
        observers: Receive the events of the run.

    Raises:
        RunFolderError: The folder is none of a live run, or the run is still running or is over.
        ConfigError: The folder is that of a replay, or the config is not the run's.
        BrokerError: The broker does not answer, another run trades on the account, or the account has changed.
    """
    past = Past.of(read_record(folder))
    if read_state(folder).get("state") == "ended":
        raise RunFolderError(f"the run of {folder} is over: it has played all of its sessions.")
    known = load_config(folder / "config.json")
    if known.mode != "live" or known.live is None:
        raise ConfigError(f"{folder} is the folder of a replay, which cannot be resumed: replay it again.")
    live = known.live if config is None else _same_live(known, config)
    time_manager = _time_manager_of(known)
    sessions = BacktestMode().days(known, time_manager)
    feed = feed_of(live, time_manager)
    broker_terms = None
    if past.account:
        broker_terms = broker_terms_of(
            known, folder, feed.filled, past.run_id, since_ns=past.since_ns, adopts=adopts, known=past.account
        )
    run = LiveRun(known, feed, folder, sessions, time_manager, observers, past=past, broker_terms=broker_terms)
    return _with_waits(run, known.live)


def _same_live(known: SessionConfig, config: SessionConfig) -> LiveConfig:
    """Return the live settings of a config, checked to be that of a run except for secrets and days.

    Raises:
        ConfigError: The config is not the run's.
    """
    ours, theirs = repeatable(known), repeatable(config)
    other = [key for key in ours if key not in _MAY_DIFFER and ours[key] != theirs.get(key)]
    if config.live is None or other:
        raise ConfigError(
            f"this is not the config that the run was started with: {', '.join(other) or 'live'} differ. Leave it out, "
            "or begin a new run."
        )
    return config.live


def _with_waits(run: LiveRun, live: LiveConfig) -> LiveRun:
    """Set the waits and the largest lag of a run by its config, and return the run."""
    run.resources.grace_ns = parse_interval(live.grace).ns
    run.resources.wait_ns = parse_interval(live.wait).ns
    run.resources.lag.limit_ns = parse_interval(live.max_lag).ns
    return run


def _time_manager_of(config: SessionConfig) -> TimeManager:
    """Return the calendar of a config, with a new session clock."""
    hours = config.session_data_config.session_hours
    return TimeManager(config.exchange, session_hours=hours, clock=SimulatedClock())

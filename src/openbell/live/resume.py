"""Live runs that go on after they were killed or stopped, by their folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.config import load_config
from openbell.engine.drive import BacktestDrive
from openbell.errors import ConfigError, RunFolderError
from openbell.live.feeds import feed_of
from openbell.live.past import Past
from openbell.live.record import read_record
from openbell.live.run import LiveRun, time_manager_of, with_waits
from openbell.live.run_lock import read_state
from openbell.results.run_folder import repeatable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from openbell.config import SessionConfig
    from openbell.config.live import LiveConfig
    from openbell.engine.observer import SessionObserver

__all__ = ["resumed_run"]

_MAY_DIFFER = ("live", "backtest_config")
"""The address may hold keys that the run folder does not keep, and the days follow from when the run began."""


def resumed_run(
    folder: Path, config: SessionConfig | None = None, *, observers: Sequence[SessionObserver] = ()
) -> LiveRun:
    """Make a run go on that was killed or stopped.

    What it has recorded is played again, so that strategies, orders and positions stand where they stood; then comes
    what has passed meanwhile, and then what comes.

    Args:
        folder: The run folder.
        config: The config that it was started with, whose address may hold keys that the folder does not keep; that of
            the folder unless given.
        observers: Watch the run.

    Raises:
        RunFolderError: It is no folder of a live run, or the run goes on or is over.
        ConfigError: It is the folder of a replay, or the config is another one.
    """
    past = Past.of(read_record(folder))
    if read_state(folder).get("state") == "ended":
        raise RunFolderError(f"the run of {folder} is over: it has played all of its sessions.")
    known = load_config(folder / "config.json")
    if known.mode != "live" or known.live is None:
        raise ConfigError(f"{folder} is the folder of a replay, which does not go on: play it again.")
    live = known.live if config is None else _same_live(known, config)
    time_manager = time_manager_of(known)
    sessions = BacktestDrive().days(known, time_manager)
    feed = feed_of(live, time_manager)
    return with_waits(LiveRun(known, feed, folder, sessions, time_manager, observers, past=past), known.live)


def _same_live(known: SessionConfig, config: SessionConfig) -> LiveConfig:
    """Return the live settings of a config that is the one of a run, but for keys in its address and for its days.

    Raises:
        ConfigError: It is another one.
    """
    ours, theirs = repeatable(known), repeatable(config)
    other = [key for key in ours if key not in _MAY_DIFFER and ours[key] != theirs.get(key)]
    if config.live is None or other:
        raise ConfigError(
            f"this is not the config that the run was started with: {', '.join(other) or 'live'} differ. Leave it out, "
            "or begin a new run."
        )
    return config.live

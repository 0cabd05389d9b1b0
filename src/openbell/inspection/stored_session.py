"""Replay of sessions of stored runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from openbell.engine.replayed_sessions import first_to_play
from openbell.engine.run_data import new_data_manager
from openbell.engine.system import SystemManager
from openbell.errors import ComponentError, RunFolderError
from openbell.live.record.backtest_of_record import RecordedMode, RecordedRun
from openbell.live.record.feed_record import NAME as FEED_RECORD
from openbell.live.record.feed_record import read_record
from openbell.live.record.verify import store_of_record
from openbell.model.events import local_time
from openbell.results.folder.as_json import record_json
from openbell.results.folder.run_folder import RunFolder
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from openbell.config import SessionConfig
    from openbell.model.address import Place
    from openbell.model.json_object import JsonObject
    from openbell.session import SessionData

__all__ = ["play_stored"]


def play_stored(
    folder: Path, config: SessionConfig, over: Sequence[date], day: date, *, store: Place | None, compare: bool
) -> SessionData:
    """Replay a session of a run, and return the session as it ended.

    Args:
        folder: The folder of the run.
        config: Its config.
        over: The sessions of the run that came to their end.
        day: The session.
        store: The store; that of the config unless given. A live run is replayed from its record.
        compare: Whether to raise an error if its journal differs from that of the run.

    Raises:
        ConfigError: The run has no such session, or no store is named.
        StoreError: The store is not there.
        ComponentError: A scanner or strategy raised in an earlier session.
        RunFolderError: The session comes out differently.
    """
    if (folder / FEED_RECORD).is_file():
        system = _played_live(folder, config, day)
    else:
        system = _played(folder, config, day, store)
    if compare:
        _require_same(folder, system, day, is_over=day in over)
    return system.session_data


def _states(folder: Path) -> dict[str, str]:
    """Return a stand-in for the states of strategies, which says only whether any was ever written."""
    return {"any": "kept"} if (folder / "state.jsonl").is_file() else {}


def _played(folder: Path, config: SessionConfig, day: date, store: Place | None) -> SystemManager:
    time_manager = TimeManager(config.exchange, session_hours=config.session_data_config.session_hours)
    asked = config.backtest_config
    days = time_manager.sessions(asked.start_date, asked.end_date)
    first = first_to_play(config, days, day, _states(folder))
    # The last day of the whole run decides which bars are known, so the data manager is made before days are cut.
    bars = new_data_manager(config, time_manager, store)
    system = SystemManager(config.with_days(first, day), data_manager=bars)
    _run(system, day)
    return system


def _played_live(folder: Path, config: SessionConfig, day: date) -> SystemManager:
    """Replay the record of a live run, up to the end of a session."""
    run = RecordedRun.of(read_record(folder))
    days = list(run.days)
    first_to_play(config, days, day, {})
    until = replace(run, days={played: of for played, of in run.days.items() if played <= day})
    with TemporaryDirectory(ignore_cleanup_errors=True) as made:
        store = store_of_record(folder, run, Path(made))
        config = config.model_copy(update={"mode": "backtest"}).with_days(days[0], day)
        system = SystemManager(config, store=store, mode=RecordedMode(until))
        _run(system, day)
    return system


def _run(system: SystemManager, day: date) -> None:
    """Run up to a session, which may itself end in an error as in the run."""
    try:
        system.run()
    except ComponentError:
        if system.session_data.session_date != day:
            raise


def _require_same(folder: Path, system: SystemManager, day: date, *, is_over: bool) -> None:
    """Check that the records of the replayed sessions are those in the run's journal.

    Raises:
        RunFolderError: They differ; the message has the first difference.
    """
    last = local_time(system.time_manager.session(day).last_ns, UTC)
    again = [_entry_of(record_json(record)) for record in system.coordinator.journal]
    again = [entry for entry in again if entry.time < last]
    first = min((entry.time for entry in again), default=last)
    before = [entry for entry in map(_entry_of, RunFolder.read_journal(folder)) if first <= entry.time < last]
    # If one session follows another without a break, records of the end of one have the time of the next one's begin.
    at_first = [sum(entry.time == first for entry in some) for some in (before, again)]
    before = before[max(at_first[0] - at_first[1], 0) :]
    for ours, theirs in zip_longest(before, again):
        if ours is None and not is_over:
            return  # the run failed, or was stopped or killed, at this point
        if ours != theirs:
            raise RunFolderError(
                f"the session of {day} differs from that of the run in {folder}: the run's journal has "
                f"{_text(ours)}, and the replay has {_text(theirs)}. The store, a scanner or strategy, or "
                "openbell has changed since; session(day, compare=False) shows it as it comes out now."
            )


class _Entry(NamedTuple):
    """A record of a journal, without the fields that differ from run to run."""

    time: datetime
    operation: str
    symbol: str
    owner: str
    ok: bool


def _entry_of(line: JsonObject) -> _Entry:
    time = datetime.fromisoformat(line["time"])
    return _Entry(time, line["operation_type"], line["symbol"], line["owner"], line["ok"])


def _text(entry: _Entry | None) -> str:
    if entry is None:
        return "nothing there"
    outcome = "done" if entry.ok else "refused"
    return f"{entry.operation} {entry.symbol} for {entry.owner} at {entry.time.isoformat()}, which was {outcome}"

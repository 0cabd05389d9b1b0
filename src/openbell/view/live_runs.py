"""Following of live runs by their growing files, and requests to stop them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import anyio
from anyio.to_thread import run_sync

from openbell.errors import ConfigError, RunFolderError, printable
from openbell.live.status.live_status import STATUS
from openbell.live.status.run_lock import OVER, STATE, is_running, read_state
from openbell.live.stop_request import ask_to_stop
from openbell.pages.page import browser_json
from openbell.timing.clock import stopwatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from openbell.model.json_object import JsonObject

__all__ = ["ALIVE_S", "EVERY_S", "event", "follow", "is_live", "live_state", "stop_run"]

EVERY_S = 0.5
ALIVE_S = 15.0
_LAST_BYTES = 60_000
_MOST_BYTES = 400_000
_SILENT_S = 5.0
_NEW = -1
"""Offset of a new page, which has no events yet."""


def is_live(folder: Path) -> bool:
    """Return whether a folder is that of a live run, running or over."""
    return (folder / STATE).is_file()


def live_state(folder: Path) -> str:
    """Return the state of a live run, "killed" if its process has died."""
    try:
        state = str(read_state(folder).get("state", ""))
    except RunFolderError:
        return "unreadable"
    # Not by the summary, which may be older than a resumption of the run.
    return "killed" if state not in OVER and not is_running(folder) else state


def stop_run(folder: Path, flatten: bool) -> None:
    """Ask a live run to end, as ``openbell stop`` does.

    Args:
        folder: The folder of the run.
        flatten: Whether the run closes its positions first.

    Raises:
        ConfigError: The run is not running.
    """
    if not is_live(folder) or not is_running(folder):
        raise ConfigError("this run is not running: there is nothing to stop.")
    ask_to_stop(folder, flatten=flatten)


async def follow(folder: Path, last_id: str, is_ending: Callable[[], bool]) -> AsyncIterator[str]:
    """Yield server-sent events of a live run, also after its end, because it may be resumed.

    The id of an event is the offset in the journal up to which records were sent, where a reconnecting browser goes on.

    Args:
        folder: The folder of the run.
        last_id: The id of the last event that the browser has; empty for a new page.
        is_ending: Returns whether the server is shutting down.
    """
    offset = int(last_id) if last_id.isdecimal() else _NEW
    sent: tuple[int, int] | None = None
    state, spoken, looked = "", stopwatch(), stopwatch()
    yield "retry: 1000\n\n"
    while not is_ending():
        news, offset = await run_sync(_journal_since, folder / "journal.jsonl", offset)
        if news:
            yield event("journal", news, offset)
        stamp = await run_sync(_stamp, folder / STATUS)
        if stamp is not None and stamp != sent:
            status = await run_sync(_status, folder / STATUS)
            if status is not None:
                sent = stamp
                yield event("status", status, offset)
                spoken = looked = stopwatch()
        if state == "" or looked.seconds > _SILENT_S:  # rarely: it takes the run's lock for a moment
            looked, found = stopwatch(), await run_sync(live_state, folder)
            if found != state:
                state = found
                yield event("state", {"state": state}, offset)
        if spoken.seconds > ALIVE_S:
            spoken = stopwatch()
            yield ": still here\n\n"
        await anyio.sleep(EVERY_S)


def event(name: str, value: object, offset: int) -> str:
    """Return the text of a server-sent event, with an offset in a file as its id."""
    return f"id: {offset}\nevent: {name}\ndata: {browser_json(value)}\n\n"


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        state = file.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_ino


def _status(file: Path) -> JsonObject | None:
    try:
        found: JsonObject = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None  # tried again by the next look
    return found


def _journal_since(file: Path, offset: int) -> tuple[list[JsonObject], int]:
    """Return the records from an offset on, for a new page the last ones, and the offset of their end."""
    try:
        with file.open("rb") as lines:
            size = lines.seek(0, 2)
            begin = max(size - _LAST_BYTES, 0) if offset == _NEW or offset > size else offset
            lines.seek(begin)
            if offset == _NEW and begin:
                begin += len(lines.readline())
            read = lines.read(_MOST_BYTES)
    except OSError:
        return [], offset
    whole = read[: read.rfind(b"\n") + 1]
    return [record for line in whole.splitlines() if (record := _record(line)) is not None], begin + len(whole)


def _record(line: bytes) -> JsonObject | None:
    try:
        record = json.loads(line)
        names = record.get("symbols") or [record["symbol"]]
        refused = not record["ok"] and bool(record["errors"])
        return {
            "time": f"{datetime.fromisoformat(record['time']):%H:%M:%S}",
            "operation": record["operation_type"],
            "symbols": printable(", ".join(map(str, names[:8])) + (" ..." if len(names) > 8 else "")),
            "owner": printable(record["owner"]),
            "refused": refused,
            "text": printable(" ".join(record["errors"]) if refused else record["reason"]),
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return None

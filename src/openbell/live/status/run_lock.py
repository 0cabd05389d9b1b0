"""Lock and state of a live run, for other processes to read."""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

import filelock

from openbell.errors import RunFolderError
from openbell.store.atomic_files import replace_file
from openbell.timing.clock import stopwatch, wall_stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from openbell.model.json_object import JsonObject

__all__ = ["CLOSING", "ENDING", "OVER", "STATE", "RunLock", "is_running", "read_state", "wait_for_end", "watching"]

STATE = "live.json"
CLOSING = "closing"
"""State of a run that closes its positions, and then ends."""
ENDING = "ending"
"""State of a run whose sessions are over, and that writes its results."""
OVER = ("ended", "stopped", "interrupted", "failed")
"""States of a run that was not killed, but ended and said so."""
_LOCK = "live.lock"
_POLL_S = 0.1


class RunLock:
    """Lock of one process on a run folder, which the system releases when the process dies.

    Args:
        folder: The run folder; it is created.

    Raises:
        RunFolderError: Another live run is using the folder, or the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state: JsonObject = {}
        self._lock = _lock_of(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except filelock.Timeout:
            pid = read_state(folder).get("pid")
            who = f"process {pid}" if pid else "another process"
            raise RunFolderError(
                f"{folder} is the folder of a live run that is running in {who}. Name another folder with --out, or "
                f"end that run with openbell stop {folder}."
            ) from None
        except OSError as error:
            raise RunFolderError(f"cannot write the run folder {folder}: {error.strerror or error}.") from error

    def write(self, state: str, **fields: str) -> None:
        """Write the state of the run, with new fields and those that were written before."""
        started = self._state.get("started") or wall_stamp()
        self._state = {**self._state, "pid": os.getpid(), "started": started, **fields, "state": state}
        try:
            replace_file(self._folder / STATE, json.dumps(self._state, indent=2).encode())
        except OSError as error:
            raise RunFolderError(f"cannot write {self._folder / STATE}: {error.strerror or error}.") from error

    def release(self) -> None:
        """Release the folder for other runs."""
        self._lock.release()


def read_state(folder: Path) -> JsonObject:
    """Return the state and fields that the run of a folder wrote, empty when it wrote none."""
    try:
        found: JsonObject = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise RunFolderError(f"cannot read {folder / STATE}: {error}.") from error
    return found


def is_running(folder: Path) -> bool:
    """Return whether a process holds the lock of a run folder."""
    if not (folder / _LOCK).exists():
        return False
    lock = _lock_of(folder)
    try:
        lock.acquire()
    except filelock.Timeout:
        return True
    lock.release()
    return False


def wait_for_end(folder: Path, seconds: float, *, closing_s: float = 0.0) -> bool:
    """Wait until the run of a folder is over, and return whether it is.

    A run that writes its results is waited for without a limit.

    Args:
        folder: The run folder.
        seconds: How long to wait for the end.
        closing_s: How many seconds longer to wait while the run closes its positions.
    """
    waited = stopwatch()
    while is_running(folder):
        state = read_state(folder).get("state")
        if waited.seconds >= seconds + (closing_s if state == CLOSING else 0.0) and state != ENDING:
            return False
        time.sleep(_POLL_S)
    return True


@contextmanager
def watching(stop_file: Path, wake: Callable[[], None], tick: Callable[[], None]) -> Iterator[None]:
    """Call ``tick`` ten times a second, and ``wake`` while the stop file is there, from another thread."""
    ended = Event()

    def watch() -> None:
        while not ended.wait(_POLL_S):
            tick()
            if stop_file.exists():
                wake()

    thread = Thread(target=watch, name="openbell-stop", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _lock_of(folder: Path) -> filelock.BaseFileLock:
    return filelock.FileLock(folder / _LOCK, timeout=0, thread_local=False)

"""Trial reading of a file in another process, which a damaged file may end.

For some damages of a Parquet or Feather file, polars raises no error but requests more memory than there is, and the
process ends. So each slice of such a file is read in another process before it is read in this one.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from openbell.importers.tables.columnar_frames import PanickedError, collect, named, polars_errors, scan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    _Process: TypeAlias = subprocess.Popen[bytes]

__all__ = ["TRIAL_READER", "TrialReader", "main"]

_COMMAND = "from openbell.importers.files.trial_reading import main; main()"
_IDLE_S = 20.0
_READY = b"ready\n"


class TrialReader:
    """A process that reads slices of files.

    The process is started at the first `read`, and again after it has ended, as it does when it is idle for 20 seconds.
    """

    def __init__(self) -> None:
        self._process: _Process | None = None
        self._owner = 0
        self._cannot_start = False
        self._lock = threading.Lock()

    def read(self, kind: str, path: Path, start: int, count: int, columns: Sequence[str] | None) -> None:
        """Let the process read rows of a file.

        Ordinary errors of polars are ignored, because reading the rows in this process raises them again. Where no
        process can be started, nothing is done.

        Args:
            kind: "parquet" or "ipc".
            path: The file.
            start: The first row.
            count: The number of rows.
            columns: The columns to read; None reads only the schema and the number of rows.

        Raises:
            OSError: The file ended the process, or polars panicked, which would print a trace in this process.
        """
        question = json.dumps([kind, str(Path(path).absolute()), start, count, columns and list(columns)])
        with self._lock:
            for _ in range(2):
                process = self._running()
                if process is None:
                    return
                if answer := self._ask(process, question):
                    if panic := json.loads(answer):
                        raise OSError(panic)
                    return
                status = process.wait()
                self.close()
                if status:
                    raise OSError("it is damaged at a place where polars cannot continue, and ends the process")

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and self._owner == os.getpid():
            process.kill()
            process.communicate()

    def _running(self) -> _Process | None:
        """Return the process, started if needed.

        It is None where none can be started, as in a frozen program.
        """
        if self._owner != os.getpid():  # this process is a fork, and the other process belongs to its parent
            self._process, self._owner, self._cannot_start = None, os.getpid(), getattr(sys, "frozen", False)
        if self._process is None and not self._cannot_start:
            self._process = _started()
            self._cannot_start = self._process is None
        return self._process

    def _ask(self, process: _Process, question: str) -> bytes:
        """Send a question to the process, and return its answer, empty if it ended before."""
        try:
            return _answer(process, question)
        except BaseException:
            self.close()  # a late answer would be taken for that to the next question
            raise


def _started() -> _Process | None:
    """Start a process that is ready to read, or return None."""
    command = [sys.executable, "-c", _COMMAND]
    path = os.pathsep.join(filter(None, sys.path))
    try:
        process = subprocess.Popen(  # noqa: S603  our own command
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
    except OSError:
        return None
    if _answer(process) == _READY:
        return process
    process.kill()
    process.communicate()
    return None


def _answer(process: _Process, question: str | None = None) -> bytes:
    """Send a question, if any, and return the process's next line.

    The line is empty if the process has ended.
    """
    if process.stdin is None or process.stdout is None:
        return b""
    try:
        if question is not None:
            process.stdin.write(question.encode() + b"\n")
            process.stdin.flush()
        return process.stdout.readline()
    except OSError:
        return b""


TRIAL_READER = TrialReader()
"""The reader that all tables of this process share."""

atexit.register(TRIAL_READER.close)


def main() -> None:
    """Answer the questions of the parent process, one a line, until there are no more."""
    import signal

    # Ctrl-C is left to the parent process, at whose end this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _write(_READY)
    idle = _end_later()
    for line in sys.stdin.buffer:
        idle.cancel()
        _write(json.dumps(_panic_of(*json.loads(line))).encode() + b"\n")
        idle = _end_later()
    idle.cancel()


def _write(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def _end_later() -> threading.Timer:
    """Start a timer that ends this process when it has been idle."""
    timer = threading.Timer(_IDLE_S, os._exit, (0,))
    timer.daemon = True
    timer.start()
    return timer


def _panic_of(kind: str, path: str, start: int, count: int, columns: list[str] | None) -> str | None:
    """Read rows, and return the text of a panic, or None without one."""
    try:
        rows, schema = named(scan(kind, path))
        if columns is None:
            with polars_errors():
                rows.select(pl.len()).collect()
        else:
            collect(rows, schema, start, count, columns)
    except PanickedError as panic:
        return str(panic)
    except Exception:  # noqa: BLE001, S110 -- it is raised again where the rows are read
        pass
    return None

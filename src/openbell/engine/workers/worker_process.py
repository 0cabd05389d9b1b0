"""Worker processes, which carry out what comes over a pipe and end with their parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from openbell.engine.gc_control import rare_collection
from openbell.logs import configure_logs, log_choice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

__all__ = ["WorkerProcess", "started", "started_ahead"]

# Not fork: a child of a process whose polars has started its threads may wait for them for ever.
_CONTEXT = multiprocessing.get_context("spawn")

_ahead: list[WorkerProcess] = []


@dataclass(frozen=True, slots=True, eq=False)
class WorkerProcess:
    """A process and this end of its line."""

    process: SpawnProcess
    line: Connection

    @property
    def exit_code(self) -> int:
        """The code that it ended with, negative when a signal ended it."""
        return self.process.exitcode or 0

    def kill(self) -> None:
        """End it, whatever it does."""
        self.process.kill()

    def bury(self) -> None:
        """Close its line, which ends it when it waits for a task."""
        self.line.close()
        self.process.join()


def started(make: Callable[..., Callable[[Any], Any]], args: tuple[Any, ...]) -> WorkerProcess:
    """Return a process that answers tasks, one that was started ahead if there is any.

    Args:
        make: Called in the process with ``args``; returns what answers a task. What it prints goes to stderr.
        args: What it needs; it is pickled, as tasks and answers are.
    """
    worker = _ahead.pop() if _ahead else _start("")
    with suppress(OSError):  # it died; that the line has ended is heard next
        worker.line.send((log_choice(), make, args))
    return worker


@contextmanager
def started_ahead(count: int, module: str) -> Iterator[None]:
    """Start processes that import a module while this one finds out what they are to do.

    Those that nobody has taken are gone at the end.
    """
    try:
        _ahead.extend(_start(module) for _ in range(count))
        yield
    finally:
        left = _ahead[:]
        _ahead.clear()
        for worker in left:
            worker.kill()
        for worker in left:
            worker.bury()


def _start(module: str) -> WorkerProcess:
    ours, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_work, args=(theirs, module), daemon=True)
    with _interrupts_put_off():
        process.start()
    theirs.close()  # so that the line ends when the worker does
    return WorkerProcess(process, ours)


@contextmanager
def _interrupts_put_off() -> Iterator[None]:
    """Let Ctrl-C wait, and a process that is started meanwhile not hear of it."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # a process of multiprocessing's own, whose start would let signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(line: Connection, module: str) -> None:
    """Carry out the tasks that come over a line, until it ends."""
    # Ctrl-C reaches all of a terminal: the parent ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if module:
        import_module(module)
    messages = _received(line)
    for (verbosity, as_json), make, args in messages:  # the first one
        configure_logs(verbosity, as_json=as_json)
        with redirect_stdout(sys.stderr), rare_collection():
            carry_out = make(*args)
            for task in messages:
                answer = carry_out(task)
                sys.stderr.flush()  # half a line, too: it may be killed while it waits
                line.send(answer)


def _received(line: Connection) -> Iterator[Any]:
    """Yield what comes over a line, until it ends."""
    while True:
        try:
            message = line.recv()
        except (EOFError, OSError):
            return
        yield message


def _end_with_parent() -> None:
    """End this process as soon as its parent has, so that nobody writes into a folder that is given up."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)

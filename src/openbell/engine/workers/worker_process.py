"""Worker processes, which carry out tasks from a pipe and end with their parent."""

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

__all__ = ["WorkerProcess", "start_worker", "workers_started_ahead"]

# Not fork: a forked child of a process in which polars has started threads may wait for ever.
_CONTEXT = multiprocessing.get_context("spawn")

_started_ahead: list[WorkerProcess] = []


@dataclass(frozen=True, slots=True, eq=False)
class WorkerProcess:
    """A worker process, and the parent's end of its pipe."""

    process: SpawnProcess
    pipe: Connection

    @property
    def exit_code(self) -> int:
        """Exit code of the process, negative if a signal ended it, and 0 while it runs."""
        return self.process.exitcode or 0

    def kill(self) -> None:
        """Kill the process, busy or idle."""
        self.process.kill()

    def close(self) -> None:
        """Close the pipe, which ends the process if it is idle, and wait for its end."""
        self.pipe.close()
        self.process.join()


def start_worker(make: Callable[..., Callable[[Any], Any]], args: tuple[Any, ...]) -> WorkerProcess:
    """Return a process that carries out tasks, one that was started ahead if there is any.

    Args:
        make: Called in the process with ``args``; returns the function that carries out a task. What they print goes to
            stderr.
        args: The arguments of ``make``; pickled, as tasks and answers are.
    """
    worker = _started_ahead.pop() if _started_ahead else _start("")
    with suppress(OSError):  # it died, which the next read of the pipe finds
        worker.pipe.send((log_choice(), make, args))
    return worker


@contextmanager
def workers_started_ahead(count: int, module: str) -> Iterator[None]:
    """Start processes that import a module, while the caller prepares their tasks.

    Those that `start_worker` has not returned by the end of the ``with`` block are killed.
    """
    try:
        _started_ahead.extend(_start(module) for _ in range(count))
        yield
    finally:
        left = _started_ahead[:]
        _started_ahead.clear()
        for worker in left:
            worker.kill()
        for worker in left:
            worker.close()


def _start(module: str) -> WorkerProcess:
    ours, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_work, args=(theirs, module), daemon=True)
    with _interrupts_blocked():
        process.start()
    theirs.close()  # so that the pipe ends when the worker does
    return WorkerProcess(process, ours)


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Hold back Ctrl-C from this process, and from one that is started meanwhile."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # else multiprocessing starts it now, which would unblock signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(pipe: Connection, module: str) -> None:
    """Carry out the tasks that come over a pipe, until it ends."""
    # Ctrl-C reaches all processes of a terminal, and the parent ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if module:
        import_module(module)
    messages = _received(pipe)
    for (verbosity, as_json), make, args in messages:  # the first message; tasks follow
        configure_logs(verbosity, as_json=as_json)
        with redirect_stdout(sys.stderr), rare_collection():
            carry_out = make(*args)
            for task in messages:
                answer = carry_out(task)
                sys.stderr.flush()  # an unfinished line, too: the worker may be killed while it waits
                pipe.send(answer)


def _received(pipe: Connection) -> Iterator[Any]:
    """Yield the messages that come over a pipe, until it ends."""
    while True:
        try:
            message = pipe.recv()
        except (EOFError, OSError):
            return
        yield message


def _end_with_parent() -> None:
    """End this process as soon as its parent has ended.

    So it does not go on writing to the run folder.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)

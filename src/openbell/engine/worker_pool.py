"""Processes that carry out tasks side by side, of which none outlives its pool."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter, deque
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from openbell.logs import configure_logs, log_choice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from typing import Self

__all__ = ["Died", "WorkerPool"]

Task = TypeVar("Task")
Answer = TypeVar("Answer")

_MOST_DEATHS = 3
"""A task whose worker died so often is given up."""

# Not fork: a child of a process whose polars has started its threads may wait for them for ever.
_CONTEXT = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Died:
    """Answer to a task that ended its worker again and again.

    Attributes:
        exit_code: How the last one ended; negative: by which signal.
    """

    exit_code: int

    def __str__(self) -> str:
        """Return how often and how, for people."""
        code = self.exit_code
        how = f"by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"with exit code {code}"
        return f"ended {_MOST_DEATHS} times, at last {how}"


@dataclass(slots=True, eq=False)
class _Worker(Generic[Task]):
    """A worker, its end of the line, and the task that it carries out."""

    process: SpawnProcess
    line: Connection
    number: int
    task: Task


class WorkerPool(Generic[Task, Answer]):
    """A pool of processes.

    A worker that dies, because it was killed or because its task crashed it, is replaced, and its task is done by
    another, up to three times. Each has a line of its own, so that it is known whose task a death was. Workers wait
    for the next `run`, and are gone when the pool is left as a context manager.

    Args:
        make: Called in each process with ``args``; returns what answers a task. What it prints goes to stderr.
        args: What it needs; it is pickled, as tasks and answers are.
        jobs: How many workers at the most.
    """

    def __init__(self, make: Callable[..., Callable[[Task], Answer]], args: tuple[Any, ...], jobs: int) -> None:
        self._make, self._args, self._jobs = make, args, jobs
        self._workers: list[_Worker[Task]] = []
        self._idle: list[_Worker[Task]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Answer | Died]]:
        """Carry out tasks, and yield each with its answer as it is done.

        When the caller stops, for an error or a signal, the workers are ended at once.
        """
        waiting = deque(enumerate(tasks))
        deaths: Counter[int] = Counter()
        try:
            while waiting and len(self._workers) < self._jobs:
                self._start(*waiting.popleft())
            while self._workers:
                for line in wait([worker.line for worker in self._workers]):
                    worker = next(w for w in self._workers if w.line is line)
                    yield from self._hear(worker, waiting, deaths)
        finally:
            if self._workers:
                self._end()

    def _start(self, number: int, task: Task) -> None:
        """Give a task to a worker that waits, or to a new one."""
        if self._idle:
            self._workers.append(self._idle.pop())
            self._send(self._workers[-1], number, task)
            return
        ours, theirs = _CONTEXT.Pipe()
        process = _CONTEXT.Process(target=_work, args=(theirs, log_choice(), self._make, self._args), daemon=True)
        process.start()
        theirs.close()  # so that the line ends when the worker does
        worker = _Worker(process, ours, number, task)
        self._workers.append(worker)
        self._send(worker, number, task)

    def _send(self, worker: _Worker[Task], number: int, task: Task) -> None:
        worker.number, worker.task = number, task
        with suppress(OSError):  # it died; that the line has ended is heard next
            worker.line.send(task)

    def _hear(
        self, worker: _Worker[Task], waiting: deque[tuple[int, Task]], deaths: Counter[int]
    ) -> Iterator[tuple[Task, Answer | Died]]:
        """Take what a worker answers, and give it or its successor the next task."""
        number, task = worker.number, worker.task
        try:
            answer: Answer = worker.line.recv()
        except (EOFError, OSError):
            self._bury(worker)
            deaths[number] += 1
            if deaths[number] < _MOST_DEATHS:
                waiting.appendleft((number, task))
            else:
                yield task, Died(worker.process.exitcode or 0)
            if waiting:
                self._start(*waiting.popleft())
            return
        if waiting:
            self._send(worker, *waiting.popleft())
        else:
            self._workers.remove(worker)
            self._idle.append(worker)
        yield task, answer

    def _bury(self, worker: _Worker[Task]) -> None:
        """Close the line of a worker, which ends it when it waits for a task."""
        worker.line.close()
        worker.process.join()
        for workers in (self._workers, self._idle):
            if worker in workers:
                workers.remove(worker)

    def _end(self) -> None:
        """End all workers, whatever they do."""
        for worker in self._workers:
            worker.process.kill()
        for worker in [*self._workers, *self._idle]:
            self._bury(worker)


def _work(
    line: Connection,
    logs: tuple[int, bool],
    make: Callable[..., Callable[[Any], Any]],
    args: tuple[Any, ...],
) -> None:
    """Carry out the tasks that come over a line, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of a terminal: the parent ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    verbosity, as_json = logs
    configure_logs(verbosity, as_json=as_json)
    with redirect_stdout(sys.stderr):
        carry_out = make(*args)
        while True:
            try:
                task = line.recv()
            except (EOFError, OSError):
                return
            line.send(carry_out(task))


def _end_with_parent() -> None:
    """End this process as soon as its parent has, so that nobody writes into a folder that is given up."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)

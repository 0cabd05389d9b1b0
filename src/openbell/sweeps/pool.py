"""Processes that run the points of a sweep side by side."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from openbell.errors import RunFolderError
from openbell.logs import configure_logs, log_choice
from openbell.sweeps.point_run import PointTask, run_point
from openbell.sweeps.result import PointResult
from openbell.sweeps.shared_bars import SharedBars

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from pathlib import Path

    from openbell.config import SessionConfig

__all__ = ["PointPool"]

_MOST_DEATHS = 3
"""A point whose worker died so often is given up."""

# Not fork: a child of a process whose polars has started its threads may wait for them for ever.
_CONTEXT = multiprocessing.get_context("spawn")


@dataclass(slots=True)
class _Worker:
    """A worker, its end of the line, and the point that it runs."""

    process: SpawnProcess
    line: Connection
    task: PointTask


class PointPool:
    """A pool of processes, each of which reads the bars for its points once.

    A worker that dies, because it was killed or because its point crashed it, is replaced, and its point is run again
    by another, up to three times.

    Args:
        config: The config of the sweep.
        store: The folder of the store; that of each config unless given.
        last_day: The last day of all points.
        jobs: How many workers at the most.
    """

    def __init__(self, config: SessionConfig, store: Path | None, last_day: date, jobs: int) -> None:
        self._sent = config, store, last_day
        self._jobs = jobs
        self._workers: list[_Worker] = []
        self._deaths: Counter[int] = Counter()

    def run(self, tasks: Iterable[PointTask]) -> Iterator[tuple[int, PointResult]]:
        """Run points, and yield each with its number as it is done.

        When the caller stops, for an error or a signal, the workers are ended at once.

        Raises:
            RunFolderError: A folder cannot be written.
        """
        waiting = deque(tasks)
        try:
            while waiting and len(self._workers) < self._jobs:
                self._start(waiting.popleft())
            while self._workers:
                for line in wait([worker.line for worker in self._workers]):
                    worker = next(w for w in self._workers if w.line is line)
                    yield from self._hear(worker, waiting)
        finally:
            self._end()

    def _start(self, task: PointTask) -> None:
        ours, theirs = _CONTEXT.Pipe()
        process = _CONTEXT.Process(target=_work, args=(theirs, *self._sent, log_choice()), daemon=True)
        process.start()
        theirs.close()  # so that the line ends when the worker does
        self._workers.append(_Worker(process, ours, task))
        self._send(self._workers[-1], task)

    def _send(self, worker: _Worker, task: PointTask) -> None:
        worker.task = task
        with suppress(OSError):  # it died; that the line has ended is heard next
            worker.line.send(task)

    def _hear(self, worker: _Worker, waiting: deque[PointTask]) -> Iterator[tuple[int, PointResult]]:
        """Take what a worker says, and give it or its successor the next point."""
        number = worker.task.number
        try:
            said: PointResult | str = worker.line.recv()
        except (EOFError, OSError):
            self._bury(worker)
            self._deaths[number] += 1
            if self._deaths[number] < _MOST_DEATHS:
                waiting.appendleft(worker.task)
            else:
                yield number, _given_up(worker)
            if waiting:
                self._start(waiting.popleft())
            return
        if isinstance(said, str):
            raise RunFolderError(said)
        yield number, said
        if waiting:
            self._send(worker, waiting.popleft())
        else:
            worker.line.close()
            worker.process.join()
            self._workers.remove(worker)

    def _bury(self, worker: _Worker) -> None:
        worker.line.close()
        worker.process.join()
        self._workers.remove(worker)

    def _end(self) -> None:
        """End all workers, whatever they do."""
        for worker in self._workers:
            worker.process.kill()
        for worker in list(self._workers):
            self._bury(worker)


def _given_up(worker: _Worker) -> PointResult:
    code = worker.process.exitcode or 0
    how = f"by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"with exit code {code}"
    return PointResult(
        values=worker.task.values,
        run=worker.task.folder.name,
        error=f"the process that ran it ended {_MOST_DEATHS} times, at last {how}. If memory is short, run with fewer "
        "--jobs.",
    )


def _work(line: Connection, config: SessionConfig, store: Path | None, last_day: date, logs: tuple[int, bool]) -> None:
    """Run the points that come over a line, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of a terminal: the parent ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    verbosity, as_json = logs
    configure_logs(verbosity, as_json=as_json)
    bars = SharedBars(store, last_day)
    while True:
        try:
            task: PointTask = line.recv()
        except (EOFError, OSError):
            return
        try:
            said: PointResult | str = run_point(config, task, bars)
        except RunFolderError as error:
            said = str(error)
        line.send(said)


def _end_with_parent() -> None:
    """End this process as soon as its parent has, so that nobody writes into the folder of a sweep that is over."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)

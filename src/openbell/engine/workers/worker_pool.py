"""Pool of worker processes, none of which outlives it."""

from __future__ import annotations

import signal
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from openbell.engine.workers.waiting_tasks import Job, WaitingTasks
from openbell.engine.workers.worker_process import start_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator
    from typing import Self

    from openbell.engine.workers.worker_process import WorkerProcess

__all__ = ["TaskGivenUp", "WorkerPool"]

Task = TypeVar("Task")
Answer = TypeVar("Answer")

_MOST_DEATHS = 3
"""Number of deaths of workers after which a task is given up."""


@dataclass(frozen=True, slots=True)
class TaskGivenUp:
    """Answer to a task that is given up, because its workers died.

    Attributes:
        exit_code: The exit code of the last of them; a negative one is the number of a signal.
    """

    exit_code: int

    def __str__(self) -> str:
        """Return a text that says how often workers died, and how the last one did."""
        code = self.exit_code
        how = f"by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"with exit code {code}"
        return f"ended {_MOST_DEATHS} times, at last {how}"


@dataclass(slots=True, eq=False)
class _Worker(Generic[Task]):
    """A worker, and its current or last job."""

    process: WorkerProcess
    job: Job[Task]


class WorkerPool(Generic[Task, Answer]):
    """A pool of processes.

    A worker that dies, because it was killed or because its task crashed it, is replaced. Another worker then tries its
    task; after three deaths the task is given up. Each worker has its own pipe, by which it is known which task a death
    belongs to. Workers are reused by the next `run`, and are killed when the pool is left as a context manager.

    Args:
        make: Called in each process with ``args``; returns the function that carries out a task. What they print goes
            to stderr.
        args: The arguments of ``make``; pickled, as tasks and answers are.
        jobs: The largest number of workers.
    """

    def __init__(self, make: Callable[..., Callable[[Task], Answer]], args: tuple[Any, ...], jobs: int) -> None:
        self._make, self._args, self._most = make, args, jobs
        self._workers: list[_Worker[Task]] = []
        self._idle: list[_Worker[Task]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def run(
        self, tasks: Iterable[Task], kind_of: Callable[[Task], Hashable] = lambda _: None
    ) -> Iterator[tuple[Task, Answer | TaskGivenUp]]:
        """Carry out tasks, and yield each with its answer as it is done.

        When the caller stops early, for an error or a signal, the workers are killed at once.

        Args:
            tasks: The tasks.
            kind_of: Returns the kind of a task, as of `WaitingTasks`.
        """
        waiting = WaitingTasks(tasks, kind_of)
        try:
            while waiting and len(self._workers) < self._most:
                self._start(waiting)
            while self._workers:
                for pipe in wait([worker.process.pipe for worker in self._workers]):
                    worker = next(w for w in self._workers if w.process.pipe is pipe)
                    yield from self._receive(worker, waiting)
        finally:
            if self._workers:
                self._end()

    def _start(self, waiting: WaitingTasks[Task]) -> None:
        """Give a task to an idle worker, or to a new one."""
        idle = self._idle.pop() if self._idle else None
        job = self._next(waiting, idle)
        worker = idle or _Worker(start_worker(self._make, self._args), job)
        self._workers.append(worker)
        self._send(worker, job)

    def _next(self, waiting: WaitingTasks[Task], worker: _Worker[Task] | None) -> Job[Task]:
        others = {other.job.kind for other in self._workers if other is not worker}
        return waiting.take(worker and worker.job.kind, others)

    def _send(self, worker: _Worker[Task], job: Job[Task]) -> None:
        worker.job = job
        with suppress(OSError):  # it died, which the next read of the pipe finds
            worker.process.pipe.send(job.task)

    def _receive(
        self, worker: _Worker[Task], waiting: WaitingTasks[Task]
    ) -> Iterator[tuple[Task, Answer | TaskGivenUp]]:
        """Receive the answer or the death of a worker, and hand out the next task."""
        job = worker.job
        try:
            answer: Answer = worker.process.pipe.recv()
        except (EOFError, OSError):
            self._remove(worker)
            job.deaths += 1
            if job.deaths < _MOST_DEATHS:
                waiting.put_back(job)
            else:
                yield job.task, TaskGivenUp(worker.process.exit_code)
            if waiting:
                self._start(waiting)
            return
        if waiting:
            self._send(worker, self._next(waiting, worker))
        else:
            self._workers.remove(worker)
            self._idle.append(worker)
        yield job.task, answer

    def _remove(self, worker: _Worker[Task]) -> None:
        """Close the pipe of a worker, which ends it if it is idle, and wait for its end."""
        worker.process.close()
        for workers in (self._workers, self._idle):
            if worker in workers:
                workers.remove(worker)

    def _end(self) -> None:
        """Kill all workers, busy or idle."""
        workers = [*self._workers, *self._idle]
        for worker in workers:
            worker.process.kill()  # idle ones too: an orderly exit frees memory bit by bit, which takes a while
        for worker in workers:
            self._remove(worker)

"""Tasks that wait for a worker, by kind."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

__all__ = ["Job", "WaitingTasks"]

Task = TypeVar("Task")


@dataclass(slots=True, eq=False)
class Job(Generic[Task]):
    """A task, its kind, and how many workers died while they carried it out."""

    task: Task
    kind: Hashable
    deaths: int = 0


class WaitingTasks(Generic[Task]):
    """Tasks that no worker has taken yet.

    A worker is quicker at its second task of a kind. So each kind is left to one worker, as long as there are other
    kinds for the other workers.

    Args:
        tasks: The tasks, in the order in which those of a kind are taken.
        kind_of: Returns the kind of a task.
    """

    def __init__(self, tasks: Iterable[Task], kind_of: Callable[[Task], Hashable]) -> None:
        self._jobs: dict[Hashable, deque[Job[Task]]] = {}
        for task in tasks:
            kind = kind_of(task)
            self._jobs.setdefault(kind, deque()).append(Job(task, kind))

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def put_back(self, job: Job[Task]) -> None:
        """Put back a job, as the next one of its kind."""
        self._jobs.setdefault(job.kind, deque()).appendleft(job)

    def take(self, last: Hashable, others: set[Hashable]) -> Job[Task]:
        """Remove and return the next job for a worker.

        Args:
            last: The kind of the worker's last job, which is preferred.
            others: The kinds of the other workers' jobs, which are the last choice.
        """
        free = (kind for kind in self._jobs if kind not in others)
        kind = last if last in self._jobs else next(free, next(iter(self._jobs)))
        job = self._jobs[kind].popleft()
        if not self._jobs[kind]:
            del self._jobs[kind]
        return job

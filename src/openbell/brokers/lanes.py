"""Threads for background jobs, several lanes in parallel and each lane in order."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from openbell.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Lanes"]


class _Job(NamedTuple):
    number: int
    lane: str | None
    work: Callable[[], None]


class Lanes:
    """Background jobs, those of one lane one after the other in the order of their arrival.

    Args:
        name: The name of the threads, to which a number is added.
        threads: The most jobs that run at once.
    """

    def __init__(self, name: str, threads: int) -> None:
        self._name = name
        self._most = threads
        self._changed = threading.Condition()
        self._waiting: list[_Job] = []
        self._busy: list[_Job] = []
        self._threads: list[threading.Thread] = []
        self._count = 0
        self._is_stopped = False

    @property
    def unfinished(self) -> int:
        """Number of jobs that wait or run."""
        with self._changed:
            return len(self._waiting) + len(self._busy)

    @property
    def asked(self) -> int:
        """Number of jobs added so far."""
        return self._count

    def do(self, lane: str, work: Callable[[], None]) -> None:
        """Run a job after the earlier jobs of its lane."""
        self._add(lane, work)

    def after_all(self, work: Callable[[], None]) -> None:
        """Run a job after all earlier jobs, while later ones need not wait for it."""
        self._add(None, work)

    def stop(self, wait_s: float) -> None:
        """Begin no more jobs, and wait up to ``wait_s`` seconds for each thread to end."""
        with self._changed:
            self._is_stopped = True
            self._waiting.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(wait_s)

    def _add(self, lane: str | None, work: Callable[[], None]) -> None:
        with self._changed:
            if self._is_stopped:
                return
            self._count += 1
            self._waiting.append(_Job(self._count, lane, work))
            if len(self._threads) < min(self._most, len(self._waiting) + len(self._busy)):
                thread = threading.Thread(target=self._run, name=f"{self._name} {len(self._threads) + 1}", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify_all()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job.work()
            except Exception:  # noqa: BLE001 -- it is logged, and the other jobs go on
                get_logger().exception("a request to a broker failed", lane=job.lane)
            finally:
                with self._changed:
                    self._busy.remove(job)
                    self._changed.notify_all()

    def _next(self) -> _Job | None:
        """Wait for a job that may begin, and return it, or None after `stop`."""
        with self._changed:
            while not self._is_stopped:
                for job in self._waiting:
                    if self._may_begin(job):
                        self._waiting.remove(job)
                        self._busy.append(job)
                        return job
                self._changed.wait()
            return None

    def _may_begin(self, job: _Job) -> bool:
        before = [other for other in (*self._waiting, *self._busy) if other.number < job.number]
        return not any(job.lane is None or other.lane == job.lane for other in before)

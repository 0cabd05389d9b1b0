"""Executor that runs points of a sweep in processes side by side."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from openbell.engine.workers.worker_pool import TaskGivenUp, WorkerPool
from openbell.errors import RunFolderError
from openbell.sweeps.executor import Executor
from openbell.sweeps.point_result import PointResult
from openbell.sweeps.point_run import PointTask, run_point
from openbell.sweeps.shared_bars import SharedBars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from openbell.config import SessionConfig
    from openbell.model.address import Place

__all__ = ["ProcessPool"]


class ProcessPool(Executor):
    """Executor that runs points in processes of this machine, which share their bars.

    Args:
        config: The config of the sweep.
        store: The folder or address of the store; that of each config unless given.
        last_day: The last day of all points.
        jobs: The largest number of processes.
        bars: A folder for the bars that the processes share; it is emptied first and removed at the end.
    """

    def __init__(self, config: SessionConfig, store: Place | None, last_day: date, jobs: int, bars: Path) -> None:
        self._bars = bars
        shutil.rmtree(bars, ignore_errors=True)  # left by a sweep that was killed
        args = config, store, last_day, bars
        self._pool: WorkerPool[PointTask, PointResult | str] = WorkerPool(_runner, args, jobs)

    def __exit__(self, *error: object) -> None:
        """End all processes."""
        self._pool.__exit__(*error)
        shutil.rmtree(self._bars, ignore_errors=True)

    def run(self, tasks: Sequence[PointTask]) -> Iterator[tuple[int, PointResult]]:
        """Run points, and yield each with its number as it is done.

        Raises:
            RunFolderError: A folder cannot be written.
        """
        for task, answer in self._pool.run(tasks, lambda task: task.bars):
            if isinstance(answer, str):
                raise RunFolderError(answer)
            yield task.number, _given_up(task, answer) if isinstance(answer, TaskGivenUp) else answer


def _runner(
    config: SessionConfig, store: Place | None, last_day: date, folder: Path
) -> Callable[[PointTask], PointResult | str]:
    """Return a function that runs a point in a worker, or returns why its folder cannot be written."""
    bars = SharedBars(store, last_day, folder)

    def run(task: PointTask) -> PointResult | str:
        try:
            return run_point(config, task, bars)
        except RunFolderError as error:
            return str(error)

    return run


def _given_up(task: PointTask, died: TaskGivenUp) -> PointResult:
    error = f"the process that ran it {died}. If memory is short, run with fewer --jobs."
    return PointResult(values=task.values, run=task.folder.name, error=error)

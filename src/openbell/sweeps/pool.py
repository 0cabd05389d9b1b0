"""Points of a sweep in processes side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.engine.worker_pool import Died, WorkerPool
from openbell.errors import RunFolderError
from openbell.sweeps.point_run import PointTask, run_point
from openbell.sweeps.result import PointResult
from openbell.sweeps.shared_bars import SharedBars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import date

    from openbell.config import SessionConfig
    from openbell.model.address import Place

__all__ = ["run_side_by_side"]


def run_side_by_side(
    tasks: Iterable[PointTask], config: SessionConfig, store: Place | None, last_day: date, jobs: int
) -> Iterator[tuple[int, PointResult]]:
    """Run points, and yield each with its number as it is done.

    Each process reads the bars for its points once.

    Args:
        tasks: The points.
        config: The config of the sweep.
        store: The folder of the store; that of each config unless given.
        last_day: The last day of all points.
        jobs: How many processes at the most.

    Raises:
        RunFolderError: A folder cannot be written.
    """
    pool: WorkerPool[PointTask, PointResult | str] = WorkerPool(_runner, (config, store, last_day), jobs)
    for task, answer in pool.run(tasks):
        if isinstance(answer, str):
            raise RunFolderError(answer)
        yield task.number, _given_up(task, answer) if isinstance(answer, Died) else answer


def _runner(config: SessionConfig, store: Place | None, last_day: date) -> Callable[[PointTask], PointResult | str]:
    """Return what runs a point in a process of its own, or says why its folder cannot be written."""
    bars = SharedBars(store, last_day)

    def run(task: PointTask) -> PointResult | str:
        try:
            return run_point(config, task, bars)
        except RunFolderError as error:
            return str(error)

    return run


def _given_up(task: PointTask, died: Died) -> PointResult:
    error = f"the process that ran it {died}. If memory is short, run with fewer --jobs."
    return PointResult(values=task.values, run=task.folder.name, error=error)

"""Executors, which run the points of a sweep."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from openbell.engine.gc_control import rare_collection
from openbell.sweeps.point_run import run_point

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

    from openbell.config import SessionConfig
    from openbell.sweeps.point_result import PointResult
    from openbell.sweeps.point_run import PointTask
    from openbell.sweeps.shared_bars import SharedBars

__all__ = ["Executor", "OneByOne"]


class Executor(ABC):
    """Base class of executors.

    Use an executor as a context manager, which ends all processes that it has started.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:  # noqa: B027 -- not all start something
        """End all processes that were started."""

    @abstractmethod
    def run(self, tasks: Sequence[PointTask]) -> Iterator[tuple[int, PointResult]]:
        """Run points, and yield each with its number as it is done.

        Raises:
            RunFolderError: A folder cannot be written.
        """


class OneByOne(Executor):
    """Executor that runs points in this process.

    Args:
        config: The config of the sweep.
        bars: The bars that points share.
    """

    def __init__(self, config: SessionConfig, bars: SharedBars) -> None:
        self._config, self._bars = config, bars

    def run(self, tasks: Sequence[PointTask]) -> Iterator[tuple[int, PointResult]]:
        """Run points, and yield each with its number as it is done."""
        for task in tasks:
            # Around the whole point, so that the objects of its run are freed before the collector could scan them.
            with rare_collection():
                result = run_point(self._config, task, self._bars)
            yield task.number, result

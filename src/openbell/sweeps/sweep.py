"""Sweep of a config over a space of values."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from openbell.config.sweep import sign_of
from openbell.errors import ConfigError, RunFolderError
from openbell.results.folder.run_folder import repeatable
from openbell.store.atomic_files import replace_file
from openbell.sweeps.executor import OneByOne
from openbell.sweeps.fingerprint import fingerprint_of
from openbell.sweeps.optuna_points import proposed_points, require_optuna
from openbell.sweeps.point_result import frame_of, read_result, write_frame
from openbell.sweeps.point_run import PointTask
from openbell.sweeps.process_pool import ProcessPool
from openbell.sweeps.shared_bars import SharedBars
from openbell.sweeps.space import Space, config_at, points_of, require_good
from openbell.timing.clock import stopwatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    import polars as pl

    from openbell.config import SessionConfig
    from openbell.config.sweep import SweepConfig
    from openbell.model.address import Place
    from openbell.sweeps.cluster_address import ClusterAddress
    from openbell.sweeps.executor import Executor
    from openbell.sweeps.point_result import PointResult
    from openbell.sweeps.space import Point

__all__ = ["Sweep", "SweepObserver", "default_folder", "points_tried"]

_POINTS, _TABLE, _ABOUT, _LOCK, _BARS = "points", "points.parquet", "sweep.json", ".lock", ".bars"
_WRITES_SHARE = 20
"""Multiple of the time that writing the table took last, after which it is written again."""


class SweepObserver:
    """Base class of observers of a sweep, such as a progress bar, whose methods do nothing by default."""

    def started(self, points: int, done: int) -> None:
        """Receive the number of points, and how many of the known ones were done before."""

    def finished(self, number: int, result: PointResult) -> None:
        """Receive the result of a point, also if the point was done before."""


class Sweep:
    """A sweep with its folder.

    The folder holds ``sweep.json`` (what varies), ``config.json``, ``points.parquet`` (a row for each point that is
    done, see `frame_of`) and ``points`` with a run folder for each point.

    Args:
        config: The config.
        space: What varies, and how points are compared.
        store: The folder of the store; the config's unless given.
        folder: The folder; ``sweeps`` and the session's name, in the current folder, unless given.
        whole: Whether the points' folders get all files of a run, and not only config, signals and trades.

    Attributes:
        points: The points, in order. If optuna proposes them, they are randomly drawn ones until `run`.
        planned: How many points the sweep has when it is done.
        results: The results of the points that are done, by number.

    Raises:
        ConfigError: A key does not exist, a value is wrong, or the config is of a live session.
    """

    def __init__(
        self,
        config: SessionConfig,
        space: SweepConfig,
        *,
        store: Place | None = None,
        folder: Path | None = None,
        whole: bool = False,
    ) -> None:
        if config.mode == "live":
            raise ConfigError("a sweep runs backtests, and mode is live. Write mode: backtest, and backtest_config.")
        self.config = config
        self.space = space
        self.folder = folder or default_folder(config)
        if space.optuna is not None:
            require_optuna()
        self.points = points_of(config, space)
        self.planned = len(self.points)
        self.results: dict[int, PointResult] = {}
        self._store = store
        self._whole = whole
        self._write_again_after_s = 0.0
        self._watch = stopwatch()

    @property
    def objective(self) -> str:
        """Name of the number by which points are compared."""
        return self.space.objective

    @property
    def tried(self) -> int:
        """Number of points that were ever run in the folder, also with other values, code or bars."""
        return points_tried(self.folder)

    def frame(self) -> pl.DataFrame:
        """Return the table of the points that are done."""
        return frame_of(self.results, list(self.space.space))

    def best(self) -> tuple[int, PointResult] | None:
        """Return the number and the result of the best point so far, or None when none has an objective."""
        sign = sign_of(self.objective)
        scored = [(n, r) for n, r in self.results.items() if r.error is None and r.number(self.objective) is not None]
        return max(scored, key=lambda item: (sign * (item[1].number(self.objective) or 0.0), -item[0]), default=None)

    def run(
        self, observers: Iterable[SweepObserver] = (), *, jobs: int | None = 1, cluster: ClusterAddress | None = None
    ) -> pl.DataFrame:
        """Run all points that are not done, and return the table.

        Args:
            observers: Receive points as they are done.
            jobs: How many processes run points side by side; 1 runs them in this process, and None in as many as a
                cluster has processors.
            cluster: The Ray cluster whose processes run points; None for this machine.

        Raises:
            ConfigError: Another sweep is running in the folder, the folder holds something else, or the cluster cannot
                be used.
            RunFolderError: The folder can no longer be written.
        """
        watching = tuple(observers)
        with self._own_folder():
            bars = SharedBars(self._store, self._last_day)
            try:
                if self.space.optuna is None:
                    self._run(self.points, bars, watching, jobs, cluster)
                else:
                    self._run_proposed(bars, watching, jobs, cluster)
            finally:
                self._write_table()
        return self.frame()

    def _run(
        self, points: Sequence[Point], bars: SharedBars, observers: Sequence[SweepObserver], jobs: int | None,
        cluster: ClusterAddress | None,
    ) -> None:  # fmt: skip
        """Run the points that are not done."""
        left = self._tasks_left(points, bars, observers, is_first=True)
        if left:
            with self._executor(bars, jobs, cluster, len(left)) as executor:
                self._carry_out(left, executor, observers)

    def _run_proposed(
        self, bars: SharedBars, observers: Sequence[SweepObserver], jobs: int | None, cluster: ClusterAddress | None
    ) -> None:
        """Run points batch by batch as they are proposed."""
        batches = proposed_points(
            Space.of(self.space), self.points, self.space.seed, self._score, minimise=sign_of(self.objective) < 0
        )
        self.points = []
        with ExitStack() as stack:
            executor: Executor | None = None
            for batch in batches:
                require_good(self.config, batch)
                left = self._tasks_left(batch, bars, observers, is_first=not self.points)
                self.points += batch
                if left:
                    executor = executor or stack.enter_context(self._executor(bars, jobs, cluster, len(left)))
                    self._carry_out(left, executor, observers)

    def _tasks_left(
        self, points: Sequence[Point], bars: SharedBars, observers: Sequence[SweepObserver], *, is_first: bool
    ) -> list[PointTask]:
        """Add the results of points that are done, and return the tasks of the others."""
        tasks = self._tasks(points, bars)
        done = {number: result for number, task in tasks.items() if (result := _done(task))}
        for observer in observers if is_first else ():
            observer.started(self.planned, len(done))
        for number, result in done.items():
            self._note(number, result, observers)
        return [task for task in tasks.values() if task.number not in done]

    def _carry_out(self, left: Sequence[PointTask], executor: Executor, observers: Sequence[SweepObserver]) -> None:
        for number, result in executor.run(left):
            self._note(number, result, observers)
            self._write_table_sometimes()

    def _executor(self, bars: SharedBars, jobs: int | None, cluster: ClusterAddress | None, left: int) -> Executor:
        if cluster is not None:
            from openbell.sweeps.ray_cluster import RayCluster  # needs the extra ray

            return RayCluster(self.config, self._store, self._last_day, cluster, jobs)
        side_by_side = min(jobs or 1, left)
        if side_by_side > 1:
            return ProcessPool(self.config, self._store, self._last_day, side_by_side, self.folder / _BARS)
        return OneByOne(self.config, bars)

    def _score(self, number: int) -> float | None:
        """Return the objective of a point that is done, None when it has none."""
        result = self.results[number]
        return None if result.error is not None else result.number(self.objective)

    def _note(self, number: int, result: PointResult, observers: Sequence[SweepObserver]) -> None:
        self.results[number] = result
        for observer in observers:
            observer.finished(number, result)

    def _tasks(self, points: Sequence[Point], bars: SharedBars) -> dict[int, PointTask]:
        """Return the tasks of points by number, each with the folder that is named by its fingerprint."""
        digests: dict[Place, str] = {}
        tasks = {}
        for point in points:
            at_point = config_at(self.config, point.values)
            store = bars.of(at_point).store
            if store.path not in digests:
                digests[store.path] = store.manifest.digest
            name = fingerprint_of(at_point, digests[store.path])
            folder, needed = self.folder / _POINTS / name, bars.needed_by(at_point)
            tasks[point.number] = PointTask(point.number, point.values, folder, needed, self._whole)
        return tasks

    @cached_property
    def _last_day(self) -> date:
        """Last day of all known points."""
        if "backtest_config.end_date" not in self.space.space:
            return self.config.backtest_config.end_date
        return max(config_at(self.config, point.values).backtest_config.end_date for point in self.points)

    @contextmanager
    def _own_folder(self) -> Iterator[None]:
        """Create the folder, and lock it against other sweeps."""
        if self.folder.is_dir() and any(self.folder.iterdir()) and not (self.folder / _ABOUT).is_file():
            raise ConfigError(f"{self.folder} holds something else than a sweep. Name another folder with --out.")
        try:
            (self.folder / _POINTS).mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(self.folder / _LOCK, timeout=0):
                self._describe()
                yield
        except filelock.Timeout:
            raise ConfigError(
                f"another sweep is at work in {self.folder}. Wait for it, or name another folder with --out."
            ) from None
        except OSError as error:
            raise RunFolderError(f"cannot write {self.folder}: {error.strerror or error}.") from error

    def _describe(self) -> None:
        about = {**self.space.model_dump(mode="json"), "points": self.planned}
        for name, value in ((_ABOUT, about), ("config.json", repeatable(self.config))):
            replace_file(self.folder / name, f"{json.dumps(value, indent=2)}\n".encode())

    def _write_table_sometimes(self) -> None:
        """Write the table if it was not written for a while."""
        # Nothing is lost in between: the points' folders have all that the table has.
        if self._watch.seconds >= self._write_again_after_s:
            self._write_table()

    def _write_table(self) -> None:
        watch = stopwatch()
        write_frame(self.folder / _TABLE, self.frame())
        self._watch, self._write_again_after_s = stopwatch(), _WRITES_SHARE * watch.seconds


def _done(task: PointTask) -> PointResult | None:
    """Return the result of a point, or None when it has to be run.

    It has to if it is not done, or its folder does not have all files that it should.
    """
    result = read_result(task.folder)
    is_whole = result is None or result.error is not None or (task.folder / "summary.json").is_file()
    return result if is_whole or not task.whole else None


def points_tried(folder: Path) -> int:
    """Return how many points were ever run in the folder of a sweep."""
    return sum(1 for _ in (folder / _POINTS).glob("*/point.json"))


def default_folder(config: SessionConfig) -> Path:
    """Return ``sweeps/<session>`` below the current folder."""
    return Path("sweeps") / config.session_name.replace(" ", "_")

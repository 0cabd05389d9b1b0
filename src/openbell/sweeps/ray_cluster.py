"""Executor that runs points of a sweep on the machines of a Ray cluster."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import socket
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbell.errors import ConfigError, RunFolderError, shortened
from openbell.store.atomic_files import replace_file
from openbell.sweeps.cluster_worker import ClusterWorker, DonePoint
from openbell.sweeps.executor import Executor
from openbell.sweeps.point_result import PointResult, write_result

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from types import ModuleType

    from openbell.config import SessionConfig
    from openbell.model.address import Place
    from openbell.sweeps.cluster_address import ClusterAddress
    from openbell.sweeps.point_run import PointTask

__all__ = ["RayCluster"]

_MOST_DEATHS = 3
"""Number of lost workers after which a point is given up.

The sweep fails when as many, and one for each job, are lost in a row before they are ready.
"""

_ANSWER_S = 10.0


@dataclass(slots=True, eq=False)
class _Worker:
    """A worker, and the point that it runs.

    Attributes:
        actor: Ray's handle.
        task: The point that it runs; None while it is idle or starts.
        is_ready: Whether it was checked to run points as this machine would.
    """

    actor: Any
    task: PointTask | None = None
    is_ready: bool = False


class RayCluster(Executor):
    """Executor that runs points in processes of a Ray cluster, one for each processor.

    Workers read bars from the store, which all nodes must reach, and send back the files of points. If a node is lost,
    its workers are replaced where there are free processors, and their points are run again.

    Args:
        config: The config of the sweep.
        store: The folder or address of the store; that of each config unless given.
        last_day: The last day of all points.
        cluster: The address of the cluster.
        jobs: The largest number of processes; one for each processor of the cluster unless given.

    Raises:
        ConfigError: Ray is not installed, or no cluster answers at the address.
    """

    def __init__(
        self, config: SessionConfig, store: Place | None, last_day: date, cluster: ClusterAddress, jobs: int | None
    ) -> None:
        self._ray = ray = _connected(cluster)
        self._make = ray.remote(num_cpus=1, max_restarts=0)(ClusterWorker)
        self._args = (ray.put(config), store, last_day, Path.cwd(), f"openbell-bars-{secrets.token_hex(8)}")
        self._jobs = jobs or max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._workers: list[_Worker] = []
        self._early_deaths = 0

    def __exit__(self, *error: object) -> None:
        """End all workers, and leave the cluster."""
        if closed := [worker.actor.close.remote() for worker in self._workers if worker.is_ready and not worker.task]:
            self._ray.wait(closed, num_returns=len(closed), timeout=_ANSWER_S)
        for worker in self._workers:
            self._ray.kill(worker.actor)
        self._ray.shutdown()

    def run(self, tasks: Sequence[PointTask]) -> Iterator[tuple[int, PointResult]]:
        """Run points, and yield each with its number as it is done.

        Raises:
            ConfigError: A node would run points differently from this machine, or no worker can be started.
            RunFolderError: A folder cannot be written.
        """
        waiting = deque(tasks)
        deaths: Counter[int] = Counter()
        going: dict[Any, _Worker] = {}
        while waiting or any(worker.task for worker in going.values()):
            self._give_out(waiting, going)
            done, _ = self._ray.wait(list(going), num_returns=1)
            worker = going.pop(done[0])
            answer = self._answer(done[0])
            task, worker.task = worker.task, None
            if isinstance(answer, Exception):
                self._end(worker)
                if task is None:
                    self._note_early_death(answer)
                    continue
                deaths[task.number] += 1
                if deaths[task.number] < _MOST_DEATHS:
                    waiting.appendleft(task)
                else:
                    yield task.number, _given_up(task, answer)
            elif task is not None:
                if isinstance(answer, str):
                    raise RunFolderError(answer)
                _keep(task, answer)
                yield task.number, answer.result
            elif answer:
                raise ConfigError(str(answer))
            else:
                worker.is_ready, self._early_deaths = True, 0
        for worker in going.values():  # workers that were started and got no point
            self._end(worker)

    def _end(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        self._ray.kill(worker.actor)

    def _give_out(self, waiting: deque[PointTask], going: dict[Any, _Worker]) -> None:
        """Give points to idle workers, and start further workers for the remaining points."""
        for worker in self._workers:
            if waiting and worker.is_ready and worker.task is None:
                worker.task = waiting.popleft()
                going[worker.actor.run.remote(worker.task)] = worker
        beginning = sum(not worker.is_ready for worker in going.values())
        while beginning < len(waiting) and len(self._workers) < self._jobs:
            worker = _Worker(self._make.remote(*self._args))
            self._workers.append(worker)
            going[worker.actor.problem.remote(waiting[0])] = worker
            beginning += 1

    def _answer(self, reference: Any) -> Any:
        """Return the answer of a worker, or the error of Ray if the worker is lost."""
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error, self._ray.exceptions.RayActorError):
                return error
            raise
        except self._ray.exceptions.RayError as error:
            return error

    def _note_early_death(self, error: Exception) -> None:
        """Count a worker that died before its first point.

        Raises:
            ConfigError: Too many workers did.
        """
        self._early_deaths += 1
        if self._early_deaths >= _MOST_DEATHS + self._jobs:
            raise ConfigError(
                "no worker can be started on the Ray cluster. Each of its nodes needs this openbell with the extra "
                f"ray. Ray says: {shortened(str(error))}"
            ) from error


def _connected(cluster: ClusterAddress) -> ModuleType:
    """Connect to a cluster, and return the package ray.

    Raises:
        ConfigError: The package is not installed, or the cluster does not answer.
    """
    # Ray's usage statistics are off, unless the user has switched them on.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise ConfigError(
            "--executor ray needs the package ray. Install it with: pip install 'openbell[ray]'"
        ) from None
    address = cluster.address or os.environ.get("RAY_ADDRESS")
    try:
        _require_answer(address)
        ray.init(address=address, logging_level=logging.WARNING, log_to_driver=False)
    except Exception as error:  # Ray has no exception class for a node that does not start in time
        raise ConfigError(
            f"no Ray cluster can be used at {address or 'this machine'}: {shortened(str(error))}. Start one with "
            "ray start --head, and name the address that it prints with --address."
        ) from error
    return ray


def _require_answer(address: str | None) -> None:
    """Check that a server answers at an address, for which Ray itself would wait many minutes.

    Raises:
        OSError: None does.
    """
    host, colon, port = (address or "").rpartition("://")[2].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S).close()


def _keep(task: PointTask, done: DonePoint) -> None:
    """Write the files of a point into its folder, its result last.

    Raises:
        RunFolderError: The folder cannot be written.
    """
    try:
        shutil.rmtree(task.folder, ignore_errors=True)
        task.folder.mkdir(parents=True)
        for name, content in done.files.items():
            if name != "point.json":
                (task.folder / name).parent.mkdir(parents=True, exist_ok=True)
                replace_file(task.folder / name, content)
        write_result(task.folder, done.result)
    except OSError as error:
        raise RunFolderError(f"cannot write {task.folder}: {error.strerror or error}.") from error


def _given_up(task: PointTask, error: Exception) -> PointResult:
    text = f"the worker that ran it was lost {_MOST_DEATHS} times. Ray says: {shortened(str(error))}"
    return PointResult(values=task.values, run=task.folder.name, error=text)

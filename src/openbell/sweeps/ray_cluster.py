"""Points of a sweep on the machines of a Ray cluster."""

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
"""A point whose worker died so often is given up, and so is the sweep when so many die before they begin."""

_ANSWER_S = 10.0


@dataclass(slots=True, eq=False)
class _Worker:
    """A worker, and the point that it runs.

    Attributes:
        actor: Ray's handle.
        task: The point; None when it waits, and before its first one.
        is_ready: Whether it was seen to do what this machine would.
    """

    actor: Any
    task: PointTask | None = None
    is_ready: bool = False


class RayCluster(Executor):
    """Executor that runs points in processes of a Ray cluster, one a processor.

    Workers find bars in the store, which all of them reach, and send back what points leave. Those of a node that is
    lost are replaced wherever there is room, and their points are run again.

    Args:
        config: The config of the sweep.
        store: The folder or address of the store; that of each config unless given.
        last_day: The last day of all points.
        cluster: The address of the cluster.
        jobs: How many processes at the most; one for each processor of the cluster unless given.

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
            ConfigError: A node would run points otherwise than this machine, or no worker can be started.
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
        for worker in going.values():  # that came too late for a point
            self._end(worker)

    def _end(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        self._ray.kill(worker.actor)

    def _give_out(self, waiting: deque[PointTask], going: dict[Any, _Worker]) -> None:
        """Give points to workers that wait, and start others for what is left."""
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
        """Return the answer of a worker, or the error by which it and its answer are lost."""
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
            ConfigError: Too many did.
        """
        self._early_deaths += 1
        if self._early_deaths >= _MOST_DEATHS + self._jobs:
            raise ConfigError(
                "no worker can be started on the Ray cluster. Each of its nodes needs this openbell with the extra "
                f"ray. Ray says: {shortened(str(error))}"
            ) from error


def _connected(cluster: ClusterAddress) -> ModuleType:
    """Connect with a cluster, and return the package ray.

    Raises:
        ConfigError: It is not installed, or the cluster does not answer.
    """
    # A sweep sends nothing to anybody that nobody asked for; who wants Ray's statistics of use says so.
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
    except Exception as error:  # a node that does not start in time is one without a class of its own
        raise ConfigError(
            f"no Ray cluster can be used at {address or 'this machine'}: {shortened(str(error))}. Start one with "
            "ray start --head, and name the address that it tells with --address."
        ) from error
    return ray


def _require_answer(address: str | None) -> None:
    """Make sure that somebody answers at an address, on which Ray itself insists for many minutes.

    Raises:
        OSError: Nobody does.
    """
    host, colon, port = (address or "").rpartition("://")[2].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S).close()


def _keep(task: PointTask, done: DonePoint) -> None:
    """Write what a point left into its folder, its result last.

    Raises:
        RunFolderError: It cannot be written.
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

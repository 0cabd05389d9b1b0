"""Worker of a cluster, which runs points of a sweep on another machine."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from openbell.errors import OpenbellError, RunFolderError
from openbell.sweeps.fingerprint import fingerprint_of
from openbell.sweeps.point_run import PointTask, run_point
from openbell.sweeps.shared_bars import SharedBars
from openbell.sweeps.space import config_at

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from openbell.config import SessionConfig
    from openbell.model.address import Place
    from openbell.sweeps.point_result import PointResult

__all__ = ["ClusterWorker", "DonePoint"]


@dataclass(frozen=True, slots=True)
class DonePoint:
    """A point that is done on another machine.

    Attributes:
        result: Its result.
        files: The contents of the files in its folder, by path within it.
    """

    result: PointResult
    files: Mapping[str, bytes]


class ClusterWorker:
    """Worker that runs one point after another, and shares bars with other workers of its machine.

    Args:
        config: The config of the sweep.
        store: The folder or address of the store; that of each config unless given.
        last_day: The last day of all points.
        folder: The folder in which the sweep was started, to which paths of the config are relative.
        bars: The name of the folder of temporary files through which workers of one machine share bars.
    """

    def __init__(self, config: SessionConfig, store: Place | None, last_day: date, folder: Path, bars: str) -> None:
        self._config, self._folder = config, folder
        self._shared = Path(tempfile.gettempdir()) / bars
        self._bars = SharedBars(store, last_day, self._shared)

    def problem(self, task: PointTask) -> str:
        """Return why a point would come out differently here than on the sweep's machine, or an empty text."""
        try:
            os.chdir(self._folder)
        except OSError as error:
            return self._with_node(
                f"cannot enter {self._folder}, in which the sweep was started: {error.strerror}. Start it in a folder "
                "that all nodes have, such as a shared one."
            )
        try:
            at_point = config_at(self._config, task.values)
            found = fingerprint_of(at_point, self._bars.of(at_point).store.manifest.digest)
        except OpenbellError as error:
            return self._with_node(f"cannot run it: {error}")
        if found == task.folder.name:
            return ""
        return self._with_node(
            "has another openbell or TA-Lib, other code of strategies, or other bars than the machine that the sweep "
            "runs on. Bring them to the same state; what a store and a folder hold is the same where both are shared."
        )

    def run(self, task: PointTask) -> DonePoint | str:
        """Run a point in a temporary folder, and return its result and files.

        If the folder cannot be written or read, the reason is returned.
        """
        with tempfile.TemporaryDirectory(prefix="openbell-") as name:
            folder = Path(name) / task.folder.name
            try:
                result = run_point(self._config, replace(task, folder=folder), self._bars)
                files = {
                    str(file.relative_to(folder)): file.read_bytes()
                    for file in sorted(folder.rglob("*"))
                    if file.is_file()
                }
            except (OSError, RunFolderError) as error:
                return self._with_node(f"ran it, and could not keep what it left: {error}")
        return DonePoint(result, files)

    def close(self) -> None:
        """Remove the files of shared bars, which workers that still run have in memory."""
        shutil.rmtree(self._shared, ignore_errors=True)

    def _with_node(self, text: str) -> str:
        return f"the node {platform.node()} {text}"

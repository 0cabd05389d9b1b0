"""Run of one point of a sweep."""

from __future__ import annotations

import shutil
import sys
import traceback
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openbell.engine.system import SystemManager
from openbell.errors import OpenbellError, RunFolderError, commands_name_exchange
from openbell.results.folder.run_folder import RunFolder
from openbell.sweeps.point_result import PointResult, write_result
from openbell.sweeps.space import config_at

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from openbell.config import SessionConfig
    from openbell.sweeps.shared_bars import SharedBars

__all__ = ["PointTask", "run_point"]


@dataclass(frozen=True, slots=True)
class PointTask:
    """A point to run.

    Attributes:
        number: Its place in the order of the sweep.
        values: The value of each key.
        folder: Its run folder, which does not exist or was left by a run that was killed.
        bars: A text on the bars that it needs. The second point with the same text is quicker in the same process.
        whole: Whether the folder gets all files of a run, and not only config, signals and trades.
    """

    number: int
    values: Mapping[str, Any]
    folder: Path
    bars: str = ""
    whole: bool = False


def run_point(config: SessionConfig, task: PointTask, bars: SharedBars) -> PointResult:
    """Run a point, write its folder, and return its result.

    An exception of the run becomes the result's error, with a traceback in the folder's ``error.txt``.

    Raises:
        RunFolderError: The folder cannot be written.
    """
    folder = task.folder
    shutil.rmtree(folder, ignore_errors=True)
    try:
        at_point = config_at(config, task.values)
        with commands_name_exchange(at_point.exchange_option):
            manager = bars.of(at_point)
        system = SystemManager(at_point, data_manager=manager)
        with redirect_stdout(sys.stderr):  # stdout is for results
            done = system.run(RunFolder(folder, at_point, small=not task.whole))
        result = PointResult.of(task.values, folder.name, done)
    except RunFolderError:
        raise
    except Exception as error:  # noqa: BLE001 -- a point that fails, whatever it raises, does not end the sweep
        result = _failed(task, error)
    _write(folder, result)
    return result


def _failed(task: PointTask, error: Exception) -> PointResult:
    text = str(error) if isinstance(error, OpenbellError) else f"{type(error).__name__}: {error}"
    trace = "".join(traceback.format_exception(error))
    try:
        task.folder.mkdir(parents=True, exist_ok=True)
        (task.folder / "error.txt").write_text(trace, encoding="utf-8", errors="backslashreplace")
    except OSError as problem:
        raise RunFolderError(f"cannot write {task.folder}: {problem.strerror or problem}.") from problem
    return PointResult(values=task.values, run=task.folder.name, error=text)


def _write(folder: Path, result: PointResult) -> None:
    try:
        write_result(folder, result)
    except OSError as error:
        raise RunFolderError(f"cannot write {folder}: {error.strerror or error}.") from error

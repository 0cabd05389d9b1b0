"""Progress bar of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.cli.output.performance_view import shown as written
from openbell.cli.output.sweep_view import form_of
from openbell.cli.terminal.console import err, out
from openbell.config.sweep_condition import short_names
from openbell.sweeps.sweep import SweepObserver

if TYPE_CHECKING:
    from typing import Self

    from openbell.sweeps.point_result import PointResult
    from openbell.sweeps.sweep import Sweep

__all__ = ["SweepProgress"]


class SweepProgress(SweepObserver):
    """Progress bar on stderr that names the best point so far.

    Use it as a context manager.

    Args:
        sweep: The sweep.
        shown: Whether to show it if stderr is a terminal.
    """

    def __init__(self, sweep: Sweep, *, shown: bool = True) -> None:
        # Imported here, because it takes long.
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._sweep = sweep
        self._names = short_names(sweep.space.space)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(bar_width=None), MofNCompleteColumn(),
            TimeRemainingColumn(), console=err, transient=True, redirect_stdout=out.is_terminal,
            disable=not (shown and err.is_terminal),
        )  # fmt: skip
        self._task = self._bar.add_task("points", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Remove the bar from the screen."""
        self._bar.stop()

    def started(self, points: int, done: int) -> None:  # noqa: ARG002 -- `finished` counts done points
        """Set the length of the bar."""
        self._bar.update(self._task, total=points)

    def finished(self, number: int, result: PointResult) -> None:  # noqa: ARG002 -- the signature
        """Count the point, and show the best point so far."""
        self._bar.update(self._task, advance=1, description=self._best())

    def _best(self) -> str:
        best = self._sweep.best()
        if best is None:
            return "points"
        objective, (_, result) = self._sweep.objective, best
        at = " ".join(f"{self._names[key]}={value}" for key, value in result.values.items())
        return f"best {objective} {written(result.number(objective), form_of(objective))} at {at}"[:44]

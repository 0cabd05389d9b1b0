"""A progress bar that watches a run."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from openbell.cli.terminal.console import err, out, warn
from openbell.engine.observer import SessionObserver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from typing import Any, Self

    from rich.progress import Progress

    from openbell.provisioning import ProvisioningRecord
    from openbell.session import SessionData

__all__ = ["ProgressObserver"]


class ProgressObserver(SessionObserver):
    """Shows on stderr which session is at work and how far the run is; a context manager.

    Args:
        shown: Whether to show it where stderr is a terminal; not beside a log that goes there.
    """

    def __init__(self, *, shown: bool = True) -> None:
        self._bar = _progress_bar() if shown and err.is_terminal else None
        self._ended = 0

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the bar off the screen for as long as something is printed."""
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()

    def run_started(self, days: list[date]) -> None:
        """The bar counts sessions."""
        self._update(total=len(days))

    def warned(self, warning: str) -> None:
        """Tell it above the bar."""
        warn(warning)

    def day_started(self, day: date) -> None:
        """Name the session."""
        self._update(description=f"{day}: provisioning")

    def provisioned(self, record: ProvisioningRecord) -> None:
        """Name the symbol."""
        self._update(description=f"{record.time[:10]}: provisioned {record.symbol}")

    def day_prepared(self, session_data: SessionData) -> None:
        """Name the session."""
        self._update(description=f"{session_data.session_date}: streaming")

    def advanced(self, share: float) -> None:
        """Move the bar within the session."""
        self._update(completed=self._ended + share)

    def day_ended(self, summary: object, session_data: SessionData) -> None:  # noqa: ARG002 -- the observer's signature
        """Count the session."""
        self._ended += 1
        self._update(completed=self._ended)

    def _update(self, **changes: Any) -> None:
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], **changes)


def _progress_bar() -> Progress:
    # Takes its time to import, and without a terminal there is no bar.
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    # What a user's code prints goes past the bar only if stdout is that terminal, too; else to where stdout goes.
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=err, transient=True, redirect_stdout=out.is_terminal,
    )  # fmt: skip
    bar.add_task("sessions", total=None)
    return bar

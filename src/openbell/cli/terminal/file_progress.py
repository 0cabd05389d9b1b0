"""Progress bar of work on many files."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["file_progress"]


@contextmanager
def file_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on stderr, which is removed at the end.

    Args:
        what: The name of the work, such as "importing files".

    Returns:
        A function to call with the number of files done and the number of all files.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from openbell.cli.terminal.console import err
    from openbell.logs import logs_what_happens

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal or logs_what_happens()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

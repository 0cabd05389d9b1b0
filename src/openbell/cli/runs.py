"""Commands ``openbell runs ls`` and ``openbell runs compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbell.cli.data.options import AsJson
from openbell.cli.named_run import DEFAULT_PLACE, run_named, run_places
from openbell.cli.terminal.console import print_json, say, show
from openbell.cli.terminal.printable import escape

if TYPE_CHECKING:
    from rich.table import Table

    from openbell.model.json_object import JsonObject
    from openbell.results.folder.stored_run import StoredRun

__all__ = ["compare_runs", "list_runs"]


def list_runs(
    folder: Annotated[
        Path | None,
        typer.Argument(help="The folder that holds the runs; runs, and the runs in folders here, unless given."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the runs of a folder with what they earned."""
    from openbell.results.folder.stored_run import find_runs

    folders = run_places() if folder is None else [_with_runs(folder)]
    found = [find_runs(place) for place in folders or [DEFAULT_PLACE]]
    if as_json:
        print_json([_entry(run) for runs, _ in found for run in runs])
        return
    for place, (runs, others) in zip(folders, found, strict=True):
        _show_runs(place, runs, others, named=len(folders) > 1)


def _with_runs(folder: Path) -> Path:
    """Return the folder "runs" in a folder such as the demo's, or the folder itself."""
    from openbell.results.folder.stored_run import is_run

    inside = folder / DEFAULT_PLACE
    return inside if inside.is_dir() and not is_run(folder) else folder


def _show_runs(folder: Path, runs: list[StoredRun], others: int, *, named: bool) -> None:
    if named:
        show(f"[bold]{escape(str(folder))}[/]")
    if runs:
        show(_listing(runs))
    for run in runs:
        if run.problem:
            say(f"{run.path.name}: {run.state}: {run.problem}")
    if not runs:
        say(f"{folder} holds no runs.")
    if others:
        say(f"{others:,} {'entry' if others == 1 else 'entries'} of {folder} that are no runs: left out.")


def compare_runs(
    a: Annotated[Path, typer.Argument(help="The folder of a run, or its name in runs.")],
    b: Annotated[Path, typer.Argument(help="The folder of another run.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Compare two runs by what they earned, and show where their configs differ."""
    from openbell.results.folder.run_comparison import compare
    from openbell.results.folder.stored_run import read_run

    runs = [read_run(run_named(name)) for name in (a, b)]
    comparison = compare(*runs)
    if as_json:
        print_json({"a": _entry(runs[0]), "b": _entry(runs[1]), **comparison.to_dict()})
        return
    from openbell.cli.output.runs_view import comparison_views

    for view in comparison_views(comparison):
        show(view)
    for run in runs:
        if run.problem:
            say(f"{run.path.name}: {run.state}: {run.problem}")
    for warning in comparison.warnings:
        say(warning)


def _entry(run: StoredRun) -> JsonObject:
    return {
        "path": str(run.path),
        "state": run.state,
        "problem": run.problem,
        "session_name": run.session_name,
        "sessions": len(run.days),
        "first": run.days[0] if run.days else None,
        "last": run.days[-1] if run.days else None,
        "signals": run.signals,
        "store_label": run.store_label,
        "performance": None if run.performance is None else {**run.performance, "unavailable": dict(run.unavailable)},
    }


def _listing(runs: list[StoredRun]) -> Table:
    from openbell.cli.output.runs_view import runs_table

    return runs_table(runs)

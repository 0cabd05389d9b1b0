"""Command ``openbell sweep``."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbell.cli.data.options import RunStore
from openbell.cli.terminal.console import only_json, print_json, say, show, warn
from openbell.cli.terminal.stopping import exit_code_of, sigterm_as_interrupt
from openbell.engine.workers.worker_process import workers_started_ahead
from openbell.errors import ConfigError
from openbell.model.address import place_of
from openbell.sweeps.cluster_address import cluster_of

if TYPE_CHECKING:
    from openbell.model.json_object import JsonObject
    from openbell.sweeps.cluster_address import ClusterAddress
    from openbell.sweeps.sweep import Sweep

__all__ = ["sweep"]


def sweep(
    config: Annotated[Path, typer.Argument(help="The session config: .yaml, .json or .toml.")],
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUES",
            help="What varies: strategies.0.config.fast=5:50:5 (with both ends) or KEY=20,50,100; once for each key.",
        ),
    ] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="A condition that points must meet: 'fast < slow'; again for more.")
    ] = None,
    objective: Annotated[
        str | None, typer.Option(help="The number by which points are compared; sharpe unless given.")
    ] = None,
    random: Annotated[int | None, typer.Option(help="Number of points to draw from the grid.")] = None,
    optuna: Annotated[
        int | None,
        typer.Option(help="Run so many points that optuna proposes by the results of those before (extra optuna)."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The random seed of draws and proposals; 0 unless given.")] = None,
    store: RunStore = None,
    folder: Annotated[
        Path | None,
        typer.Option("--out", help="The sweep's folder; sweeps/SESSION in the current folder unless given."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="How many processes run points; one a processor unless given."),
    ] = None,
    executor: Annotated[
        str, typer.Option(help="Where points are run: local, or ray for a Ray cluster (extra ray).")
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(help="The Ray cluster, such as 10.0.0.5:6379; RAY_ADDRESS, or one of this machine, unless given."),
    ] = None,
    *,
    whole: Annotated[bool, typer.Option("--whole", help="Keep all of every point's run folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the points as JSON.")] = False,
) -> None:
    """Run a config at many points of a space of values, each of them once.

    The word run may be left out: openbell sweep CONFIG.
    """
    given = {
        "space": _space(values or []) or None,
        "where": where or None,
        "objective": objective,
        "random": random,
        "optuna": optuna,
        "seed": seed,
    }
    with only_json(as_json):
        cluster = cluster_of(executor, address)
        ahead = 0
        if cluster is None:
            jobs = jobs or _processors()
            ahead = min(jobs, _most_points(given))
        with workers_started_ahead(ahead if ahead > 1 else 0, "openbell.sweeps.process_pool"):
            made = _made(config, {k: v for k, v in given.items() if v is not None}, store, folder, whole=whole)
            for oddity in made.oddities:
                warn(oddity)
            _run(made, jobs, cluster)
    if as_json:
        print_json(_json(made))
    else:
        _report(made)
    if made.results and all(result.error is not None for result in made.results.values()):
        raise typer.Exit(1)


def _space(options: list[str]) -> JsonObject:
    """Return the values of each key from options such as ``fast=5:50:5``.

    Raises:
        ConfigError: An option cannot be read, or a key is given twice.
    """
    from openbell.config.sweep_values import values_of_text

    found: JsonObject = {}
    for option in options:
        key, equals, text = option.partition("=")
        key = key.strip()
        if not (equals and key):
            raise ConfigError(f"--set {option}: write KEY=VALUES, such as strategies.0.config.fast=5:50:5")
        if key in found:
            raise ConfigError(f"--set {option}: {key} is set before. Write all its values once, with commas between.")
        try:
            found[key] = list(values_of_text(text))
        except ValueError as error:
            raise ConfigError(f"--set {option}: {error}") from None
    return found


def _most_points(given: JsonObject) -> int:
    """Return the largest number of points by the options, 0 if only the config says it."""
    counts = [given["random"], given["optuna"], prod(map(len, given["space"].values())) if given["space"] else None]
    return min((count for count in counts if count is not None), default=0)


def _made(config: Path, given: JsonObject, store: str | None, folder: Path | None, *, whole: bool) -> Sweep:
    from openbell.config import load_config
    from openbell.sweeps.sweep import Sweep
    from openbell.sweeps.sweep_function import space_of

    session = load_config(config)
    place = place_of(store) if store else None
    return Sweep(session, space_of(session, given), store=place, folder=folder, whole=whole)


def _processors() -> int:
    """Return how many processors this process may use."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@sigterm_as_interrupt()
def _run(made: Sweep, jobs: int | None, cluster: ClusterAddress | None) -> None:
    """Run a sweep with a progress bar.

    Raises:
        typer.Exit: The sweep was interrupted.
    """
    from openbell.cli.output.sweep_progress import SweepProgress
    from openbell.logs import logs_what_happens, quieten_logs

    quieten_logs()
    with SweepProgress(made, shown=not logs_what_happens()) as progress:
        try:
            made.run([progress], jobs=jobs, cluster=cluster)
        except KeyboardInterrupt as stop:
            progress.stop()
            say(
                f"interrupted: {len(made.results):,} of {made.planned:,} points are done and stay. The same "
                "command continues with the others."
            )
            raise typer.Exit(exit_code_of(stop)) from stop


def _json(made: Sweep) -> JsonObject:
    return {
        "folder": str(made.folder),
        "objective": made.objective,
        "tried": made.tried,
        "points": made.frame().to_dicts(),
    }


def _report(made: Sweep) -> None:
    from openbell.cli.output.sweep_view import closing_lines, points_table
    from openbell.sweeps.plateau import ranked

    frame = made.frame()
    if len(ranked(frame, made.objective)):
        show(points_table(frame, list(made.space.space), made.objective))
    for warning in _common_warnings(made):
        warn(warning)
    for line in closing_lines(frame, made.objective, made.folder, made.tried):
        say(line)


def _common_warnings(made: Sweep) -> list[str]:
    """Return the first distinct warnings, with the number of points that have each if not all do."""
    from openbell.cli.terminal.tables import counted

    counts: dict[str, int] = {}
    for result in made.results.values():
        for warning in dict.fromkeys(result.warnings):
            counts[warning] = counts.get(warning, 0) + 1
    most = 10
    found = [w if n == len(made.results) else f"at {counted(n, 'point')}: {w}" for w, n in list(counts.items())[:most]]
    return [
        *found,
        *([f"{len(counts) - most:,} more in the column warnings of the table"] if len(counts) > most else []),
    ]

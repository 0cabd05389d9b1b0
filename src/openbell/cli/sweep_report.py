"""Command ``openbell sweep report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbell.cli.data.options import AsJson
from openbell.cli.terminal.console import print_json, say, show
from openbell.errors import ConfigError

if TYPE_CHECKING:
    from openbell.model.json_object import JsonObject
    from openbell.sweeps.stored_sweep import StoredSweep
    from openbell.sweeps.walk_forward import WalkForward

__all__ = ["report"]


def report(
    folder: Annotated[Path, typer.Argument(help="The folder of a sweep.")],
    walk_forward: Annotated[
        str | None,
        typer.Option(
            metavar="TRAIN:TEST",
            help="Choose the best point on so many sessions, judge it on so many that follow, and repeat.",
        ),
    ] = None,
    anchored: Annotated[
        bool, typer.Option("--anchored", help="Let every training begin with the first session.")
    ] = False,
    purge: Annotated[
        int | None,
        typer.Option(min=0, help="Sessions between training and test; as many as history was read of unless given."),
    ] = None,
    objective: Annotated[str | None, typer.Option(help="Another number to compare points by.")] = None,
    points: Annotated[int, typer.Option(min=1, help="How many of the best points are shown.")] = 10,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the best points of a sweep, what surrounds them, and how much of it may be luck."""
    from openbell.sweeps.stored_sweep import read_stored_sweep

    sweep = read_stored_sweep(folder)
    by = _objective(objective) or sweep.objective
    walked = None if walk_forward is None else _walk(sweep, walk_forward, by, anchored=anchored, purge=purge)
    if as_json:
        print_json(_json(sweep, by, walked))
        return
    from openbell.cli.output.sweep_report_view import lines_of, views_of

    for view in views_of(sweep, by, walked, points):
        show(view)
        if not isinstance(view, str):
            show()
    for line in lines_of(sweep, by, walked):
        say(line)


def _objective(name: str | None) -> str | None:
    from openbell.config.sweep import OBJECTIVES
    from openbell.errors import UnknownNameError

    if name is not None and name not in OBJECTIVES:
        raise UnknownNameError("objective", name, OBJECTIVES)
    return name


def _walk(sweep: StoredSweep, text: str, objective: str, *, anchored: bool, purge: int | None) -> WalkForward:
    from openbell.sweeps.walk_forward import Windows

    parts = text.split(":")
    if len(parts) != 2 or not all(part.isdigit() and int(part) for part in parts):
        raise ConfigError(f"--walk-forward {text}: write two numbers of sessions, such as 60:20")
    train, test = map(int, parts)
    between = sweep.warm_up if purge is None else purge
    return sweep.walk_forward(Windows(train, test, between, anchored), objective)


def _json(sweep: StoredSweep, objective: str, walked: WalkForward | None) -> JsonObject:
    from openbell.results.measures.unavailable import Unavailable
    from openbell.sweeps.plateau import neighbours_of, ranked

    best = ranked(sweep.frame, objective)
    number = best["point"][0] if len(best) else None
    luck = {"overfitting_probability": sweep.overfitting_probability()}
    if number is not None and number in sweep.numbers:
        luck["deflated_sharpe"] = sweep.deflated_sharpe(number)
    return {
        "folder": str(sweep.folder),
        "objective": objective,
        "planned": sweep.planned,
        "done": len(sweep.frame),
        "tried": sweep.tried,
        "best": number,
        "neighbours": []
        if number is None
        else [
            {"point": n.point, "key": n.key, "value": n.value, objective: n.number}
            for n in neighbours_of(sweep.frame, number, sweep.space, objective)
        ],
        **{name: None if isinstance(found, Unavailable) else found for name, found in luck.items()},
        "unavailable": {name: found.reason for name, found in luck.items() if isinstance(found, Unavailable)},
        "walk_forward": None if walked is None else walked.to_dict(),
        "points": best.to_dicts(),
    }

"""`openbell plan`: what a run would need, and why, before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from openbell.cli.terminal.console import only_json, print_json, show, warn
from openbell.logs import get_logger, logs_what_happens

__all__ = ["plan"]

_NOTHING_CAN_BE_LOADED = 3


def plan(
    config: Annotated[Path, typer.Argument(help="The session config: .yaml, .json or .toml.")],
    store: Annotated[Path | None, typer.Option(help="The bar store; goes before the config's store.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Show what data every symbol of a config takes, whether it is there, and why it is needed. Nothing is run.

    Exit code 3 when no symbol can be loaded on any day.
    """
    from openbell.cli.views.plan import plan_views
    from openbell.config import load_config
    from openbell.engine.system import SystemManager

    with only_json(as_json):
        found = SystemManager(load_config(config), store=store).plan()
    for warning in found["warnings"]:
        warn(warning)
    if logs_what_happens():
        _log(found)
    if as_json:
        print_json(found)
    else:
        for view in plan_views(found):
            show(view)
    entries = [entry for day in found["days"] for entry in day["symbols"].values()]
    if entries and not any(entry["can_proceed"] for entry in entries):
        raise typer.Exit(_NOTHING_CAN_BE_LOADED)


def _log(found: dict[str, Any]) -> None:
    for day in found["days"]:
        log = get_logger(session=day["date"])
        log.info("planned", symbols=len(day["symbols"]), rows=day["rows"])
        for symbol, entry in day["symbols"].items():
            log.debug("planned symbol", symbol=symbol, can_proceed=entry["can_proceed"], rows=entry["rows"])

"""`openbell plan`: what a run would need, and why, before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from openbell.cli.console import out, print_json, warn

__all__ = ["plan"]


def plan(
    config: Annotated[Path, typer.Argument(help="The session config: .yaml, .json or .toml.")],
    store: Annotated[Path | None, typer.Option(help="The bar store; goes before the config's store.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Show what data every symbol of a config takes, whether it is there, and why it is needed. Nothing is run."""
    from openbell.cli.tables import plan_views
    from openbell.config import load_config
    from openbell.system import SystemManager

    found = SystemManager(load_config(config), store=store).plan()
    for warning in found["warnings"]:
        warn(warning)
    if as_json:
        print_json(found)
        return
    for view in plan_views(found):
        out.print(view)

"""Command ``openbell plan``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbell.cli.data.options import RunStore
from openbell.cli.terminal.console import only_json, print_json, show, warn
from openbell.logs import get_logger, logs_what_happens

if TYPE_CHECKING:
    from openbell.results.plan_result import PlanResult

__all__ = ["plan"]

_NOTHING_CAN_BE_LOADED = 3


def plan(
    config: Annotated[Path, typer.Argument(help="The session config: .yaml, .json or .toml.")],
    store: RunStore = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Show what data every symbol of a config takes, whether it is there, and why it is needed. Nothing is run.

    Exit code 3 when no symbol can be loaded on any day.
    """
    from openbell.cli.output.plan_view import plan_views
    from openbell.config import load_config
    from openbell.engine.system import SystemManager

    with only_json(as_json):
        result = SystemManager(load_config(config), store=store).plan()
    for warning in result.warnings:
        warn(warning)
    if logs_what_happens():
        _log(result)
    if as_json:
        print_json(result)
    else:
        for view in plan_views(result):
            show(view)
    symbols = [symbol for day in result.days for symbol in day.symbols.values()]
    if symbols and not any(symbol.can_proceed for symbol in symbols):
        raise typer.Exit(_NOTHING_CAN_BE_LOADED)


def _log(result: PlanResult) -> None:
    for day in result.days:
        log = get_logger(session=day.date.isoformat())
        log.info("planned", symbols=len(day.symbols), rows=day.rows)
        for name, symbol in day.symbols.items():
            log.debug("planned symbol", symbol=name, can_proceed=symbol.can_proceed, rows=symbol.rows)

"""`openbell check CONFIG`: validates a config as a whole, without data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from openbell.cli.console import out, print_json
from openbell.errors import ConfigError, InvalidConfigError

__all__ = ["check"]


def check(
    config: Annotated[Path, typer.Argument(help="The session config: a .yaml, .json or .toml file.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Validate a config as a whole; no data is needed."""
    from openbell.checks import require_good_config, summarise_config
    from openbell.config import load_config

    try:
        session = load_config(config)
        require_good_config(session)
    except ConfigError as error:
        if as_json:
            problems = error.problems if isinstance(error, InvalidConfigError) else (str(error),)
            print_json({"ok": False, "problems": problems})
        raise
    summary = summarise_config(session)
    if as_json:
        print_json({"ok": True, "problems": [], **summary})
    else:
        _show(summary)


def _show(summary: dict[str, Any]) -> None:
    from rich.table import Table

    days = summary["sessions"]
    span = f"{days['count']}, {days['first']} to {days['last']} on {summary['exchange']}"
    rows = {"sessions": span} | {
        name: ", ".join(summary[name]) or "none"
        for name in ("symbols", "streams", "indicators", "scanners", "strategies")
    }
    table = Table.grid(padding=(0, 2))
    for name, text in rows.items():
        table.add_row(f"  {name}", text)
    out.print(f"[green]config is good[/green]: {summary['session_name']}")
    out.print(table)

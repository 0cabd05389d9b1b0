"""The `openbell` command: one file per subcommand, errors told as text and an exit code.

Exit codes: 0 done, 1 the run failed, 2 bad config or usage, 3 nothing could be provisioned.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from openbell.cli.calendars import calendars
from openbell.cli.check import check
from openbell.cli.console import errors_for_people, out
from openbell.cli.data import data
from openbell.cli.demo import demo
from openbell.cli.indicators import indicators
from openbell.cli.plan import plan
from openbell.cli.run import run
from openbell.cli.schema import schema

__all__ = ["app", "main"]


class _Commands(TyperGroup):
    """The commands, each of which may raise openbell's errors."""

    def invoke(self, ctx: Any) -> Any:
        with errors_for_people():
            return super().invoke(ctx)


app = typer.Typer(cls=_Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for command in (demo, check, plan, run, calendars, indicators, schema):
    app.command()(command)
app.add_typer(data, name="data")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        out.print(f"openbell {version('openbell')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[  # noqa: ARG001  its callback does the work
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    verbose: Annotated[
        int, typer.Option("--verbose", "-v", count=True, help="Log what happens; twice for every detail.")
    ] = 0,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log as JSON, one object a line.")] = False,
) -> None:
    """Prepare and run trading sessions: say what one needs; openbell proves that the data is there, and runs it."""
    from openbell.logs import configure_logs

    configure_logs(verbose, as_json=log_json)


def main() -> None:
    """Run the command line."""
    app()

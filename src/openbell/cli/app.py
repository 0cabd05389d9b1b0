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


_LOG_OPTIONS = ("-v", "-vv", "--verbose", "--log-json")


class _Commands(TyperGroup):
    """The commands, each of which may raise openbell's errors; the log's options may stand behind them, too."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        _show_flags_without_value(self)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        logging = [word for word in args[:end] if word in _LOG_OPTIONS]
        rest = [word for word in args[:end] if word not in _LOG_OPTIONS]
        return super().parse_args(ctx, [*logging, *rest, *args[end:]])

    def invoke(self, ctx: Any) -> Any:
        with errors_for_people():
            return super().invoke(ctx)


def _show_flags_without_value(command: Any) -> None:
    """Leave the type of flags out of the help of a command and those below it: "--json <bool>" takes no value."""
    with command.context_class(command, info_name=command.name) as ctx:
        for option in command.get_params(ctx):
            if getattr(option, "is_flag", False) or getattr(option, "count", False):
                option.metavar = ""
    for below in getattr(command, "commands", {}).values():
        _show_flags_without_value(below)


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
        int,
        typer.Option(
            "--verbose",
            "-v",
            count=True,
            show_default=False,
            help="Log what happens; twice for all of it.",
        ),
    ] = 0,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log as JSON, one object a line.")] = False,
) -> None:
    """Prepare and run trading sessions: say what one needs; openbell proves that the data is there, and runs it.

    The log's options, -v and --log-json, may also stand behind the command.
    """
    from openbell.logs import configure_logs

    configure_logs(verbose, as_json=log_json)


def main() -> None:
    """Run the command line."""
    app()

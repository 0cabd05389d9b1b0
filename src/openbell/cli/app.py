"""The ``openbell`` command and its subcommands.

Exit codes: 0 done, 1 the run failed, 2 bad config or usage, 3 nothing could be provisioned.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from openbell.cli.terminal.console import errors_for_people, printable_usage_errors
from openbell.cli.terminal.lazy import Commands, Group, commands, default_group, group
from openbell.cli.terminal.pipes import outlive_readers
from openbell.errors import commands_name_exchange

__all__ = ["app", "main"]

_IMPORT: Commands = {
    "lean": (
        "data.import_bars:import_lean",
        "Import LEAN's bars of equities, crypto, forex (mid prices), indexes and futures.",
    ),
    "csv": (
        "data.import_bars:import_csv",
        "Import CSV files of intraday or daily bars, after a look at what was guessed.",
    ),
    "parquet": (
        "data.import_bars:import_parquet",
        "Import Parquet files of intraday or daily bars, after a look at what was guessed.",
    ),
    "feather": ("data.import_bars:import_feather", "Import Feather files, as Parquet files are."),
    "json": (
        "data.import_bars:import_json",
        "Import JSON of records, columns or arrays, after a look at what was guessed.",
    ),
    "databento": (
        "data.import_bars:import_databento",
        "Import Databento's OHLCV files, through Databento's own package (openbell's extra \"databento\").",
    ),
    "actions": (
        "data.actions:import_actions",
        "Import splits (new shares for one old share), cash dividends per share, and renames (the new symbol).",
    ),
}
_FETCH: Commands = {
    "alpaca": (
        "data.fetch:fetch_alpaca",
        "Fetch raw bars and corporate actions of US stocks from Alpaca.",
    ),
}
_DATA: Commands = {
    "import": group("import", "Import bars; bars already stored are kept or revised.", _IMPORT),
    "fetch": group("fetch", "Fetch from a vendor what the store lacks.", _FETCH),
    "ls": (
        "data.ls:list_store",
        "List what a store holds, per symbol and interval.",
    ),
    "check": (
        "data.check:check_data",
        "Check stored bars for holes, halts, spikes, stale runs, wrong hours, undeclared splits and unlike daily bars.",
    ),
    "actions": (
        "data.actions:list_actions",
        "List the splits, dividends and renames that a store knows.",
    ),
    "verify": (
        "data.verify:verify_store",
        "Compare every file of a store with its checksum.",
    ),
    "repair": (
        "data.repair:repair_store",
        "Rebuild what can be rebuilt, move what is damaged into quarantine, and say what must be imported again.",
    ),
    "cp": (
        "data.cp:copy_bars",
        "Copy the bars of a store into another one, as far as it lacks them.",
    ),
    "rm": (
        "data.rm:remove_bars",
        "Remove bars, such as those of a wrong time zone.",
    ),
}
_RUNS: Commands = {
    "ls": (
        "runs:list_runs",
        "List the runs of a folder with what they earned.",
    ),
    "compare": (
        "runs:compare_runs",
        "Compare two runs by what they earned, and show where their configs differ.",
    ),
}
_SWEEP: Commands = {
    "run": (
        "sweep:sweep",
        "Run a config at many points of a space of values, each of them once.",
    ),
    "report": (
        "sweep_report:report",
        "Show the best points of a sweep, what surrounds them, and how much of it may be luck.",
    ),
}
_COMMANDS: Commands = {
    "demo": (
        "demo:demo",
        "Make a store of SYNTHETIC bars and a config beside it, show the plan, and run the sessions.",
    ),
    "new": (
        "new:new",
        "Write a small strategy, scanner, indicator or provider with a config and a test.",
    ),
    "check": (
        "check:check",
        "Validate a config as a whole, without data.",
    ),
    "plan": (
        "plan:plan",
        "Show what data every symbol of a config takes, whether it is there, and why it is needed.",
    ),
    "run": (
        "run:run",
        "Run the sessions of a config and report the outcome.",
    ),
    "sweep": default_group("sweep", "Run a config at many points of a space of values.", _SWEEP),
    "live": (
        "live:live",
        "Run the sessions of a config as they happen, by the bars of a feed.",
    ),
    "replay": (
        "live:replay",
        "Play stored sessions through the live path, at any speed.",
    ),
    "verify": (
        "live:verify",
        "Play what a live run recorded as a backtest, and name the first difference.",
    ),
    "stop": (
        "live:stop",
        "Stop a live run, from any terminal.",
    ),
    "report": (
        "report:report",
        "Write what a run did and earned as one HTML file that needs no network.",
    ),
    "view": (
        "view:view",
        "Show runs, their sessions and a store in the browser, served on this machine alone.",
    ),
    "calendars": (
        "calendars:calendars",
        "List the calendars with their aliases, hours and time zones, or show the sessions of one.",
    ),
    "indicators": (
        "indicators:indicators",
        "List the indicators, or show the parameters, outputs, lookback and an example of one.",
    ),
    "schema": (
        "schema:schema",
        "Print the JSON Schema of the session config, for editors.",
    ),
    "runs": group("runs", "List and compare runs by their folders.", _RUNS),
    "data": group("data", "Import or fetch bars into a store; list, check, repair and remove what it holds.", _DATA),
}

_ASKS_JSON = "openbell.asks_json"
_LOG_OPTION = re.compile("-v+|--verbose|--log-json")


class _Root(Group):
    """Root group, which prints openbell's errors and accepts the log's options after a command."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands.update(commands(_COMMANDS))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        logging = [word for word in args[:end] if _LOG_OPTION.fullmatch(word)]
        rest = [word for word in args[:end] if not _LOG_OPTION.fullmatch(word)]
        if "".join(logging).count("v") > 1:
            logging.append("-vv")
        ctx.meta[_ASKS_JSON] = "--json" in args[:end]
        with printable_usage_errors():
            return super().parse_args(ctx, [*logging, *rest, *args[end:]])

    def invoke(self, ctx: Any) -> Any:
        with commands_name_exchange(""), errors_for_people(as_json=ctx.meta[_ASKS_JSON]), printable_usage_errors():
            return super().invoke(ctx)


app = typer.Typer(cls=_Root, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"openbell {version('openbell')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[  # noqa: ARG001 -- its callback does the work
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens; twice for all of it.")] = False,
    everything: Annotated[bool, typer.Option("-vv", hidden=True)] = False,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log as JSON, one object a line.")] = False,
) -> None:
    """Prepare trading sessions, prove that their data is there, and run them.

    The log options -v and --log-json may also follow the command.
    """
    from openbell.logs import configure_logs

    configure_logs(2 if everything else int(verbose), as_json=log_json)


def main() -> None:
    """Run the command line."""
    outlive_readers()
    app()

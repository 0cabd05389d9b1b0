"""The command `openbell data fetch`."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from openbell.cli.data.options import AsJson, Store, store_folder
from openbell.cli.exchange import exchange_named
from openbell.cli.terminal.console import print_json, say, show
from openbell.cli.terminal.days import day_option
from openbell.cli.terminal.stopping import exit_code_of, sigterm_as_interrupt
from openbell.errors import ConfigError
from openbell.model.address import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from openbell.model.json_object import JsonObject
    from openbell.timing import TimeManager
    from openbell.vendors.fetch_report import FetchReport

__all__ = ["fetch_alpaca"]

_MOST_SUBJECTS = 5


def fetch_alpaca(
    symbols: Annotated[list[str], typer.Argument(help="Symbols, e.g. SPY BRK.B.")],
    *,
    first: Annotated[date, day_option("--from", "The first day.")],
    last: Annotated[date | None, day_option("--to", "The last day. Default: the last session before today.")] = None,
    exchange: Annotated[
        str,
        typer.Option("--exchange", help="The calendar that says which sessions: a name, or a config with own ones."),
    ] = "XNYS",
    interval: Annotated[Literal["1m", "1d"], typer.Option("--interval", help="1m or 1d.")] = "1m",
    store: Store = None,
    feed: Annotated[str | None, typer.Option("--feed", help="sip, iex, ... Default: what the plan gives.")] = None,
    requests_per_minute: Annotated[
        float, typer.Option("--requests-per-minute", min=1, help="The plan's rate limit.")
    ] = 200,
    again: Annotated[bool, typer.Option("--again", help="Fetch also what the store has, and revise it.")] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Ask also for sessions that Alpaca had no bars of when asked before.")
    ] = False,
    actions: Annotated[
        bool, typer.Option("--actions/--no-actions", help="Splits, dividends and renames of that time, too.")
    ] = True,
    url: Annotated[
        str | None, typer.Option("--url", envvar="APCA_API_DATA_URL", help="Another server than Alpaca's own.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch raw bars and corporate actions of US stocks from Alpaca.

    Keys are read from APCA_API_KEY_ID and APCA_API_SECRET_KEY. What was fetched stays when the command is interrupted;
    begun again, it asks only for the rest.
    """
    from openbell.store.store import BarStore
    from openbell.timing import TimeManager, WallClock
    from openbell.vendors.alpaca import AlpacaKeys, AlpacaSource
    from openbell.vendors.fetch import fetch

    folder = store_folder(store)
    source = AlpacaSource(
        AlpacaKeys.of(os.environ), url=url, feed=feed, requests_per_minute=requests_per_minute
    )  # fmt: skip
    time_manager = TimeManager(exchange_named(exchange), clock=WallClock())
    sessions = _sessions(time_manager, first, last)
    try:
        with sigterm_as_interrupt(), closing(source), _progress() as advanced:
            report = fetch(
                source,
                BarStore.open_or_create(folder),
                [symbol.upper() for symbol in symbols],
                interval,
                sessions,
                time_manager,
                again=again,
                refresh=refresh,
                actions=actions,
                advanced=advanced,
            )
    except KeyboardInterrupt as stop:
        say("stopped: what had come is stored. The same command continues where this one ended.")
        raise typer.Exit(exit_code_of(stop)) from None
    _show(report, folder, sessions, as_json=as_json)


def _sessions(time_manager: TimeManager, first: date, last: date | None) -> Sequence[date]:
    """Return the sessions of the range that are over.

    These are the sessions of days before today at the exchange.

    Raises:
        ConfigError: There is none.
    """
    today = time_manager.to_local(time_manager.now_ns).date()
    wanted = time_manager.sessions(first, min(last, today) if last else today) if first <= today else []
    over = [day for day in wanted if day < today]
    if not over:
        raise ConfigError(
            f"no session from {first} to {last or today} is over. Sessions can be fetched from the day after."
        )
    return over


@contextmanager
def _progress() -> Iterator[Callable[[int, int, str], None]]:
    """Show a progress bar on stderr, with the last answered request and the remaining time."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from openbell.cli.terminal.console import err
    from openbell.logs import logs_what_happens

    columns = (
        TextColumn("fetching {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("left:"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal or logs_what_happens()) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, what: bar.update(task, completed=done, total=total, description=what)


def _show(report: FetchReport, store: Place, sessions: Sequence[date], *, as_json: bool) -> None:
    from openbell.cli.terminal.tables import counted

    if as_json:
        print_json(_summary(report, store, sessions))
    else:
        _print_tables(report, store, sessions)
    for path in report.bars.quarantine:
        say(f"warning: bars that cannot be right, or were not asked for, were set aside in {path}; it says why")
    for symbol, count in report.empty.items():
        say(f"warning: {symbol}: there are no bars of {count:,} of the sessions that were asked for")
    for reason, count in report.bad_actions.items():
        say(f"warning: {counted(count, 'corporate action')} not stored: {reason}")
    if report.unasked or report.unasked_actions:
        bars, actions = counted(report.unasked, "bar"), counted(report.unasked_actions, "corporate action")
        say(f"warning: {bars} and {actions} that were not asked for came, and were not stored")
    if report.other_actions:
        kinds = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in report.other_actions.items())
        say(f"warning: corporate actions that openbell does not apply were not stored: {kinds}")
    for reason in dict.fromkeys(reason for _, reason in report.failed):
        say(f"error: {_listed([subject for subject, why in report.failed if why == reason])}: {reason}")
    if report.failed:
        raise typer.Exit(1)


def _listed(subjects: Sequence[str]) -> str:
    """Return the subjects as text, the first of many with the number of the others."""
    shown = ", ".join(subjects[:_MOST_SUBJECTS])
    return shown if len(subjects) <= _MOST_SUBJECTS else f"{shown} and {len(subjects) - _MOST_SUBJECTS:,} more"


def _summary(report: FetchReport, store: Place, sessions: Sequence[date]) -> JsonObject:
    written, actions = report.bars.written, report.actions
    return {
        "store": str(store),
        "first": sessions[0],
        "last": sessions[-1],
        "requests": report.requests,
        "sessions_held": report.held,
        "sessions_unavailable": report.unavailable,
        "added": written.added,
        "revised": written.revised,
        "unchanged": written.unchanged,
        "set_aside": report.bars.set_aside,
        "series": [
            {
                "symbol": s.symbol,
                "interval": s.interval,
                "requests": s.files,
                "added": s.written.added,
                "revised": s.written.revised,
                "unchanged": s.written.unchanged,
                "set_aside": s.set_aside,
            }
            for s in sorted(report.bars.series.values(), key=lambda s: s.symbol)
        ],
        "empty_sessions": report.empty,
        "actions": None
        if actions is None
        else {"added": actions.added, "revised": actions.revised, "unchanged": actions.unchanged},
        "actions_not_applied": report.other_actions,
        "actions_set_aside": report.bad_actions.total(),
        "not_asked_for": {"bars": report.unasked, "actions": report.unasked_actions},
        "failed": [{"subject": subject, "reason": reason} for subject, reason in report.failed],
        "quarantine": [str(path) for path in report.bars.quarantine],
    }


def _print_tables(report: FetchReport, store: Place, sessions: Sequence[date]) -> None:
    from openbell.cli.terminal.printable import escape
    from openbell.cli.terminal.tables import make_table

    span = f"{sessions[0]} to {sessions[-1]}"
    if report.bars.series:
        counts = ("requests", "added", "revised", "unchanged", "set_aside")
        columns = (f"{name.replace('_', ' ')} >" for name in counts)
        table = make_table(escape(f"Fetched into {store}, {span}"), "symbol <", "interval <", *columns)
        for row in _summary(report, store, sessions)["series"]:
            table.add_row(escape(row["symbol"]), row["interval"], *(f"{row[name]:,}" for name in counts))
        show(table)
    elif not report.requests:
        what = "all available bars" if report.unavailable else "bars of all"
        show(f"{store} has {what} of these sessions, {span}: nothing to fetch.", markup=False)
    else:
        show(f"No bars came, {span}.", markup=False)
    if report.unavailable:
        show(
            f"not asked for: {report.unavailable:,} sessions of which Alpaca had no bars before (--refresh asks again)",
        )
    if report.actions is not None:
        a = report.actions
        show(f"corporate actions: {a.added:,} added, {a.revised:,} revised, {a.unchanged:,} unchanged")

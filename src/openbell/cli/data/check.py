"""The command `openbell data check`."""

from __future__ import annotations

import math
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbell.cli.data.options import AsJson, ExistingStore, store_folder
from openbell.cli.exchange import exchange_named
from openbell.cli.terminal.console import print_json, say, show
from openbell.cli.terminal.days import day_option
from openbell.errors import command_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openbell.quality.check_report import Report, SeriesReport

__all__ = ["check_data"]

_SHOWN = 25
_GOOD = 99.9


def check_data(
    symbols: Annotated[list[str] | None, typer.Argument(help="Which symbols; all unless given.")] = None,
    *,
    store: ExistingStore = None,
    exchange: Annotated[
        str,
        typer.Option("--exchange", help="The calendar to check against: a name, or a config with own sessions."),
    ] = "XNYS",
    interval: Annotated[list[str] | None, typer.Option("--interval", help="Only this, e.g. 1m; repeatable.")] = None,
    first: Annotated[date | None, day_option("--from", "First day.")] = None,
    last: Annotated[date | None, day_option("--to", "Last day.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write a report with heat maps and charts.")] = None,
    top: Annotated[int, typer.Option("--top", min=0, help="How many series to show; 0 shows all.")] = _SHOWN,
    min_score: Annotated[
        float,
        typer.Option("--min-score", min=0, max=100, help="Exit with 1 if a series scores less, or none is checked."),
    ] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Check stored bars for holes, halts, spikes, stale runs, wrong hours, undeclared splits and unlike daily bars."""
    from openbell.quality.checker import check_store
    from openbell.store.store import BarStore

    folder = store_folder(store)
    with _progress() as progress:
        report = check_store(
            BarStore.open(folder),
            exchange_named(exchange),
            symbols=symbols or (),
            intervals=interval or (),
            first=first,
            last=last,
            progress=progress,
        )
    for warning in report.warnings:
        say(f"warning: {warning}")
    if as_json:
        print_json(report.as_json())
    elif report.series:
        _show(report, top)
    else:
        say("There are no bars to check: none of these symbols, intervals and days is in the store.")
    if html:
        from openbell.pages.data_check import check_page

        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(check_page(report), encoding="utf-8")
        say(f"Report written to {html}")
    below = [one for one in report.series if one.score.percent is not None and one.score.percent < min_score]
    if below:
        say(f"error: {len(below):,} series score less than {min_score:g} %")
    damaged = sum(finding.kind == "damaged_file" for one in report.series for finding in one.findings)
    if damaged:
        files = "1 file" if damaged == 1 else f"{damaged:,} files"
        say(f"error: {files} cannot be read. `{command_on('data verify', folder)}` says which, and why.")
    if below or damaged or (min_score and not report.series):
        raise typer.Exit(1)


@contextmanager
def _progress() -> Iterator[Callable[[float, int], None]]:
    """Show a progress bar on stderr, which is removed at the end."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from openbell.cli.terminal.console import err

    columns = (TextColumn("checking series"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("check", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _show(report: Report, top: int) -> None:
    from openbell.cli.terminal.printable import escape
    from openbell.cli.terminal.tables import make_table

    shown = report.series[: top or None]
    title = escape(f"Data check of {report.store} against {report.exchange}, worst first")
    table = make_table(title, "symbol <", "interval <", "bars >", "there % >", "score % >", "what was found")
    for one in shown:
        score = one.score
        table.add_row(
            escape(one.symbol),
            one.interval,
            f"{one.rows:,}",
            _percent(score.complete),
            f"[{_colour(one)}]{_percent(score.percent)}[/]",
            "; ".join(one.in_short(report.timezone)),
        )
    show(table)
    for line in _closing(report, len(shown)):
        show(line, markup=False, style="dim")


def _closing(report: Report, shown: int) -> Iterator[str]:
    hidden = report.series[shown:]
    if hidden:
        yield f"... and {len(hidden):,} series that score {_percent(hidden[0].score.percent)} or more (all: --top 0)"
    flawless = sum(1 for one in report.series if not one.in_short(report.timezone))
    yield f"{len(report.series):,} series, {flawless:,} without a finding. Times are those of {report.timezone}."
    near = sum(1 for one in report.series if "daily_near" in one.counts())
    if near:
        sums = "sums" if near == 1 else "sum"
        yield f"{near:,} series {sums} to other daily bars than are stored, within what is usual."
    yield "score: expected bars that are there and not in doubt; at most 50 with a split, time zone or file to correct."
    yield "Every finding: --json, or with charts: --html FILE."


def _percent(value: float | None) -> str:
    """Return a percentage as text with two decimals, rounded down so that only full completeness is 100."""
    return "-" if value is None else f"{math.floor(value * 100) / 100:.2f}"


def _colour(one: SeriesReport) -> str:
    percent = one.score.percent
    if percent is None or percent >= _GOOD:
        return "green"
    return "yellow" if percent >= 95 else "red"

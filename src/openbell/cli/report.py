"""Command ``openbell report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from openbell.cli.named_run import newest_run, run_named
from openbell.cli.terminal.console import say, show
from openbell.cli.terminal.printable import escape
from openbell.model.address import place_of

__all__ = ["report"]

_NAME = "report.html"


def report(
    run: Annotated[
        Path | None, typer.Argument(help="The folder of a run, or its name in runs; the newest unless given.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The file; report.html in the run folder unless given.")
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="PATH", help="The store of the candles that the run did not keep; the config's unless given."
        ),
    ] = None,
    charts: Annotated[int, typer.Option("--charts", min=0, max=1000, help="The most charts of candles.")] = 40,
    *,
    in_browser: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
) -> None:
    """Write what a run did and earned as one HTML file that needs no network."""
    from openbell.pages.report import run_report

    folder = newest_run() if run is None else run_named(run)
    page = run_report(folder, store=None if store is None else place_of(store), most_charts=charts)
    target = folder / _NAME if out is None else out
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page, encoding="utf-8")
    show(escape(str(target)))
    if in_browser:
        _open(target)


def _open(file: Path) -> None:
    import webbrowser

    if not webbrowser.open(file.resolve().as_uri()):
        say(f"no browser was found: open {file} yourself.")

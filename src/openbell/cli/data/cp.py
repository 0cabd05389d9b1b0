"""The command `openbell data cp`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from openbell.cli.data.options import AsJson
from openbell.cli.terminal.console import print_json, show
from openbell.cli.terminal.file_progress import file_progress
from openbell.model.address import place_of

if TYPE_CHECKING:
    from openbell.maintenance.copy import CopyReport

__all__ = ["copy_bars"]


def copy_bars(
    source: Annotated[str, typer.Argument(metavar="FROM", help="A store: its folder, or its address.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="Likewise; made if it is not there.")],
    *,
    symbol: Annotated[list[str] | None, typer.Option("--symbol", help="Only this symbol; may be repeated.")] = None,
    interval: Annotated[
        list[str] | None, typer.Option("--interval", help="Only this interval; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Copy the bars of a store into another one, as far as it lacks them.

    It may be stopped and begun again. Where both have bars of the same times, those of FROM are taken.
    """
    from openbell.maintenance.copy import copy_store

    places = place_of(source), place_of(target)
    with file_progress("copying files") as progress:
        report = copy_store(*places, symbols=symbol or (), intervals=interval or (), advanced=progress)
    if as_json:
        print_json({"source": str(places[0]), "target": str(places[1]), **asdict(report)})
    else:
        show(_text(report, str(places[0]), str(places[1])), markup=False)


def _text(report: CopyReport, source: str, target: str) -> str:
    from openbell.cli.terminal.tables import counted

    if report.files == report.unchanged:
        return f"{target} has all {counted(report.files, 'data file')} of {source} already."
    size = f"{report.bytes / 1024**2:,.1f} MiB"
    text = f"{counted(report.copied, 'data file')} of {source} copied to {target} ({size})"
    if report.merged:
        rows = report.rows
        text += (
            f"; {report.merged:,} merged with bars that were there ({rows.added:,} added, {rows.revised:,} revised, "
            f"{rows.unchanged:,} unchanged)"
        )
    return f"{text}; {report.unchanged:,} were there already."

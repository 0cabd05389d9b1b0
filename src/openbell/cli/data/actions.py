"""The commands `openbell data actions` and `openbell data import actions`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from openbell.cli.data.import_report import describe_actions, files_at
from openbell.cli.data.options import AsJson, ExistingStore, store_folder
from openbell.cli.terminal.console import print_json, say, show
from openbell.errors import UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from openbell.actions import Action

__all__ = ["import_actions", "list_actions"]


def list_actions(
    symbols: Annotated[list[str] | None, typer.Argument(help="Only these symbols; default: all.")] = None,
    *,
    store: ExistingStore = None,
    as_json: AsJson = False,
) -> None:
    """List the splits, dividends and renames that a store knows."""
    from openbell.actions import ActionStore
    from openbell.store.store import BarStore

    bars = BarStore.open(store_folder(store))
    book = ActionStore(bars.path).book(bars.manifest.side_files)
    known = {*book.symbols, *book.new_names}
    for symbol in symbols or ():
        if symbol not in known and symbol not in bars.symbols():
            raise UnknownNameError("symbol", symbol, sorted({*known, *bars.symbols()}), str(bars.path))
    actions = [action for symbol in symbols or book.symbols for action in book.naming(symbol)]
    if as_json:
        print_json([action.to_dict() for action in actions])
    elif actions:
        show(_table(actions))
    else:
        of = f" of {', '.join(symbols)}" if symbols else ""
        say(f"The store knows no corporate actions{of}. Import some with: openbell data import actions FILE")


def import_actions(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH", help="A CSV file with the columns symbol, ex_date, type (split, dividend, rename), value."
        ),
    ],
    *,
    store: ExistingStore = None,
    as_json: AsJson = False,
) -> None:
    """Import splits (new shares for one old share), cash dividends per share, and renames (the new symbol)."""
    from openbell.importers.actions_csv import import_actions_csv
    from openbell.store.store import BarStore

    bars = BarStore.open(store_folder(store))
    with files_at([path]) as (file,):
        report = import_actions_csv(file, bars.path)
    if as_json:
        found = {**asdict(report.written), "duplicates": report.duplicates, "added_up": report.added_up}
        print_json({**found, "set_aside": report.set_aside, "quarantine": report.quarantine})
    else:
        show(describe_actions(report.written, bars.path), markup=False)
    if report.duplicates:
        say(f"note: {report.duplicates:,} rows repeated another one and were left out")
    if report.added_up:
        say(f"note: {report.added_up:,} dividends were added to another one of the same symbol and ex-date")
    for symbol in report.symbols:
        if symbol not in bars.symbols():
            say(f"note: the store has no bars of {symbol}.{did_you_mean(symbol, bars.symbols())}")
    if report.quarantine:
        rows = (
            "1 row cannot be used and was"
            if report.set_aside == 1
            else f"{report.set_aside:,} rows cannot be used and were"
        )
        say(f"warning: {rows} set aside in {report.quarantine}")


def _table(actions: Sequence[Action]) -> Table:
    from openbell.cli.terminal.printable import escape
    from openbell.cli.terminal.tables import make_table

    table = make_table("", "symbol", "ex-date", "action", "close before >")
    for action in actions:
        close = f"{action.reference:,.2f}" if action.reference else ""
        table.add_row(escape(action.symbol), action.ex_date.isoformat(), escape(action.describe()), close)
    return table

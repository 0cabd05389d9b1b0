"""The command `openbell data rm`, which shows the bars to remove before it asks and removes them."""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from openbell.cli.data.options import AsJson, ExistingStore, store_folder
from openbell.cli.terminal.console import print_json, say, show
from openbell.cli.terminal.days import day_option

if TYPE_CHECKING:
    from openbell.model.address import Place
    from openbell.store.removal import Removal
    from openbell.store.store import BarStore

__all__ = ["remove_bars"]


def remove_bars(
    symbols: Annotated[list[str], typer.Argument(help="Whose bars.")],
    *,
    interval: Annotated[
        list[str] | None, typer.Option("--interval", help="Only this, e.g. 1m; may be repeated. Default: all.")
    ] = None,
    first: Annotated[date | None, day_option("--from", "First UTC date that bars start on.")] = None,
    last: Annotated[date | None, day_option("--to", "Last such date, inclusive.")] = None,
    store: ExistingStore = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove them without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove bars, such as those of a wrong time zone. Corporate actions stay."""
    from openbell.store.removal import removable
    from openbell.store.removal import remove_bars as remove
    from openbell.store.store import BarStore

    folder = store_folder(store)
    held = BarStore.open(folder)
    series = _series(held, symbols, interval or ())
    if yes:
        _show(folder, remove(held, series, first, last), as_json=as_json, done=True)
        return
    planned = removable(held, series, first, last)
    _show(folder, planned, as_json=as_json, done=False)
    if not planned:
        return
    if as_json or not _a_person_is_there():
        say("Nothing is removed yet. Add --yes to remove it.")
        raise typer.Exit(2)
    if not typer.confirm("Remove this?"):
        say("Nothing was removed.")
        raise typer.Exit(1)
    _show(folder, remove(held, series, first, last), as_json=False, done=True)


def _a_person_is_there() -> bool:
    return sys.stdin.isatty()


def _series(store: BarStore, symbols: list[str], intervals: list[str] | tuple[()]) -> list[tuple[str, str]]:
    """Return the stored series of the symbols, with only the given intervals if there are any.

    Raises:
        UnknownNameError: The store has no such symbol.
        ConfigError: An interval is none that stores have.
    """
    from openbell.errors import ConfigError, UnknownNameError
    from openbell.store.layout import STORED, is_stored

    known = store.symbols()
    for symbol in symbols:
        if symbol not in known:
            raise UnknownNameError("symbol", symbol, known, str(store.path))
    for interval in intervals:
        if not is_stored(interval):
            raise ConfigError(f"--interval {interval!r} is not valid. Stores take {STORED}.")
    return [(s, i) for s in symbols for i in store.intervals(s) if not intervals or i in intervals]


def _show(folder: Place, removals: list[Removal], *, as_json: bool, done: bool) -> None:
    from openbell.cli.terminal.printable import escape
    from openbell.cli.terminal.tables import counted, make_table

    if as_json:
        entries = [{name: getattr(r, name) for name in r.__slots__} for r in removals]
        print_json({"store": str(folder), "removed" if done else "would_remove": entries})
        return
    if not removals:
        say("There is nothing to remove: the store has no such bars.")
        return
    bars = counted(sum(r.rows for r in removals), "bar")
    if done:
        show(f"Removed {bars} from {folder}.", markup=False)
        return
    table = make_table(escape(f"To be removed from {folder}: {bars}"), "symbol", "interval", "bars >", "first", "last")
    for r in removals:
        form = "%Y-%m-%d" if r.interval == "1d" else "%Y-%m-%d %H:%MZ"
        table.add_row(escape(r.symbol), r.interval, f"{r.rows:,}", f"{r.first:{form}}", f"{r.last:{form}}")
    show(table)

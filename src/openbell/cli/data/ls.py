"""The command `openbell data ls`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from openbell.cli.data.options import AsJson, ExistingStore, store_folder
from openbell.cli.terminal.console import print_json, say, show
from openbell.errors import command_on

if TYPE_CHECKING:
    from rich.table import Table

    from openbell.model.json_object import JsonObject
    from openbell.store.store import BarStore

__all__ = ["list_store"]


def list_store(
    *,
    store: ExistingStore = None,
    built: Annotated[
        bool, typer.Option("--built", help="List the bars that `data repair` built, one a line, instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List what a store holds, per symbol and interval."""
    from openbell.store.label import read_label
    from openbell.store.store import BarStore

    folder = store_folder(store)
    opened = BarStore.open(folder)
    if built:
        _list_built(opened, as_json=as_json)
        return
    label = read_label(folder)
    listing: list[JsonObject] = [
        {
            "symbol": c.symbol,
            "interval": c.interval,
            "rows": c.rows,
            "first": c.first,
            "last": c.last,
            "files": c.files,
            "bytes": c.bytes,
            "built": c.built,
            **({"label": label} if label else {}),
        }
        for c in opened.coverage()
    ]
    if as_json:
        print_json(listing)
    elif listing:
        show(_listing_table(listing, label))
        if count := sum(entry["built"] for entry in listing):
            show(
                f"{count:,} of these bars were built from finer ones by `data repair`. "
                f"Those are: {command_on('data ls --built', folder)}",
                markup=False,
            )
    else:
        say("The store is empty. Import bars with: openbell data import")


def _list_built(store: BarStore, *, as_json: bool) -> None:
    """Print the bars that openbell built, each with the number of finer bars that it is made of."""
    from openbell.cli.terminal.printable import escape
    from openbell.cli.terminal.tables import make_table

    found = [
        {"symbol": c.symbol, "interval": c.interval, "timestamp": time, "made_of": made_of}
        for c in store.coverage()
        if c.built
        for time, made_of in store.built(c.symbol, c.interval).iter_rows()
    ]
    if as_json:
        print_json(found)
        return
    if not found:
        say("No bar was built by openbell: all are as they were imported.")
        return
    table = make_table("", "symbol", "interval", "bar", "made of >")
    for bar in found:
        form = "%Y-%m-%d" if bar["interval"] == "1d" else "%Y-%m-%d %H:%M:%SZ"
        finer = "minutes" if bar["interval"] == "1d" else "seconds"
        table.add_row(escape(bar["symbol"]), bar["interval"], f"{bar['timestamp']:{form}}", f"{bar['made_of']} {finer}")
    show(table)


def _listing_table(listing: list[JsonObject], label: str | None) -> Table:
    """Return the table of the listing, with as many columns as fit the terminal."""
    # Number and size of files are left out first, then times of day.
    from openbell.cli.terminal.console import out
    from openbell.cli.terminal.tables import fits

    for files, clock in ((True, True), (False, True)):
        table = _table_of(listing, label, files=files, clock=clock)
        if fits(table, out):
            return table
    return _table_of(listing, label, files=False, clock=False)


def _table_of(listing: list[JsonObject], label: str | None, *, files: bool, clock: bool) -> Table:
    from openbell.cli.terminal.printable import escape
    from openbell.cli.terminal.tables import make_table

    title = f"[bold magenta]{escape(label)}[/]" if label else ""
    table = make_table(
        title, "symbol", "interval", "rows >", "first", "last", *(("files >", "size >") if files else ())
    )
    for entry in listing:
        form = "%Y-%m-%d %H:%MZ" if clock and entry["interval"] != "1d" else "%Y-%m-%d"
        row = [escape(entry["symbol"]), entry["interval"], f"{entry['rows']:,}"]
        row += [f"{entry['first']:{form}}", f"{entry['last']:{form}}"]
        table.add_row(*row, *((f"{entry['files']:,}", _size(entry["bytes"])) if files else ()))
    return table


def _size(count: int) -> str:
    """Return a number of bytes as text in KiB or MiB."""
    kib = count / 1024
    return f"{kib:,.0f} KiB" if kib < 10_000 else f"{kib / 1024:,.0f} MiB"

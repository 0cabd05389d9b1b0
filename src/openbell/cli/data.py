"""`openbell data`: bars into a store, and what is in it."""

from __future__ import annotations

from typing import Any

import typer

from openbell.cli.console import out, print_json, say
from openbell.cli.data_actions import import_actions, list_actions
from openbell.cli.data_check import check_data
from openbell.cli.data_fetch import fetches
from openbell.cli.data_import import imports
from openbell.cli.data_options import AsJson, Store, store_folder
from openbell.cli.data_repair import repair_store
from openbell.cli.data_verify import verify_store

__all__ = ["data"]

data = typer.Typer(no_args_is_help=True, help="Import bars into a store, and list what it holds.")
data.add_typer(imports, name="import")
data.add_typer(fetches, name="fetch")
imports.command("actions")(import_actions)
data.command("actions")(list_actions)
data.command("check")(check_data)
data.command("verify")(verify_store)
data.command("repair")(repair_store)


@data.command("ls")
def list_store(*, store: Store = None, as_json: AsJson = False) -> None:
    """List what a store holds, per symbol and interval."""
    from openbell.data.label import read_label
    from openbell.data.store import BarStore

    folder = store_folder(store, must_exist=True)
    label = read_label(folder)
    listing = [
        {
            "symbol": c.symbol,
            "interval": c.interval,
            "rows": c.rows,
            "first": c.first,
            "last": c.last,
            "files": c.files,
            "bytes": c.bytes,
            **({"label": label} if label else {}),
        }
        for c in BarStore.open(folder).coverage()
    ]
    if as_json:
        print_json(listing)
    elif listing:
        out.print(_listing_table(listing, label))
    else:
        say("The store is empty. Import bars with: openbell data import")


def _listing_table(listing: list[dict[str, Any]], label: str | None) -> Any:
    from rich.markup import escape
    from rich.table import Table

    title = f"[bold magenta]{escape(label)}[/]" if label else None
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    for name in ("symbol", "interval", "rows", "first", "last", "files", "size"):
        table.add_column(name, justify="right" if name in ("rows", "files", "size") else "left", no_wrap=True)
    for entry in listing:
        form = "%Y-%m-%d" if entry["interval"] == "1d" else "%Y-%m-%d %H:%MZ"
        table.add_row(
            escape(entry["symbol"]),
            entry["interval"],
            f"{entry['rows']:,}",
            f"{entry['first']:{form}}",
            f"{entry['last']:{form}}",
            f"{entry['files']:,}",
            f"{entry['bytes'] / 1024:,.0f} KiB",
        )
    return table

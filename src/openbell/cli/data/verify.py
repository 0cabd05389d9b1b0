"""The command `openbell data verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from openbell.cli.data.options import AsJson, ExistingStore, store_folder
from openbell.cli.exchange import exchange_named
from openbell.cli.terminal.console import print_json, say, show
from openbell.errors import command_on
from openbell.model.address import StoreAddress, name_within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from openbell.maintenance.damage import Damage
    from openbell.model.address import Place
    from openbell.model.json_object import JsonObject

__all__ = ["damage_dict", "damages_table", "verify_store"]


def verify_store(
    *,
    store: ExistingStore = None,
    exchange: Annotated[
        str,
        typer.Option("--exchange", help="The exchange that the command for a repair names; a name, or a config."),
    ] = "XNYS",
    as_json: AsJson = False,
) -> None:
    """Compare every file of a store with its checksum. Exit code 1 when one is damaged, missing or unknown."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from openbell.cli.terminal.console import err
    from openbell.cli.terminal.tables import counted
    from openbell.maintenance.verify import verify

    folder = store_folder(store)
    exchange_named(exchange)
    columns = (TextColumn("verifying files"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("verify", total=None)

        def advanced(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        if isinstance(folder, StoreAddress):
            from openbell.maintenance.objects import verify_objects

            report = verify_objects(folder, advanced)
        else:
            report = verify(folder, advanced=advanced)
    if as_json:
        print_json(
            {
                "store": str(folder),
                "ok": not report.damages,
                "files": report.files,
                "bytes": report.bytes,
                "findings": [damage_dict(folder, damage) for damage in report.damages],
            }
        )
    elif report.damages:
        rows = [(damage, [_text_of(folder, damage)]) for damage in report.damages]
        show(damages_table(f"Problems of {folder}", folder, rows, ["what is wrong"]))
        many = len(report.damages)
        show(
            f"{many:,} {'problem' if many == 1 else 'problems'} in a store of {report.files:,} data files. "
            f"Repair what can be repaired with: {command_on('data repair', folder)}",
            markup=False,
        )
    else:
        size = f"{report.bytes / 1024**2:,.1f} MiB"
        show(f"All {report.files:,} data files ({size}) of {folder} are as they were stored.", markup=False)
    if report.unlisted and not as_json:
        say(
            f"note: {counted(report.unlisted, 'object')} that the manifest does not list: left by killed writers, or "
            f"of one at work. To delete what is left: {command_on('data repair', folder)}"
        )
    if report.damages:
        raise typer.Exit(1)


def _text_of(store: Place, damage: Damage) -> str:
    """Return what is wrong with a file, with its path if it is a data file.

    Other files have a column for their path.
    """
    return f"{damage.reason}\n{name_within(damage.path, store)}" if damage.partition else damage.reason


def damage_dict(store: Place, damage: Damage) -> JsonObject:
    """Return a damaged file as a JSON object, in which the month of daily bars is "all"."""
    from openbell.store.layout import instant

    entry, partition = damage.entry, damage.partition
    known = entry is not None and entry.rows > 0
    return {
        "kind": damage.kind,
        "path": name_within(damage.path, store),
        "symbol": partition.symbol if partition else None,
        "interval": partition.interval if partition else None,
        "month": partition.month if partition else None,
        "rows": entry.rows if entry is not None and known else None,
        "first": instant(entry.first_ns) if entry is not None and known else None,
        "last": instant(entry.last_ns) if entry is not None and known else None,
        "reason": damage.reason,
    }


def damages_table(title: str, store: Place, rows: Sequence[tuple[Damage, Sequence[str]]], more: Sequence[str]) -> Table:
    """Return a table of damaged files and their bars, with further columns."""
    from openbell.cli.terminal.printable import escape
    from openbell.cli.terminal.tables import make_table

    # Data files need no column for their path: symbol, interval and month name them.
    others = any(damage.partition is None for damage, _ in rows)
    names = ("symbol", "interval <", "month <", "bars >", *(("file",) if others else ()), *more)
    table = make_table(escape(title), *names)
    for damage, cells in rows:
        facts = damage_dict(store, damage)
        bars = f"{facts['rows']:,}" if facts["rows"] else ""
        columns = [*(facts[name] or "" for name in ("symbol", "interval", "month")), bars]
        if others:
            columns.append("" if damage.partition else facts["path"])
        table.add_row(*map(escape, [*columns, *cells]))
    return table

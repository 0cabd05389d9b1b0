"""The command `openbell data repair`."""

from __future__ import annotations

from typing import Annotated

import typer

from openbell.cli.data.options import AsJson, ExistingStore, store_folder
from openbell.cli.data.verify import damage_dict, damages_table
from openbell.cli.exchange import exchange_named
from openbell.cli.terminal.console import print_json, say, show
from openbell.model.address import StoreAddress, name_within

__all__ = ["repair_store"]


def repair_store(
    *,
    store: ExistingStore = None,
    exchange: Annotated[
        str,
        typer.Option(
            "--exchange",
            help="The calendar of complete sessions: a name, or a config with own ones.",
        ),
    ] = "XNYS",
    as_json: AsJson = False,
) -> None:
    """Rebuild what can be rebuilt, move what is damaged into quarantine, and say what must be imported again.

    Exit code 1 when data was lost or cannot be read; a second repair finds nothing to do.
    """
    from openbell.maintenance.repair import repair

    folder = store_folder(store)
    if isinstance(folder, StoreAddress):
        from openbell.maintenance.objects import repair_objects

        report = repair_objects(folder)
    else:
        report = repair(folder, exchange=exchange_named(exchange))
    if as_json:
        repairs = [
            {
                **damage_dict(folder, r.damage),
                "outcome": r.outcome,
                "text": r.text,
                "rows_lost": r.rows_lost,
                "moved_to": name_within(r.moved_to, folder) if r.moved_to else None,
            }
            for r in report.repairs
        ]
        print_json({"store": str(folder), "ok": not (report.lost or report.left), "repairs": repairs})
    elif report.repairs:
        rows = [(r.damage, [r.outcome, r.text]) for r in report.repairs]
        show(damages_table(f"Repaired {folder}", folder, rows, ["outcome", "what was done, what to do"]))
        if moved := [r for r in report.repairs if r.moved_to]:
            files = "1 file was" if len(moved) == 1 else f"{len(moved):,} files were"
            show(f"{files} moved to {folder / 'quarantine' / 'damaged'}", markup=False)
    else:
        show(f"Nothing to repair: every file of {folder} is as it was stored.", markup=False)
    if report.swept:
        from openbell.cli.terminal.tables import counted

        say(f"{counted(report.swept, 'object')} that killed writers had left were deleted")
    if report.lost:
        from openbell.cli.terminal.tables import counted

        counts = [r.rows_lost for r in report.lost]
        known = sum(n for n in counts if n is not None)
        bars = counted(known, "bar") if None not in counts else "some bars"
        are = "is" if bars == "1 bar" else "are"
        say(f"error: {bars} of {counted(len(report.lost), 'file')} {are} lost; import their data again")
    if report.left:
        from openbell.cli.terminal.tables import counted

        say(f"error: {counted(len(report.left), 'file')} cannot be read, and nothing was done about it")
    if report.lost or report.left:
        raise typer.Exit(1)

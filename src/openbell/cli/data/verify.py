"""`openbell data verify`: whether every byte of a store is as it was stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from openbell.cli.data.options import AsJson, ExistingStore, store_folder
from openbell.cli.terminal.console import print_json, show
from openbell.errors import command_on

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.table import Table

    from openbell.maintenance.verify import Finding

__all__ = ["finding_dict", "findings_table", "verify_store"]


def verify_store(*, store: ExistingStore = None, as_json: AsJson = False) -> None:
    """Compare every file of a store with its checksum. Exit code 1 when one is damaged, missing or unknown."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from openbell.cli.terminal.console import err
    from openbell.maintenance.verify import verify

    folder = store_folder(store)
    columns = (TextColumn("verifying files"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("verify", total=None)
        report = verify(folder, advanced=lambda done, total: bar.update(task, completed=done, total=total))
    if as_json:
        print_json(
            {
                "store": str(folder),
                "ok": not report.findings,
                "files": report.files,
                "bytes": report.bytes,
                "findings": [finding_dict(folder, finding) for finding in report.findings],
            }
        )
    elif report.findings:
        rows = [(finding, [_told(folder, finding)]) for finding in report.findings]
        show(findings_table(f"Problems of {folder}", folder, rows, ["what is wrong"]))
        many = len(report.findings)
        show(
            f"{many:,} {'problem' if many == 1 else 'problems'} in a store of {report.files:,} data files. "
            f"Mend what can be mended with: {command_on('data repair', folder)}",
            markup=False,
        )
    else:
        size = f"{report.bytes / 1024**2:,.1f} MiB"
        show(f"All {report.files:,} data files ({size}) of {folder} are as they were stored.", markup=False)
    if report.findings:
        raise typer.Exit(1)


def _told(store: Path, finding: Finding) -> str:
    """What is wrong, and with a data file where it lies; others have a column for that."""
    return f"{finding.reason}\n{finding.path.relative_to(store)}" if finding.partition else finding.reason


def finding_dict(store: Path, finding: Finding) -> dict[str, Any]:
    """A finding for JSON; the month of daily bars is "all"."""
    from openbell.store.layout import instant

    entry, partition = finding.entry, finding.partition
    known = entry is not None and entry.rows > 0
    return {
        "kind": finding.kind,
        "path": str(finding.path.relative_to(store)),
        "symbol": partition.symbol if partition else None,
        "interval": partition.interval if partition else None,
        "month": partition.part if partition else None,
        "rows": entry.rows if entry is not None and known else None,
        "first": instant(entry.first_ns) if entry is not None and known else None,
        "last": instant(entry.last_ns) if entry is not None and known else None,
        "reason": finding.reason,
    }


def findings_table(
    title: str, store: Path, rows: Sequence[tuple[Finding, Sequence[str]]], more: Sequence[str]
) -> Table:
    """A table about files: whose bars they hold, or which other files of the store they are, and further columns."""
    from rich.markup import escape

    from openbell.cli.terminal.tables import make_table

    # Of a data file, the columns before say where it is.
    others = any(finding.partition is None for finding, _ in rows)
    names = ("symbol", "interval <", "month <", "bars >", *(("file",) if others else ()), *more)
    table = make_table(escape(title), *names)
    for finding, cells in rows:
        facts = finding_dict(store, finding)
        bars = f"{facts['rows']:,}" if facts["rows"] else ""
        columns = [*(facts[name] or "" for name in ("symbol", "interval", "month")), bars]
        if others:
            columns.append("" if finding.partition else facts["path"])
        table.add_row(*map(escape, [*columns, *cells]))
    return table

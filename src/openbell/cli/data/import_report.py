"""Download of the files of an import, and the report of the import."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from openbell.cli.terminal.console import print_json, say, show
from openbell.cli.terminal.file_progress import file_progress
from openbell.errors import command_on
from openbell.model.address import is_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openbell.importers import ImportReport
    from openbell.model.address import Place
    from openbell.store.write_report import WriteReport

__all__ = ["describe_actions", "files_at", "show_import"]


@contextmanager
def files_at(paths: Sequence[str]) -> Iterator[list[Path]]:
    """Yield the paths of files, downloaded if they lie in object storage.

    Downloads are kept for the length of a ``with`` block, and shown by a progress bar.
    """
    if not any(map(is_address, paths)):
        yield list(map(Path, paths))
        return
    from openbell.importers.files.download import downloaded

    with ExitStack() as stack:
        with file_progress("reading files") as progress:
            found = stack.enter_context(downloaded(paths, progress))
        yield found


def show_import(report: ImportReport, store: Place, *, as_json: bool) -> None:
    """Print the report of an import with its warnings, and exit with code 1 if a file failed."""
    if as_json:
        print_json(_summary(report, store))
    else:
        show(_report_table(report, store))
        if report.actions is not None and any(asdict(report.actions).values()):
            show(describe_actions(report.actions, store), markup=False)
        if _changed_nothing(report):
            show("Nothing changed: these bars were in the store already.")
    for path in report.quarantine:
        say(f"warning: rows were set aside in {path}; it has the reasons")
    if report.set_aside:
        why = f": {report.why}" if report.reasons else ""
        rows = (
            "1 row contradicts itself or cannot be read and was"
            if report.set_aside == 1
            else f"{report.set_aside:,} rows contradict themselves or cannot be read and were"
        )
        say(f"warning: {rows} not stored{why}")
    from openbell.importers.files.download import as_given

    for path, reason in report.failed:
        say(f"error: {as_given(path)} was not imported: {as_given(reason)}")
    if report.failed:
        raise typer.Exit(1)


def _changed_nothing(report: ImportReport) -> bool:
    parts = [report.written, *([report.actions] if report.actions else [])]
    return any(p.unchanged for p in parts) and not any(p.added or p.revised for p in parts)


def _summary(report: ImportReport, store: Place) -> dict[str, Any]:
    from openbell.importers.files.download import as_given

    written = report.written
    return {
        "store": str(store),
        "added": written.added,
        "revised": written.revised,
        "unchanged": written.unchanged,
        "set_aside": report.set_aside,
        "reasons": dict(report.reasons),
        "actions": asdict(report.actions) if report.actions else {},
        "series": [
            {
                "symbol": s.symbol,
                "interval": s.interval,
                "files": s.files,
                "added": s.written.added,
                "revised": s.written.revised,
                "unchanged": s.written.unchanged,
                "unsorted": s.unsorted,
                "duplicates": s.duplicates,
                "set_aside": s.set_aside,
            }
            for s in report.series.values()
        ],
        "failed": [{"path": as_given(path), "reason": as_given(reason)} for path, reason in report.failed],
        "quarantine": [str(path) for path in report.quarantine],
    }


def describe_actions(written: WriteReport, store: Place) -> str:
    """Return a line that counts the corporate actions that an import stored."""
    return (
        f"corporate actions: {written.added:,} added, {written.revised:,} revised, {written.unchanged:,} unchanged; "
        f"list them with: {command_on('data actions', store)}"
    )


_COUNTS = ("files", "added", "revised", "unchanged")
_BLEMISHES = ("unsorted", "duplicates", "set_aside")


def _report_table(report: ImportReport, store: Place) -> Any:
    from openbell.cli.terminal.printable import escape
    from openbell.cli.terminal.tables import make_table

    rows = _summary(report, store)["series"]
    shown = [*_COUNTS, *(name for name in _BLEMISHES if any(row[name] for row in rows))]
    counts = (f"{name.replace('_', ' ')} >" for name in shown)
    table = make_table(escape(f"Imported into {store}"), "symbol", "interval <", *counts)
    for row in rows:
        table.add_row(escape(row["symbol"]), row["interval"], *(f"{row[name]:,}" for name in shown))
    return table

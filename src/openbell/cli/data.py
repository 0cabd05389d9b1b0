"""`openbell data`: bars into a store, and what is in it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from openbell.cli.console import err, out, print_json, say
from openbell.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.data.importers import ImportReport
    from openbell.data.importers.report import Progress

__all__ = ["data"]

_DEFAULT_STORE = Path("store")

data = typer.Typer(no_args_is_help=True, help="Import bars into a store, and list what it holds.")
imports = typer.Typer(no_args_is_help=True, help="Import bars; what is there already is left alone or revised.")
data.add_typer(imports, name="import")

Store = Annotated[
    Path | None, typer.Option("--store", help="The store's folder; made if it is not there. Default: ./store if it is.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@imports.command("lean")
def import_lean(
    path: Annotated[Path, typer.Argument(help="LEAN's data folder: the one that holds equity/usa.")],
    *,
    store: Store = None,
    symbol: Annotated[list[str] | None, typer.Option("--symbol", help="Only this symbol; may be repeated.")] = None,
    interval: Annotated[
        list[str] | None, typer.Option("--interval", help="Only 1s, 1m, 60m or 1d; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import LEAN's trade bars of US equities: second, minute, hour, daily."""
    from openbell.data.importers.lean import import_lean as run
    from openbell.data.store import BarStore

    folder = _store(store, must_exist=False)
    with _progress() as progress:
        report = run(path, BarStore.open_or_create(folder), symbols=symbol, intervals=interval, progress=progress)
    _show(report, folder, as_json=as_json)


@imports.command("csv")
def import_csv(
    paths: Annotated[list[Path], typer.Argument(help="CSV files with a header line, or folders of them.")],
    *,
    interval: Annotated[str, typer.Option("--interval", help="1s, 1m or 1d.")],
    store: Store = None,
    symbol: Annotated[str | None, typer.Option("--symbol", help="The symbol; default: the name of each file.")] = None,
    file_name: Annotated[
        str, typer.Option("--file-name", help="How file names are made, without .csv, e.g. '{symbol}_1min'.")
    ] = "{symbol}",
    timezone: Annotated[
        str | None, typer.Option("--timezone", help="Where times without an offset are told, e.g. America/New_York.")
    ] = None,
    label: Annotated[
        Literal["start", "end"], typer.Option("--label", help="Whether times are the starts or the ends of bars.")
    ] = "start",
    time_format: Annotated[
        str | None,
        typer.Option("--time-format", help="E.g. '%d.%m.%Y %H:%M', or epoch_s, epoch_ms, epoch_us, epoch_ns."),
    ] = None,
    time_column: Annotated[str | None, typer.Option("--time-column", help="Default: timestamp, time or date.")] = None,
    open_column: Annotated[str | None, typer.Option("--open-column", help="Default: open.")] = None,
    high_column: Annotated[str | None, typer.Option("--high-column", help="Default: high.")] = None,
    low_column: Annotated[str | None, typer.Option("--low-column", help="Default: low.")] = None,
    close_column: Annotated[str | None, typer.Option("--close-column", help="Default: close.")] = None,
    volume_column: Annotated[
        str | None, typer.Option("--volume-column", help="Default: volume; 'none' when the file has none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import CSV files of 1s, 1m or 1d bars."""
    from openbell.data.importers.csv import CsvColumns
    from openbell.data.importers.csv import import_csv as run
    from openbell.data.store import BarStore

    columns = CsvColumns(time_column, open_column, high_column, low_column, close_column, volume_column)
    folder = _store(store, must_exist=False)
    with _progress() as progress:
        report = run(
            paths,
            BarStore.open_or_create(folder),
            interval=interval,
            symbol=symbol,
            file_name=file_name,
            columns=columns,
            time_format=time_format,
            timezone=timezone,
            label=label,
            progress=progress,
        )
    _show(report, folder, as_json=as_json)


@data.command("ls")
def list_store(*, store: Store = None, as_json: AsJson = False) -> None:
    """List what a store holds, per symbol and interval."""
    from openbell.data.label import read_label
    from openbell.data.store import BarStore

    folder = _store(store, must_exist=True)
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


def _store(given: Path | None, *, must_exist: bool) -> Path:
    """The store's folder: what is given, else ./store.

    Raises:
        ConfigError: None is given, and there is no ./store.
    """
    if given is not None:
        return given
    if _DEFAULT_STORE.is_dir():
        return _DEFAULT_STORE
    use = "list" if must_exist else "import into"
    raise ConfigError(
        f"which store to {use}? Say --store FOLDER (without it, ./{_DEFAULT_STORE} is used if it exists)."
    )


@contextmanager
def _progress() -> Iterator[Progress]:
    """A progress bar on stderr; nothing stays of it."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("importing files"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("import", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _show(report: ImportReport, store: Path, *, as_json: bool) -> None:
    """Print the report, warn of what was set aside or failed, and exit with 1 when a file failed."""
    if as_json:
        print_json(_summary(report, store))
    else:
        out.print(_report_table(report, store))
    for path in report.quarantine:
        say(f"warning: rows were set aside in {path}; it tells why")
    if report.set_aside:
        say(f"warning: {report.set_aside:,} rows contradict themselves or cannot be read and were not stored")
    for path, reason in report.failed:
        say(f"error: {path} was not imported: {reason}")
    if report.failed:
        raise typer.Exit(1)


def _summary(report: ImportReport, store: Path) -> dict[str, Any]:
    written = report.written
    return {
        "store": str(store),
        "added": written.added,
        "revised": written.revised,
        "unchanged": written.unchanged,
        "set_aside": report.set_aside,
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
        "failed": [{"path": str(path), "reason": reason} for path, reason in report.failed],
        "quarantine": [str(path) for path in report.quarantine],
    }


_COUNTS = ("files", "added", "revised", "unchanged")
_BLEMISHES = ("unsorted", "duplicates", "set_aside")


def _report_table(report: ImportReport, store: Path) -> Any:
    from rich.markup import escape
    from rich.table import Table

    rows = _summary(report, store)["series"]
    shown = [*_COUNTS, *(name for name in _BLEMISHES if any(row[name] for row in rows))]
    table = Table(
        title=escape(f"Imported into {store}"),
        title_justify="left",
        box=None,
        header_style="bold",
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("symbol")
    table.add_column("interval", no_wrap=True)
    for name in shown:
        table.add_column(name.replace("_", " "), justify="right", no_wrap=True)
    for row in rows:
        table.add_row(escape(row["symbol"]), row["interval"], *(f"{row[name]:,}" for name in shown))
    return table


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

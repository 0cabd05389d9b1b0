"""`openbell data import`: bars from files into a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from openbell.cli.data_import_report import import_progress, show_import
from openbell.cli.data_options import AsJson, Store, store_folder

__all__ = ["imports"]

imports = typer.Typer(no_args_is_help=True, help="Import bars; what is there already is left alone or revised.")


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

    folder = store_folder(store, must_exist=False)
    with import_progress() as progress:
        report = run(path, BarStore.open_or_create(folder), symbols=symbol, intervals=interval, progress=progress)
    show_import(report, folder, as_json=as_json)


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
    folder = store_folder(store, must_exist=False)
    with import_progress() as progress:
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
    show_import(report, folder, as_json=as_json)

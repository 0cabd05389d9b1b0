"""The command `openbell data import` for files of bars."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbell.cli.data.confirm_guess import confirm
from openbell.cli.data.import_report import files_at, show_import
from openbell.cli.data.options import AsJson, Store, store_folder
from openbell.cli.data.table_options import TableOptions, taking_table_options
from openbell.cli.terminal.file_progress import file_progress
from openbell.errors import ConfigError
from openbell.model.address import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.importers.import_report import ImportReport, Progress
    from openbell.importers.parquet_and_json import FileKind
    from openbell.store.store import BarStore

__all__ = ["imports"]

imports = typer.Typer(no_args_is_help=True, help="Import bars; bars already stored are kept or revised.")


@imports.command("lean")
def import_lean(
    path: Annotated[Path, typer.Argument(help="LEAN's data folder: the one that holds equity, crypto, ...")],
    *,
    store: Store = None,
    symbol: Annotated[list[str] | None, typer.Option("--symbol", help="Only this symbol; may be repeated.")] = None,
    interval: Annotated[
        list[str] | None, typer.Option("--interval", help="Only 1s, 1m, 60m or 1d; may be repeated.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", help="Of times whose time zone LEAN's market hours do not have.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import LEAN's bars of equities, crypto, forex (mid prices), indexes and futures."""
    from openbell.importers.lean.lean import import_lean as run

    folder = store_folder(store)
    _import_into(
        folder,
        lambda bars, progress: run(
            path, bars, symbols=symbol, intervals=interval, timezone=timezone, progress=progress
        ),
        as_json=as_json,
    )


@imports.command("csv")
@taking_table_options
def import_csv(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="CSV files, folders or zips of them, globs, or patterns like 'data/{symbol}_{date}.csv.gz'; also at "
            "addresses, such as 's3://bucket/*.csv.gz'.",
        ),
    ],
    *,
    options: TableOptions,
    store: Store = None,
    separator: Annotated[
        str | None, typer.Option("--separator", help="Between columns: one character, or 'tab'; else guessed.")
    ] = None,
    header: Annotated[
        bool | None,
        typer.Option("--header/--no-header", help="Whether the first line names the columns; else guessed."),
    ] = None,
    decimal: Annotated[
        str | None, typer.Option("--decimal", help="The decimal sign: '.' or 'point', ',' or 'comma'; else guessed.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="E.g. utf-8, gbk, shift_jis, cp1252; else guessed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import CSV files of intraday or daily bars, after a look at what was guessed."""
    from openbell.importers.csv import CSV_ENDINGS, import_csv_as
    from openbell.importers.files.import_files import find_sources
    from openbell.importers.sniffing.guess import Given
    from openbell.importers.sniffing.sniff import sniff_csv

    between = "\t" if separator in ("tab", "\\t") else separator
    given = Given(
        **options.given(
            separator=between, has_header=header, decimal_comma=_is_decimal_comma(decimal), encoding=encoding
        )
    )
    folder = store_folder(store)
    symbol, file_name = options.symbol, options.file_name
    with files_at(paths) as files:
        first = find_sources(files, CSV_ENDINGS, symbol=symbol, file_name=file_name, symbol_column=True)
        guess = confirm(lambda source: sniff_csv(source, given), first, yes=options.yes, as_json=as_json)
        reading = replace(guess.reading, allow_negative=options.allow_negative)
        _import_into(
            folder,
            lambda bars, progress: import_csv_as(
                files, bars, reading, symbol=symbol, file_name=file_name, progress=progress
            ),
            as_json=as_json,
        )


def _is_decimal_comma(decimal: str | None) -> bool | None:
    signs = {None: None, ",": True, "comma": True, ".": False, "point": False}
    if decimal not in signs:
        raise ConfigError(f"--decimal {decimal!r} is not valid. Use '.' or ','.")
    return signs[decimal]


@imports.command("parquet")
@taking_table_options
def import_parquet(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Parquet files, folders of them, globs, or patterns like 'data/{symbol}_{date}.parquet'.",
        ),
    ],
    *,
    options: TableOptions,
    store: Store = None,
    as_json: AsJson = False,
) -> None:
    """Import Parquet files of intraday or daily bars, after a look at what was guessed."""
    from openbell.importers.parquet_and_json import PARQUET

    _import_frames(PARQUET, paths, options, store, as_json=as_json)


@imports.command("feather")
@taking_table_options
def import_feather(
    paths: Annotated[
        list[str],
        typer.Argument(help="Feather (Arrow) files, folders of them, globs, or patterns."),
    ],
    *,
    options: TableOptions,
    store: Store = None,
    as_json: AsJson = False,
) -> None:
    """Import Feather files, as Parquet files are."""
    from openbell.importers.parquet_and_json import FEATHER

    _import_frames(FEATHER, paths, options, store, as_json=as_json)


@imports.command("json")
@taking_table_options
def import_json(
    paths: Annotated[
        list[str],
        typer.Argument(help="JSON files or JSON lines, folders or zips of them, globs, or patterns."),
    ],
    *,
    options: TableOptions,
    store: Store = None,
    as_json: AsJson = False,
) -> None:
    """Import JSON of records, columns or arrays, after a look at what was guessed."""
    from openbell.importers.parquet_and_json import JSON

    _import_frames(JSON, paths, options, store, as_json=as_json)


def _import_frames(
    kind: FileKind, paths: list[str], options: TableOptions, store: str | None, *, as_json: bool
) -> None:
    from openbell.importers.files.import_files import find_sources
    from openbell.importers.parquet_and_json import import_frames
    from openbell.importers.sniffing.guess import Given
    from openbell.importers.sniffing.sniff import sniff_frame

    given = Given(**options.given())
    folder = store_folder(store)
    symbol, file_name = options.symbol, options.file_name
    with files_at(paths) as files:
        first = find_sources(files, kind.endings, symbol=symbol, file_name=file_name, symbol_column=True)
        guess = confirm(lambda source: sniff_frame(kind.open(source), given), first, yes=options.yes, as_json=as_json)
        reading = replace(guess.reading, allow_negative=options.allow_negative)
        _import_into(
            folder,
            lambda bars, progress: import_frames(
                kind, files, bars, reading, symbol=symbol, file_name=file_name, progress=progress
            ),
            as_json=as_json,
        )


@imports.command("databento")
def import_databento(
    paths: Annotated[list[str], typer.Argument(help="OHLCV files (.dbn, .dbn.zst), folders of them, or globs.")],
    *,
    store: Store = None,
    symbol: Annotated[str | None, typer.Option("--symbol", help="The symbol; default: those of the files.")] = None,
    as_json: AsJson = False,
) -> None:
    """Import Databento's OHLCV files, through Databento's own package (openbell's extra "databento")."""
    from openbell.importers.databento import import_databento as run

    folder = store_folder(store)
    with files_at(paths) as files:
        _import_into(folder, lambda bars, progress: run(files, bars, symbol=symbol, progress=progress), as_json=as_json)


def _import_into(folder: Place, run: Callable[[BarStore, Progress], ImportReport], *, as_json: bool) -> None:
    """Run an import with a progress bar, and print its report."""
    from openbell.store.store import BarStore

    store = BarStore.open_or_create(folder)
    with file_progress("importing files") as progress:
        report = run(store, progress)
    show_import(report, folder, as_json=as_json)

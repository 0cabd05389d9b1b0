"""`openbell data import`: bars from files into a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from openbell.cli.data_guess import confirm
from openbell.cli.data_import_report import import_progress, show_import
from openbell.cli.data_options import AsJson, Store, store_folder
from openbell.errors import ConfigError

__all__ = ["import_csv", "import_databento", "import_lean", "import_parquet"]

Interval = Annotated[str | None, typer.Option("--interval", help="1s, 1m, 60m or 1d; else guessed.")]
Symbol = Annotated[
    str | None, typer.Option("--symbol", help="The symbol; default: a column, or the name of each file.")
]
FileName = Annotated[
    str,
    typer.Option(
        "--file-name", help="How file names are made, without .csv, e.g. '{symbol}_1min' or '{symbol}_{date}'."
    ),
]
TimeZone = Annotated[
    str | None,
    typer.Option("--timezone", help="Where times without an offset are told, e.g. America/New_York. Never guessed."),
]
Label = Annotated[
    Literal["start", "end"] | None,
    typer.Option(
        "--label", help="Whether times are the starts or the ends of bars; else guessed by the exchange's opens."
    ),
]
Exchange = Annotated[str, typer.Option("--exchange", help="The calendar whose opens tell the label.")]
TimeFormat = Annotated[
    str | None, typer.Option("--time-format", help="E.g. '%d.%m.%Y %H:%M', or epoch_s, epoch_ms, epoch_us, epoch_ns.")
]
PriceScale = Annotated[float | None, typer.Option("--price-scale", help="Divides prices, e.g. 10000; else guessed.")]
HasHeader = Annotated[
    bool | None, typer.Option("--header/--no-header", help="Whether the first line names the columns; else guessed.")
]
Decimal = Annotated[
    str | None, typer.Option("--decimal", help="The decimal sign: '.' or 'point', ',' or 'comma'; else guessed.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Import as guessed, without asking.")]


def _column(name: str, what: str) -> Any:
    return typer.Option(f"--{name}-column", help=what, rich_help_panel="Columns")


TimeColumn = Annotated[str | None, _column("time", "When a bar was: date and time, or the date.")]
ClockColumn = Annotated[str | None, _column("clock", "The time of day, when the time column has the date only.")]
OpenColumn = Annotated[str | None, _column("open", "Open.")]
HighColumn = Annotated[str | None, _column("high", "High.")]
LowColumn = Annotated[str | None, _column("low", "Low.")]
CloseColumn = Annotated[str | None, _column("close", "Close.")]
VolumeColumn = Annotated[str | None, _column("volume", "Volume; 'none' when the file has none.")]
SymbolColumn = Annotated[str | None, _column("symbol", "The symbol, when a file has several.")]


def import_lean(
    path: Annotated[Path, typer.Argument(help="LEAN's data folder: the one that holds equity, crypto, ...")],
    *,
    store: Store = None,
    symbol: Annotated[list[str] | None, typer.Option("--symbol", help="Only this symbol; may be repeated.")] = None,
    interval: Annotated[
        list[str] | None, typer.Option("--interval", help="Only 1s, 1m, 60m or 1d; may be repeated.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", help="Of times whose time zone LEAN's market hours do not tell.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import LEAN's bars of equities, crypto, forex (mid prices), indexes and futures; second, minute, hour, daily."""
    from openbell.data.importers.lean import import_lean as run
    from openbell.data.store import BarStore

    folder = store_folder(store, must_exist=False)
    with import_progress() as progress:
        report = run(
            path,
            BarStore.open_or_create(folder),
            symbols=symbol,
            intervals=interval,
            timezone=timezone,
            progress=progress,
        )
    show_import(report, folder, as_json=as_json)


def import_csv(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="CSV files, folders or zips of them, globs, or patterns like 'data/{symbol}_{date}.csv.gz'."
        ),
    ],
    *,
    interval: Interval = None,
    store: Store = None,
    symbol: Symbol = None,
    file_name: FileName = "{symbol}",
    timezone: TimeZone = None,
    label: Label = None,
    exchange: Exchange = "XNYS",
    time_format: TimeFormat = None,
    price_scale: PriceScale = None,
    separator: Annotated[
        str | None, typer.Option("--separator", help="Between columns: one character, or 'tab'; else guessed.")
    ] = None,
    header: HasHeader = None,
    decimal: Decimal = None,
    time_column: TimeColumn = None,
    clock_column: ClockColumn = None,
    open_column: OpenColumn = None,
    high_column: HighColumn = None,
    low_column: LowColumn = None,
    close_column: CloseColumn = None,
    volume_column: VolumeColumn = None,
    symbol_column: SymbolColumn = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Import CSV files of 1s, 1m, 60m or 1d bars; what is not said is guessed, shown, and to be confirmed."""
    from openbell.data.importers.csv import CSV_ENDINGS, CsvColumns, import_csv_as
    from openbell.data.importers.guess import Given, guess_csv
    from openbell.data.importers.sources import find_sources
    from openbell.data.store import BarStore

    columns = CsvColumns(
        time_column, open_column, high_column, low_column, close_column, volume_column, clock_column, symbol_column
    )
    between = "\t" if separator in ("tab", "\\t") else separator
    given = Given(
        columns, interval, time_format, timezone, label, price_scale, between, symbol, exchange, header,
        _is_decimal_comma(decimal),
    )  # fmt: skip
    folder = store_folder(store, must_exist=False)
    first = find_sources(paths, CSV_ENDINGS, symbol=symbol, file_name=file_name, symbol_column=True)
    guess = confirm(lambda source: guess_csv(source, given), first, yes=yes, as_json=as_json)
    with import_progress() as progress:
        report = import_csv_as(
            paths, BarStore.open_or_create(folder), guess.reading, symbol=symbol, file_name=file_name, progress=progress
        )
    show_import(report, folder, as_json=as_json)


def _is_decimal_comma(decimal: str | None) -> bool | None:
    signs = {None: None, ",": True, "comma": True, ".": False, "point": False}
    if decimal not in signs:
        raise ConfigError(f"--decimal {decimal!r} is none: say '.' or ','.")
    return signs[decimal]


def import_parquet(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Parquet files, folders of them, globs, or patterns like 'data/{symbol}_{date}.parquet'."),
    ],
    *,
    interval: Interval = None,
    store: Store = None,
    symbol: Symbol = None,
    file_name: FileName = "{symbol}",
    timezone: TimeZone = None,
    label: Label = None,
    exchange: Exchange = "XNYS",
    time_format: TimeFormat = None,
    price_scale: PriceScale = None,
    time_column: TimeColumn = None,
    clock_column: ClockColumn = None,
    open_column: OpenColumn = None,
    high_column: HighColumn = None,
    low_column: LowColumn = None,
    close_column: CloseColumn = None,
    volume_column: VolumeColumn = None,
    symbol_column: SymbolColumn = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Import Parquet files of 1s, 1m, 60m or 1d bars; what is not said is guessed, shown, and to be confirmed."""
    from openbell.data.importers.csv import CsvColumns
    from openbell.data.importers.guess import Given, guess_parquet
    from openbell.data.importers.parquet import PARQUET_ENDINGS
    from openbell.data.importers.parquet import import_parquet as run
    from openbell.data.importers.sources import find_sources
    from openbell.data.store import BarStore

    columns = CsvColumns(
        time_column, open_column, high_column, low_column, close_column, volume_column, clock_column, symbol_column
    )
    given = Given(columns, interval, time_format, timezone, label, price_scale, None, symbol, exchange)
    folder = store_folder(store, must_exist=False)
    first = find_sources(paths, PARQUET_ENDINGS, symbol=symbol, file_name=file_name, symbol_column=True)
    guess = confirm(lambda source: guess_parquet(source, given), first, yes=yes, as_json=as_json)
    with import_progress() as progress:
        report = run(
            paths, BarStore.open_or_create(folder), guess.reading, symbol=symbol, file_name=file_name, progress=progress
        )
    show_import(report, folder, as_json=as_json)


def import_databento(
    paths: Annotated[list[Path], typer.Argument(help="OHLCV files (.dbn, .dbn.zst), folders of them, or globs.")],
    *,
    store: Store = None,
    symbol: Annotated[
        str | None, typer.Option("--symbol", help="The symbol; default: those that the files tell.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import Databento's OHLCV files, through Databento's own package (openbell's extra "databento")."""
    from openbell.data.importers.databento import import_databento as run
    from openbell.data.store import BarStore

    folder = store_folder(store, must_exist=False)
    with import_progress() as progress:
        report = run(paths, BarStore.open_or_create(folder), symbol=symbol, progress=progress)
    show_import(report, folder, as_json=as_json)

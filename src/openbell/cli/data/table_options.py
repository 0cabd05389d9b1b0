"""Options that the imports of CSV, Parquet, Feather and JSON files share."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from openbell.cli.exchange import exchange_named

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.importers.csv import CsvColumns

__all__ = ["TableOptions", "taking_table_options"]

Interval = Annotated[str | None, typer.Option("--interval", help="E.g. 1m, 5m, 60m or 1d; else guessed.")]
Symbol = Annotated[
    str | None, typer.Option("--symbol", help="The symbol; default: a column, or the name of each file.")
]
FileName = Annotated[
    str,
    typer.Option("--file-name", help="How file names are made, without the ending, e.g. '{symbol}_{date}'."),
]
TimeZone = Annotated[
    str | None,
    typer.Option("--timezone", help="The time zone of times without an offset, e.g. America/New_York. Never guessed."),
]
Label = Annotated[
    Literal["start", "end"] | None,
    typer.Option(
        "--label", help="Whether times are the starts or the ends of bars; else guessed by the exchange's opens."
    ),
]
Exchange = Annotated[
    str,
    typer.Option(
        "--exchange",
        help="The calendar by whose opens the label is found: a name, or a config with own sessions.",
    ),
]
TimeFormat = Annotated[
    str | None, typer.Option("--time-format", help="E.g. '%d.%m.%Y %H:%M', or epoch_s, epoch_ms, epoch_us, epoch_ns.")
]
PriceScale = Annotated[float | None, typer.Option("--price-scale", help="Divides prices, e.g. 10000; else guessed.")]
Days = Annotated[
    str | None,
    typer.Option(
        "--days", help="Which days daily bars are of: 'session' (trade dates), or the time zone of the days, e.g. UTC."
    ),
]
AllowNegative = Annotated[
    bool,
    typer.Option("--allow-negative", help="Store prices of 0 and below, too, as oil, power and spreads have them."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Import as guessed, without asking.")]


def _column(name: str, what: str) -> Any:
    return typer.Option(f"--{name}-column", help=what, rich_help_panel="Columns")


@dataclass(frozen=True)
class TableOptions:
    """Options for reading tables, None where the value is to be guessed."""

    interval: Interval = None
    symbol: Symbol = None
    file_name: FileName = "{symbol}"
    timezone: TimeZone = None
    label: Label = None
    exchange: Exchange = "XNYS"
    time_format: TimeFormat = None
    price_scale: PriceScale = None
    days: Days = None
    allow_negative: AllowNegative = False
    time_column: Annotated[str | None, _column("time", "When a bar was: date and time, or the date.")] = None
    clock_column: Annotated[
        str | None, _column("clock", "The time of day, when the time column has the date only.")
    ] = None
    open_column: Annotated[str | None, _column("open", "Open.")] = None
    high_column: Annotated[str | None, _column("high", "High.")] = None
    low_column: Annotated[str | None, _column("low", "Low.")] = None
    close_column: Annotated[str | None, _column("close", "Close.")] = None
    volume_column: Annotated[str | None, _column("volume", "Volume; 'none' when the file has none.")] = None
    symbol_column: Annotated[str | None, _column("symbol", "The symbol, when a file has several.")] = None
    yes: Yes = False

    @property
    def columns(self) -> CsvColumns:
        """Names of the columns, None where they are to be guessed."""
        from openbell.importers.csv import CsvColumns

        return CsvColumns(**{f.name: getattr(self, f"{f.name}_column") for f in fields(CsvColumns)})

    def given(self, **more: Any) -> dict[str, Any]:
        """Return the arguments for `Given`, with further ones that are passed on."""
        names = ("interval", "time_format", "timezone", "label", "price_scale", "symbol", "days")
        given = {name: getattr(self, name) for name in names}
        return {"columns": self.columns, **given, "exchange": exchange_named(self.exchange), **more}


def taking_table_options(command: Callable[..., None]) -> Callable[..., None]:
    """Replace a command's parameter ``options`` by one option for each field of `TableOptions`."""
    options = {field.name for field in fields(TableOptions)}

    def expanded(**given: Any) -> None:
        table_options = {name: given.pop(name) for name in options}
        command(**given, options=TableOptions(**table_options))

    types = {**get_type_hints(command, include_extras=True), **get_type_hints(TableOptions, include_extras=True)}
    own = [p for p in inspect.signature(command).parameters.values() if p.name != "options"]
    shared = [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default)
        for field in fields(TableOptions)
    ]
    parameters = [p.replace(annotation=types[p.name]) for p in (*own, *shared)]
    expanded.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    expanded.__annotations__ = {p.name: p.annotation for p in parameters}
    expanded.__doc__ = command.__doc__
    return expanded

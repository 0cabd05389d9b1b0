"""Tables, and texts for their cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.measure import Measurement
from rich.table import Table

from openbell.cli.terminal.printable import escape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.console import Console

__all__ = ["clock", "counted", "fits", "label_of", "make_table", "percent", "some"]

_MOST_SYMBOLS_OF_A_ROW = 4
_FIRST_SYMBOLS_OF_MANY = 2


def make_table(title: str, *columns: str) -> Table:
    """Return a table without rows.

    A column whose name ends in " >" is right-aligned and never wrapped. One whose name ends in " <" is left-aligned and
    never wrapped.
    """
    table = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    table.pad_edge = table.show_edge = False
    table.collapse_padding = True
    for column in columns:
        right, whole = column.endswith(" >"), column.endswith((" >", " <"))
        name = column[:-2] if whole else column
        table.add_column(name, justify="right" if right else "left", overflow="fold", no_wrap=whole)
    return table


def fits(table: Table, console: Console) -> bool:
    """Return whether a table fits the terminal with every cell on one line."""
    return Measurement.get(console, console.options.update(width=10_000), table).maximum <= console.width


def label_of(store_label: str | None) -> str:
    """Return the end of a title with the store's label, empty without one."""
    return f" [bold magenta]({escape(store_label)})[/]" if store_label else ""


def clock(time: datetime, *, seconds: bool | None = None) -> str:
    """Return a time of day as text, with seconds if it has any or ``seconds`` is true."""
    return f"{time:%H:%M:%S}" if (time.second if seconds is None else seconds) else f"{time:%H:%M}"


def percent(quality: float | None) -> str:
    """Return a quality as text in percent, a dash if it was not scored."""
    return "-" if quality is None else f"{quality:.2f}%"


def counted(number: int, what: str) -> str:
    """Return a number with its noun, such as "1 bar" and "2 bars"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def some(symbols: Sequence[str]) -> str:
    """Return symbols as text, the first of many with the number of the others."""
    if len(symbols) <= _MOST_SYMBOLS_OF_A_ROW:
        return escape(" ".join(symbols))
    first = escape(" ".join(symbols[:_FIRST_SYMBOLS_OF_MANY]))
    return f"{first} and {len(symbols) - _FIRST_SYMBOLS_OF_MANY} more"

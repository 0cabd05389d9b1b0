"""What all tables for people share: one look, columns that give way when the terminal is narrow, and short lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.console import Console

__all__ = ["clock", "counted", "fits", "label_of", "make_table", "percent", "some"]

_MOST_SYMBOLS_OF_A_ROW = 4
_FIRST_SYMBOLS_OF_MANY = 2


def make_table(title: str, *columns: str) -> Table:
    """A table; a column whose name ends in " >" is flushed right and never cut, one in " <" is never cut."""
    table = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    table.pad_edge = table.show_edge = False
    table.collapse_padding = True
    for column in columns:
        right, whole = column.endswith(" >"), column.endswith((" >", " <"))
        name = column[:-2] if whole else column
        table.add_column(name, justify="right" if right else "left", overflow="fold", no_wrap=whole)
    return table


def fits(table: Table, console: Console) -> bool:
    """Whether a table needs no more columns than the terminal has to show every cell in one line."""
    return Measurement.get(console, console.options.update(width=10_000), table).maximum <= console.width


def label_of(store_label: str | None) -> str:
    """Return the label of a store as the end of a title; empty when it has none."""
    return f" [bold magenta]({escape(store_label)})[/]" if store_label else ""


def clock(moment: datetime, *, seconds: bool | None = None) -> str:
    """Return a time of day; with seconds if it has some, or as asked for."""
    return f"{moment:%H:%M:%S}" if (moment.second if seconds is None else seconds) else f"{moment:%H:%M}"


def percent(quality: float | None) -> str:
    """A quality in percent; a dash when nothing was scored."""
    return "-" if quality is None else f"{quality:.2f}%"


def counted(number: int, what: str) -> str:
    """The number with its noun: "1 bar", "2 bars"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def some(symbols: Sequence[str]) -> str:
    """The symbols, or the first of many and their number."""
    if len(symbols) <= _MOST_SYMBOLS_OF_A_ROW:
        return escape(" ".join(symbols))
    first = escape(" ".join(symbols[:_FIRST_SYMBOLS_OF_MANY]))
    return f"{first} and {len(symbols) - _FIRST_SYMBOLS_OF_MANY} more"

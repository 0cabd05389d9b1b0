"""Tables with columns for each symbol, as yfinance and pandas write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from openbell.importers.tables.table import Chunk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from openbell.importers.files.import_files import ImportSource
    from openbell.importers.tables.table import Table

__all__ = ["SYMBOL", "WideColumns", "WideTable", "unpivoted"]

SYMBOL = "Ticker"
"""The name of the column of symbols that a `WideTable` adds."""


@dataclass(frozen=True, slots=True)
class WideColumns:
    """The columns of each symbol of a wide table.

    Attributes:
        common: The columns that all symbols share, such as the date.
        symbols: By symbol, the file's columns by their names without the symbol, such as ``Close``.
    """

    common: tuple[str, ...]
    symbols: Mapping[str, Mapping[str, str]]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the table with a row for each row and symbol."""
        own = dict.fromkeys(name for columns in self.symbols.values() for name in columns)
        return (*self.common, *own, SYMBOL)

    def in_file(self, name: str) -> tuple[str, ...]:
        """Return the file's columns behind one of `names`."""
        if name in self.common:
            return (name,)
        return tuple(columns[name] for columns in self.symbols.values() if name in columns)


class WideTable:
    """A wide table as a `Table` with a row for each row and symbol."""

    def __init__(self, inner: Table, wide: WideColumns) -> None:
        self._inner = inner
        self._wide = wide

    @property
    def source(self) -> ImportSource:
        """The file."""
        return self._inner.source

    @property
    def columns(self) -> Sequence[str]:
        """The names of the columns, in order."""
        return self._wide.names

    @property
    def separator(self) -> str:
        """The character between columns in the texts of `as_written`."""
        return self._inner.separator

    def chunks(self, wanted: Sequence[str], numbers: Sequence[str]) -> Iterator[Chunk]:
        """See `Table.chunks`."""
        in_file = [[column for name in names for column in self._wide.in_file(name)] for names in (wanted, numbers)]
        for rows, bad in self._inner.chunks(*in_file):
            yield Chunk(unpivoted(rows, self._wide, wanted), bad)

    def as_written(self, lines: pl.Series) -> Iterator[tuple[int, str]]:
        """See `Table.as_written`."""
        return self._inner.as_written(lines)

    def quarantine_header(self) -> str:
        """See `Table.quarantine_header`."""
        return self._inner.quarantine_header()


def unpivoted(rows: pl.DataFrame, wide: WideColumns, wanted: Sequence[str] | None = None) -> pl.DataFrame:
    """Return a row for each row and symbol, symbol by symbol.

    Rows that are empty for the symbol are left out.
    """
    names = [name for name in wide.names if wanted is None or name in wanted]
    common = [name for name in ("line", *names) if name in rows.columns and (name == "line" or name in wide.common)]
    parts = []
    for symbol, columns in wide.symbols.items():
        own = [name for name in names if name in columns]
        part = rows.select(
            *common, *(pl.col(columns[name]).alias(name) for name in own), pl.lit(symbol, pl.String).alias(SYMBOL)
        )
        there = [pl.col(name).is_not_null() & (pl.col(name).cast(pl.String).str.strip_chars() != "") for name in own]
        parts.append(part.filter(pl.any_horizontal(there)) if own else part)
    return pl.concat(parts, how="diagonal_relaxed")

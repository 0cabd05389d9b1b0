"""The protocol of tables that importers read rows from.

Rows are read in chunks, so that files may exceed the memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openbell.importers.files.import_files import ImportSource

__all__ = ["CHUNK_ROWS", "MOST_COLUMNS", "NO_BAD_ROWS", "Chunk", "Table", "require_columns"]

CHUNK_ROWS = 500_000
"""The approximate number of rows of a chunk."""

MOST_COLUMNS = 5_000
"""The most columns of a table; a file with more is refused."""

NO_BAD_ROWS = pl.DataFrame(schema={"line": pl.get_index_type(), "reason": pl.String})


def require_columns(count: int) -> None:
    """Refuse a table with more than `MOST_COLUMNS` columns.

    Raises:
        OSError: It has more.
    """
    if count > MOST_COLUMNS:
        raise OSError(f"it has {count:,} columns; no table of bars has more than {MOST_COLUMNS:,}")


class Chunk(NamedTuple):
    """Some consecutive rows of a table.

    Attributes:
        rows: ``line`` (in a text the line, in a Parquet file the number of the row, from 1) and the wanted columns, as
            numbers where the file has numbers, else as text.
        bad: ``line`` and ``reason`` of rows that do not have the table's columns.
    """

    rows: pl.DataFrame
    bad: pl.DataFrame


class Table(Protocol):
    """A file of rows with named columns, which may be read several times."""

    @property
    def source(self) -> ImportSource:
        """The file."""

    @property
    def columns(self) -> Sequence[str]:
        """The names of the columns, in order."""

    def chunks(self, wanted: Sequence[str], numbers: Sequence[str]) -> Iterator[Chunk]:
        """Yield all rows with the columns ``wanted``.

        Columns in ``numbers`` are read as numbers where possible.
        """

    def as_written(self, lines: pl.Series) -> Iterator[tuple[int, str]]:
        """Yield (line, text) of the rows at ``lines`` (ascending) for the quarantine."""

    def quarantine_header(self) -> str:
        """Return the header of the quarantine file, ``line``, ``reason`` and the columns."""

    @property
    def separator(self) -> str:
        """The character between columns in the texts of `as_written`."""

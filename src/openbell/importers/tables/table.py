"""Tables that importers read rows from.

They come in chunks, so that files may be larger than the memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openbell.importers.files.import_files import ImportSource

__all__ = ["CHUNK_ROWS", "MOST_COLUMNS", "NO_BAD_ROWS", "Chunk", "Table", "require_columns"]

CHUNK_ROWS = 500_000
"""About as many rows as a chunk holds."""

MOST_COLUMNS = 5_000
"""No table of bars has more columns."""

NO_BAD_ROWS = pl.DataFrame(schema={"line": pl.get_index_type(), "reason": pl.String})


def require_columns(count: int) -> None:
    """Refuse a table with more columns than any of bars has.

    Raises:
        OSError: It has.
    """
    if count > MOST_COLUMNS:
        raise OSError(f"it has {count:,} columns; no table of bars has more than {MOST_COLUMNS:,}")


class Chunk(NamedTuple):
    """Some consecutive rows of a table.

    Attributes:
        rows: ``line`` (the row's place in its file: of a text the line, of a Parquet file the row, from 1) and the
            columns asked for; as numbers where the file has numbers, else as text.
        bad: ``line`` and ``reason`` of rows that do not have the table's columns.
    """

    rows: pl.DataFrame
    bad: pl.DataFrame


class Table(Protocol):
    """A file of rows under named columns that can be read again and again."""

    @property
    def source(self) -> ImportSource:
        """The file."""

    @property
    def columns(self) -> Sequence[str]:
        """The names of its columns, in their order."""

    def chunks(self, wanted: Sequence[str], numbers: Sequence[str]) -> Iterator[Chunk]:
        """Yield all rows with the columns ``wanted``.

        Those of ``numbers`` are read as numbers where they can be.
        """

    def as_written(self, lines: pl.Series) -> Iterator[tuple[int, str]]:
        """Yield (line, text) of the rows at ``lines`` (ascending) for the quarantine."""

    def quarantine_header(self) -> str:
        """Return the line above them with ``line``, ``reason`` and the columns."""

    @property
    def separator(self) -> str:
        """The character between the columns of that text."""

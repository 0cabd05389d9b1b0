"""What importers read rows from: a table that comes in chunks, so that files may be larger than the memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openbell.importers.sources import Source

__all__ = ["CHUNK_ROWS", "NO_BAD_ROWS", "Chunk", "Table"]

CHUNK_ROWS = 500_000
"""About as many rows as a chunk holds."""

NO_BAD_ROWS = pl.DataFrame(schema={"line": pl.get_index_type(), "reason": pl.String})


class Chunk(NamedTuple):
    """Some rows of a table, one after the other.

    Attributes:
        rows: ``line`` (the row's place in its file: of a text the line, of a Parquet file the row, from 1) and the
            columns asked for; as numbers where the file has numbers, else as text.
        bad: ``line`` and ``reason`` of rows that do not have the table's columns.
    """

    rows: pl.DataFrame
    bad: pl.DataFrame


class Table(Protocol):
    """A file of rows under named columns, that can be read again and again."""

    @property
    def source(self) -> Source:
        """Where it is."""

    @property
    def columns(self) -> Sequence[str]:
        """The names of its columns, in their order."""

    def chunks(self, wanted: Sequence[str], numbers: Sequence[str]) -> Iterator[Chunk]:
        """All rows, with the columns ``wanted``; those of ``numbers`` are read as numbers where they can be."""

    def as_written(self, lines: pl.Series) -> Iterator[tuple[int, str]]:
        """The rows at ``lines`` (ascending) as text, for the quarantine; (line, text)."""

    def quarantine_header(self) -> str:
        """The line above them: ``line``, ``reason`` and the columns."""

    @property
    def separator(self) -> str:
        """What stands between the columns of that text."""

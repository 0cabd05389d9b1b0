"""Parquet files as tables, read in slices of rows.

Each row is known by its number.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import polars as pl

from openbell.importers.table import CHUNK_ROWS, NO_BAD_ROWS, Chunk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openbell.importers.sources import Source

__all__ = ["ParquetTable"]


class ParquetTable:
    """A Parquet file as a `Table`.

    Raises:
        PolarsError: It is not one, or it is damaged.
    """

    separator = ","

    def __init__(self, source: Source) -> None:
        self.source = source
        self._scan = pl.scan_parquet(source.path, glob=False)
        self.schema = self._scan.collect_schema()

    @property
    def columns(self) -> Sequence[str]:
        """The names of its columns."""
        return list(self.schema)

    def chunks(self, wanted: Sequence[str], numbers: Sequence[str]) -> Iterator[Chunk]:
        """See `Table.chunks`."""
        decimals = [n for n in numbers if self.schema[n].is_numeric()]
        columns = [pl.col(n).cast(pl.Float64) if n in decimals else pl.col(n) for n in wanted]
        rows = self._scan.select(pl.len()).collect().item()
        for start in range(0, rows, CHUNK_ROWS):
            frame = self._scan.slice(start, CHUNK_ROWS).select(columns).collect()
            yield Chunk(frame.with_row_index("line", offset=start + 1), NO_BAD_ROWS)

    def sample(self, count: int) -> pl.DataFrame:
        """Return the first rows, without nested columns."""
        flat = [name for name, dtype in self.schema.items() if not dtype.is_nested()]
        return self._scan.head(count).select(flat).collect()

    def as_written(self, lines: pl.Series) -> Iterator[tuple[int, str]]:
        """See `Table.as_written`."""
        plain = [c for c, dtype in self.schema.items() if not dtype.is_nested()]
        at = 0
        while at < len(lines):
            start = (lines[at] - 1) // CHUNK_ROWS * CHUNK_ROWS
            until = int(lines.search_sorted(start + CHUNK_ROWS + 1))
            numbers = lines[at:until]
            frame = self._scan.slice(start, CHUNK_ROWS).select(plain).collect()[(numbers - 1 - start).to_list()]
            buffer = io.StringIO()
            frame.write_csv(buffer, include_header=False)
            yield from zip(numbers, buffer.getvalue().splitlines(), strict=True)
            at = until

    def quarantine_header(self) -> str:
        """See `Table.quarantine_header`."""
        return ",".join(["line", "reason", *(c for c, dtype in self.schema.items() if not dtype.is_nested())])

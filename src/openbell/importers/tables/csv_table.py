"""CSV files as tables, read in blocks of whole lines.

The line of a row is its line in the file, from 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import polars as pl

from openbell.importers.files.text_blocks import BLOCK_BYTES, text_blocks
from openbell.importers.tables.table import NO_BAD_ROWS, Chunk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openbell.importers.files.import_files import ImportSource
    from openbell.importers.tables.wide_table import WideColumns

__all__ = ["CsvLayout", "CsvTable", "read_beginning"]

_QUOTED = r'"[^"]*"'
_GROUPED = re.compile(rb"(?<!\d)\d{1,3}(\.\d{3})+(?!\d)")


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """The layout of a CSV.

    Attributes:
        columns: The names of the columns; in a file without a header ``column_1`` and so on.
        separator: The character between columns.
        header_lines: The number of lines before the first row, with the header.
        has_header: Whether the last of these lines is the header.
        decimal_comma: Whether ``10,5`` is ten and a half.
        encoding: The encoding of the text; None: UTF-8, or UTF-16 with a byte-order mark.
        wide: The columns of each symbol, where every symbol has columns of its own; else None.
    """

    columns: tuple[str, ...]
    separator: str = ","
    header_lines: int = 1
    has_header: bool = True
    decimal_comma: bool = False
    encoding: str | None = None
    wide: WideColumns | None = None


class CsvTable:
    """A CSV file of a known layout, as a `Table`."""

    def __init__(self, source: ImportSource, layout: CsvLayout) -> None:
        self.source = source
        self.layout = layout

    @property
    def columns(self) -> Sequence[str]:
        """The names of the columns."""
        return self.layout.columns

    @property
    def separator(self) -> str:
        """The character between columns."""
        return self.layout.separator

    def chunks(self, wanted: Sequence[str], numbers: Sequence[str]) -> Iterator[Chunk]:
        """See `Table.chunks`.

        Raises:
            OSError: The file cannot be read, or is damaged (EOFError, zlib.error, zipfile.BadZipFile).
        """
        first = 1
        for block in text_blocks(self.source, BLOCK_BYTES, self.layout.encoding):
            rows, lines = block, block.count(b"\n")
            if first == 1:
                rows = _after_lines(block, self.layout.header_lines)
            if rows:
                yield self._chunk(rows, first + block.count(b"\n", 0, len(block) - len(rows)), wanted, numbers)
            first += lines

    def sample(self, text: str) -> pl.DataFrame:
        """Return the rows in the beginning of the file, with all columns as text."""
        rows = _after_lines(text.encode(), self.layout.header_lines)
        return self._chunk_line_by_line(rows, 1, self.columns).rows.drop("line")

    def as_written(self, lines: pl.Series) -> Iterator[tuple[int, str]]:
        """See `Table.as_written`."""
        first, at = 1, 0
        for block in text_blocks(self.source, BLOCK_BYTES, self.layout.encoding):
            after = first + block.count(b"\n")
            until = int(lines.search_sorted(after))
            if until > at:
                texts = block.decode(errors="replace").split("\n")
                for line in lines[at:until]:
                    yield line, texts[line - first].rstrip("\r")
            first, at = after, until
            if at == len(lines):
                return

    def quarantine_header(self) -> str:
        """See `Table.quarantine_header`."""
        names = (f'"{c}"' if self.separator in c else c for c in ("line", "reason", *self.columns))
        return self.separator.join(names)

    def _chunk(self, block: bytes, first: int, wanted: Sequence[str], numbers: Sequence[str]) -> Chunk:
        """Parse a block at once, or line by line if it has bad lines."""
        # Polars reads decimal commas, but not in quoted fields between commas, nor together with points for thousands.
        if self.layout.decimal_comma and (self.separator == "," or _GROUPED.search(block)):
            numbers = ()
        schema: dict[str, type[pl.DataType]] = {
            name: pl.Float64 if name in numbers else pl.String for name in self.columns
        }
        try:
            rows = self._parse(block, schema, wanted)
        except pl.exceptions.PolarsError:
            return self._chunk_line_by_line(block, first, wanted)
        blank = rows.select(pl.all_horizontal(pl.all().is_null()).any()).to_series()[0]
        if blank or rows.height != block.count(b"\n"):
            return self._chunk_line_by_line(block, first, wanted)
        return Chunk(rows.with_row_index("line", offset=first), NO_BAD_ROWS)

    def _chunk_line_by_line(self, block: bytes, first: int, wanted: Sequence[str]) -> Chunk:
        """Parse a block as text, with bad lines set aside.

        Bad lines have a wrong number of columns or an open quote.
        """
        text = pl.Series("text", block.decode(errors="replace").removesuffix("\n").split("\n")).str.strip_chars_end(
            "\r"
        )
        lines = pl.DataFrame({"text": text}).with_row_index("line", offset=first)
        lines = lines.filter(pl.col("text").str.strip_chars().str.len_bytes() > 0)
        bare = pl.col("text").str.replace_all(_QUOTED, "")
        columns = (bare.str.count_matches(self.separator, literal=True) + 1).alias("columns")
        judged = lines.with_columns(columns, open_quote=bare.str.contains('"', literal=True))
        wrong_count = pl.format("{} columns instead of {}", "columns", pl.lit(len(self.columns)))
        reason = pl.when("open_quote").then(pl.lit("a quote is not closed")).when(
            pl.col("columns") != len(self.columns)).then(wrong_count)  # fmt: skip
        judged = judged.with_columns(reason.alias("reason"))
        right = judged.filter(pl.col("reason").is_null())
        bad = judged.filter(pl.col("reason").is_not_null()).select(NO_BAD_ROWS.columns)
        if right.is_empty():
            return Chunk(pl.DataFrame(schema={"line": pl.get_index_type(), **dict.fromkeys(wanted, pl.String)}), bad)
        content = ("\n".join(right["text"].to_list()) + "\n").encode()
        rows = self._parse(content, dict.fromkeys(self.columns, pl.String), wanted)
        return Chunk(rows.insert_column(0, right["line"]), bad)

    def _parse(self, block: bytes, schema: dict[str, type[pl.DataType]], wanted: Sequence[str]) -> pl.DataFrame:
        return pl.read_csv(
            block,
            has_header=False,
            schema=schema,
            columns=sorted(self.columns.index(name) for name in wanted),
            separator=self.layout.separator,
            decimal_comma=self.layout.decimal_comma and self.separator != ",",
        ).select(wanted)


def read_beginning(source: ImportSource, size: int, encoding: str | None = None) -> str:
    """Read the beginning of a CSV as whole lines of text, in up to two blocks of ``size`` bytes.

    Raises:
        OSError: As for `CsvTable.chunks`.
    """
    # Two blocks, because the last line of a short file, without a newline, is a block of its own.
    return b"".join(islice(text_blocks(source, size, encoding), 2)).decode(errors="replace").replace("\r\n", "\n")


def _after_lines(block: bytes, count: int) -> bytes:
    """Return a block without its first ``count`` lines."""
    at = 0
    for _ in range(count):
        at = block.find(b"\n", at) + 1
        if at == 0:
            return b""
    return block[at:]

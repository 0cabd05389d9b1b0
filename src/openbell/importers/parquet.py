"""Import of Parquet files of bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.importers.parquet_table import ParquetTable
from openbell.importers.sources import find_sources
from openbell.importers.tables import import_tables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from openbell.importers.bar_rows import BarRows
    from openbell.importers.csv import CsvReading
    from openbell.importers.report import ImportReport, Progress
    from openbell.importers.sources import Source
    from openbell.importers.table import Table
    from openbell.store.store import BarStore

__all__ = ["PARQUET_ENDINGS", "import_parquet"]

PARQUET_ENDINGS = (".parquet", ".pq")


def import_parquet(
    paths: Sequence[Path],
    store: BarStore,
    reading: CsvReading,
    *,
    symbol: str | None = None,
    file_name: str = "{symbol}",
    progress: Progress | None = None,
) -> ImportReport:
    """Import Parquet files.

    Args:
        paths: Files, folders, globs, and patterns with ``{symbol}`` and ``{date}``.
        store: Where the bars go.
        reading: How the files are to be read.
        symbol: The symbol of all files; None takes it from each file's name, in upper case.
        file_name: How the names of the files are made, without the ending.
        progress: Told after each file.

    Raises:
        ConfigError: The settings do not fit the files; the message names the file and the remedy.
        BadBarsError: Not one row can be used.
    """

    def open_table(source: Source) -> tuple[Table, BarRows]:
        table = ParquetTable(source)
        return table, reading.bars_of(table)

    sources = find_sources(
        paths, PARQUET_ENDINGS, symbol=symbol, file_name=file_name, symbol_column=reading.columns.symbol is not None
    )
    return import_tables(sources, store, open_table, progress=progress)

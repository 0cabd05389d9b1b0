"""Import of Parquet, Feather and JSON files of bars, whose rows are read as frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openbell.importers.tables.columnar_table import FrameTable, feather_table, parquet_table
from openbell.importers.tables.json_rows import json_table
from openbell.importers.tables.table_import import import_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from openbell.importers.csv import CsvReading
    from openbell.importers.files.import_files import ImportSource
    from openbell.importers.import_report import ImportReport, Progress
    from openbell.importers.tables.bar_rows import BarRows
    from openbell.importers.tables.table import Table
    from openbell.store.store import BarStore

__all__ = ["FEATHER", "JSON", "PARQUET", "FileKind", "import_frames", "import_parquet"]


class FileKind(NamedTuple):
    """A kind of files whose rows are read as frames.

    Attributes:
        endings: The endings of such files.
        open: Opens a file as a table.
    """

    endings: tuple[str, ...]
    open: Callable[[ImportSource], FrameTable]


PARQUET = FileKind((".parquet", ".pq"), parquet_table)
FEATHER = FileKind((".feather", ".arrow", ".ipc"), feather_table)
JSON = FileKind((".json", ".jsonl", ".ndjson"), json_table)


def import_frames(
    kind: FileKind,
    paths: Sequence[Path],
    store: BarStore,
    reading: CsvReading,
    *,
    symbol: str | None = None,
    file_name: str = "{symbol}",
    progress: Progress | None = None,
) -> ImportReport:
    """Import files whose rows are read as frames.

    Args:
        kind: The kind of the files.
        paths: Files, folders, globs, and patterns with ``{symbol}`` and ``{date}``.
        store: The store to import into.
        reading: The settings by which the files are read.
        symbol: The symbol of all files; None takes it from each file's name, in upper case.
        file_name: The pattern of the names of the files, without the ending.
        progress: Called after each file.

    Raises:
        ConfigError: The settings do not fit the files; the message names the file and the remedy.
        BadBarsError: No row can be used.
    """

    def open_table(source: ImportSource) -> tuple[Table, BarRows]:
        table = kind.open(source)
        return table, reading.bars_of(table)

    has_symbols = reading.columns.symbol is not None
    return import_files(
        paths, kind.endings, store, open_table,
        symbol=symbol, symbol_column=has_symbols, file_name=file_name, progress=progress,
    )  # fmt: skip


def import_parquet(
    paths: Sequence[Path],
    store: BarStore,
    reading: CsvReading,
    *,
    symbol: str | None = None,
    file_name: str = "{symbol}",
    progress: Progress | None = None,
) -> ImportReport:
    """Import Parquet files, as `import_frames` does."""
    return import_frames(PARQUET, paths, store, reading, symbol=symbol, file_name=file_name, progress=progress)

"""Advice for errors, with commands that convert or import files of other kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["conversion_of"]

_PANDAS = "pip install pandas {extra} && python -c \"import pandas; {read}.to_csv('{stem}.csv')\""
_READERS = {
    ".xlsx": ("openpyxl", "pandas.read_excel('{file}', index_col=0)"),
    ".xlsm": ("openpyxl", "pandas.read_excel('{file}', index_col=0)"),
    ".xls": ("xlrd", "pandas.read_excel('{file}', index_col=0)"),
    ".ods": ("odfpy", "pandas.read_excel('{file}', index_col=0)"),
    ".h5": ("tables", "pandas.read_hdf('{file}')"),
    ".hdf5": ("tables", "pandas.read_hdf('{file}')"),
    ".hdf": ("tables", "pandas.read_hdf('{file}')"),
    ".pkl": ("", "pandas.read_pickle('{file}')"),
    ".pickle": ("", "pandas.read_pickle('{file}')"),
    ".dta": ("", "pandas.read_stata('{file}')"),
    ".sas7bdat": ("", "pandas.read_sas('{file}')"),
    ".orc": ("pyarrow", "pandas.read_orc('{file}')"),
    ".html": ("lxml", "pandas.read_html('{file}')[0]"),
    ".xml": ("lxml", "pandas.read_xml('{file}')"),
}
_COMMANDS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet", ".json": "json",
    ".jsonl": "json", ".ndjson": "json", ".feather": "feather", ".arrow": "feather", ".ipc": "feather",
    ".dbn": "databento",
}  # fmt: skip


def conversion_of(path: Path, endings: tuple[str, ...]) -> str | None:
    """Return advice on how to import a file of another kind.

    Args:
        path: The file.
        endings: The endings of the kind that is being imported.

    Returns:
        A text with a command; None if the file may be of the right kind.
    """
    ending = path.suffix.lower()
    if ending in endings:
        return None
    if (command := _COMMANDS.get(ending)) is not None:
        return f"use: openbell data import {command} {path}"
    if ending in _READERS:
        extra, read = _READERS[ending]
        line = _PANDAS.format(extra=extra, read=read.format(file=path), stem=path.with_suffix(""))
        return f"openbell does not read {ending} files. Convert it once: {line.replace('  ', ' ')}"
    return None

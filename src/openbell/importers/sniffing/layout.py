"""Detection of the layout of a CSV from its first lines."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import replace

from openbell.errors import BadBarsError, ConfigError
from openbell.importers.sniffing.column_values import ENOUGH
from openbell.importers.sniffing.header import NUMBER, find_header, unique_names
from openbell.importers.tables.csv_table import CsvLayout
from openbell.importers.tables.table import MOST_COLUMNS

__all__ = ["ALL_FOUR", "SEPARATORS", "fields_of", "sniff_layout"]

ALL_FOUR = (
    " A bar has an open, a high, a low and a close: of a table of closes alone, write each into all four, or get bars."
)
"""Advice on a table that seems to have one price for each time, with a leading blank."""

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}
"""The separators that are tried, by name."""

_FEWEST_COLUMNS = 5
_LINES = 200
_LONGEST = 100_000
_COMMA_NUMBER = re.compile(r"-?(\d+|\d{1,3}(\.\d{3})+),\d+")
_SURELY_COMMA_NUMBER = re.compile(r"-?(\d+,(\d{1,2}|\d{4,})|\d{1,3}(\.\d{3})+,\d+)")
_POINT_NUMBER = re.compile(r"-?\d+\.\d+")


def sniff_layout(
    text: str,
    where: str,
    separator: str | None = None,
    *,
    has_header: bool | None = None,
    decimal_comma: bool | None = None,
) -> CsvLayout:
    """Find the layout of a CSV.

    Args:
        text: The first lines of the file.
        where: The file, for messages.
        separator: The separator, None if unknown.
        has_header: Whether the first line with columns names them, None if unknown.
        decimal_comma: Whether ``10,5`` is ten and a half, None if unknown.

    Raises:
        BadBarsError: The file is empty.
        ConfigError: The file is binary, no separator gives columns, or the separator is the decimal sign, too.
    """
    # Split by hand, because `str.splitlines` splits at more than newlines, and csv refuses long fields.
    lines = [line.rstrip("\r")[:_LONGEST] for line in text.split("\n")[:_LINES]]
    if not any(line.strip() for line in lines):
        raise BadBarsError(f"{where} is empty.")
    if "\0" in text:
        raise ConfigError(f"{where} is not a text file. For Parquet use: openbell data import parquet")
    if separator is not None and (len(separator) != 1 or separator in '"\r\n' or not separator.isascii()):
        raise ConfigError(f"--separator {separator!r} is not valid. Use one character, or 'tab'.")
    quoted = '"' in text
    if decimal_comma and separator == "," and not quoted:
        raise ConfigError(f"{where}: a comma cannot be both the separator and the decimal sign.")
    best = separator or _separator(lines, without_comma=bool(decimal_comma) and not quoted)
    count, _ = _columns_by(lines, best)
    if not _FEWEST_COLUMNS <= count <= MOST_COLUMNS:
        raise ConfigError(_no_columns(lines, where, separator, count))
    first = next(i for i, line in enumerate(lines) if len(fields_of(line, best)) == count)
    rows = [fields_of(line, best) for line in lines[first:] if line.strip()]
    layout = _with_header(CsvLayout((), best, first), rows, count, has_header)
    if decimal_comma is None:
        decimal_comma = _has_decimal_comma(rows[layout.header_lines - first :], best)
    return replace(layout, decimal_comma=decimal_comma)


def _with_header(layout: CsvLayout, rows: list[list[str]], count: int, has_header: bool | None) -> CsvLayout:
    """Return the layout with column names and the lines of the header."""
    level = [row for row in rows if len(row) == count]
    header = find_header(level) if has_header is not False else None
    if header is not None:
        lines = layout.header_lines + header.lines
        return replace(layout, columns=header.names, header_lines=lines, wide=header.wide)
    if has_header:
        return replace(layout, columns=unique_names(level[0]), header_lines=layout.header_lines + 1)
    return replace(layout, columns=tuple(f"column_{i}" for i in range(1, count + 1)), has_header=False)


def fields_of(line: str, separator: str) -> list[str]:
    """Split a line into its fields, with quotes removed."""
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:  # a field longer than Python's limit, a carriage return within the line
        return line.split(separator)


def _separator(lines: list[str], *, without_comma: bool) -> str:
    names = [name for name in ("tab", "semicolon", "pipe", "comma", "space") if not (without_comma and name == "comma")]

    def fit(separator: str) -> float:
        count, share = _columns_by(lines, separator)
        return share * (count >= _FEWEST_COLUMNS)

    return max((SEPARATORS[name] for name in names), key=fit)


def _no_columns(lines: list[str], where: str, separator: str | None, count: int) -> str:
    """Return the message of an error about too few or too many columns."""
    if count > MOST_COLUMNS:
        return f"{where} has {count:,} columns; no table of bars has more than {MOST_COLUMNS:,}."
    first = next(line for line in lines if line.strip())
    if names := _one_price_each(lines, [separator] if separator else list(SEPARATORS.values())):
        return f"{where}: no columns for open, high, low and close are found; it has {', '.join(names)}.{ALL_FOUR}"
    tried = repr(separator) if separator else ", ".join(SEPARATORS)
    return (
        f"{where}: no columns for time, open, high, low and close are found by {tried}; its first line is "
        f"{first[:60]!r}. If another character separates them, use --separator."
    )


def _one_price_each(lines: list[str], separators: list[str]) -> list[str]:
    """Return the names of the columns of a table of times and numbers that has too few for bars, none if it is none."""
    written = [line for line in lines if line.strip()]
    for separator in separators:
        names, *rows = [fields_of(line, separator) for line in written]
        if 1 < len(names) < _FEWEST_COLUMNS and rows and all(len(row) == len(names) for row in rows):
            cells = [cell.strip() for row in rows for cell in row[1:]]
            numbers = sum(NUMBER.fullmatch(cell) is not None for cell in cells)
            if numbers >= ENOUGH * len(cells) and all(NUMBER.match(row[0].strip()) for row in rows):
                return [name.strip() for name in names]
    return []


def _columns_by(lines: list[str], separator: str) -> tuple[int, float]:
    """Return the usual number of columns and the share of lines that have it."""
    counts = Counter(len(fields_of(line, separator)) for line in lines if line.strip())
    # Of equally frequent numbers of columns the larger wins, so that a preamble does not outweigh a few rows.
    count, times = max(counts.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
    return count, times / counts.total()


def _has_decimal_comma(rows: list[list[str]], separator: str) -> bool:
    fields = [field.strip() for row in rows for field in row]
    # In a quoted field between commas, 65,095 is probably a volume of five digits.
    number = _SURELY_COMMA_NUMBER if separator == "," else _COMMA_NUMBER
    with_comma = sum(bool(number.fullmatch(field)) for field in fields)
    return with_comma > sum(bool(_POINT_NUMBER.fullmatch(field)) for field in fields)

"""The layout of a CSV, found in its first lines."""

from __future__ import annotations

import csv
import re
from collections import Counter

from openbell.errors import BadBarsError, ConfigError
from openbell.importers.csv_table import CsvLayout

__all__ = ["SEPARATORS", "fields_of", "header_names", "sniff_layout"]

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}
"""The separators that are looked for, with their names."""

_FEWEST_COLUMNS = 5
_LINES = 200
_NUMBER = re.compile(r"[-+$€£¥]?\d[\d.,:/\- ]*(e[+-]?\d+)?[KMB%]?", re.IGNORECASE)
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
        text: Its first lines.
        where: The file, for messages.
        separator: If it is known.
        has_header: Likewise, whether the first line that has the columns names them.
        decimal_comma: Likewise, whether ``10,5`` is ten and a half.

    Raises:
        BadBarsError: The file is empty.
        ConfigError: It is binary, or no separator makes columns, or it is the decimal sign, too.
    """
    lines = text.splitlines()[:_LINES]
    if not any(line.strip() for line in lines):
        raise BadBarsError(f"{where} is empty.")
    if "\0" in text:
        raise ConfigError(f"{where} is not a text file. For Parquet use: openbell data import parquet")
    if decimal_comma and separator == "," and '"' not in text:
        raise ConfigError(f"{where}: a comma cannot be both the separator and the decimal sign.")
    found_by = [
        SEPARATORS[n]
        for n in ("tab", "semicolon", "pipe", "comma", "space")
        if not (decimal_comma and n == "comma" and '"' not in text)
    ]
    candidates = [separator] if separator else found_by
    best = max(candidates, key=lambda s: _columns_by(lines, s)[1] * (_columns_by(lines, s)[0] >= _FEWEST_COLUMNS))
    count, _ = _columns_by(lines, best)
    if count < _FEWEST_COLUMNS:
        seen = f"; its first line is {lines[0][:60]!r}" if lines else ""
        tried = repr(separator) if separator else ", ".join(SEPARATORS)
        raise ConfigError(
            f"{where}: no columns for time, open, high, low and close are found by {tried}{seen}. "
            "If another character separates them, say --separator."
        )
    first = next(i for i, line in enumerate(lines) if len(fields_of(line, best)) == count)
    fields = fields_of(lines[first], best)
    if has_header is None:
        has_header = not any(_NUMBER.fullmatch(f.strip()) for f in fields)
    rows = [fields_of(line, best) for line in lines[first + has_header :]]
    names = header_names(lines[first], best) if has_header else [f"column_{i}" for i in range(1, count + 1)]
    if decimal_comma is None:
        decimal_comma = _has_decimal_comma(rows, best)
    return CsvLayout(tuple(names), best, first + has_header, has_header, decimal_comma)


def fields_of(line: str, separator: str) -> list[str]:
    """Split a line into its fields, without quotes."""
    return next(csv.reader([line], delimiter=separator), [])


def header_names(line: str, separator: str) -> list[str]:
    """Return the names in a header line.

    A name that comes again gets a number.
    """
    seen: Counter[str] = Counter()
    names = []
    for place, name in enumerate(fields_of(line.removeprefix("\ufeff"), separator), 1):
        base = name.strip() or f"column_{place}"
        seen[base] += 1
        names.append(base if seen[base] == 1 else f"{base}_{seen[base]}")
    return names


def _columns_by(lines: list[str], separator: str) -> tuple[int, float]:
    """Return the usual number of columns and the share of lines that have it."""
    counts = Counter(len(fields_of(line, separator)) for line in lines if line.strip())
    # A preamble of a few lines must not win over few rows: more columns are the better sign.
    count, times = max(counts.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
    return count, times / counts.total()


def _has_decimal_comma(rows: list[list[str]], separator: str) -> bool:
    fields = [field.strip() for row in rows for field in row]
    # In quotes between commas, 65,095 is rather a volume of five digits.
    number = _SURELY_COMMA_NUMBER if separator == "," else _COMMA_NUMBER
    with_comma = sum(bool(number.fullmatch(field)) for field in fields)
    return with_comma > sum(bool(_POINT_NUMBER.fullmatch(field)) for field in fields)

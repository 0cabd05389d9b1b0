"""Bars in JSON, in the forms that APIs and pandas write."""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import polars as pl

from openbell.importers.files.text_blocks import BLOCK_BYTES, text_blocks
from openbell.importers.sniffing.column_names import plain_name, role_of
from openbell.importers.tables.columnar_table import FrameTable
from openbell.importers.tables.table import require_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from openbell.importers.files.import_files import ImportSource

__all__ = ["frames_of", "json_table"]

_PRICES = {"open", "high", "low", "close"}
_WRAPPERS = {
    "data", "results", "result", "bars", "values", "historical", "chart", "candles", "payload", "response", "quote",
    "items", "rows", "records", "quotes", "ohlcv", "prices", "series", "body", "klines", "history", "output",
}  # fmt: skip
_MOST_BYTES = 1 << 30
_DEEPEST = 12
_SYMBOL = "symbol"

Rows = tuple[str | None, pl.DataFrame]
"""The symbol, or None where the JSON does not name it, and its bars."""


def json_table(source: ImportSource) -> FrameTable:
    """Open a file of JSON or JSON lines as a table.

    Raises:
        OSError: The file is neither, is larger than 1 GB, or has no bars.
    """
    value = _value(source)
    found = list(frames_of(value))
    if not found:
        raise OSError("it has no bars: nothing in it has an open, a high, a low and a close")
    return FrameTable(source, pl.concat([_named(*rows) for rows in found], how="diagonal_relaxed"))


def _named(symbol: str | None, frame: pl.DataFrame) -> pl.DataFrame:
    if symbol is None or any(role_of(name) == "symbol" for name in frame.columns):
        return frame
    return frame.with_columns(pl.lit(symbol).alias(_SYMBOL))


def _value(source: ImportSource) -> Any:
    """Parse a file as JSON, or else as JSON lines.

    Raises:
        OSError: The file is neither, or is too large.
    """
    content = bytearray()
    for block in text_blocks(source, BLOCK_BYTES, longest=_MOST_BYTES):
        content += block
        if len(content) > _MOST_BYTES:
            raise OSError("it is larger than 1 GB: convert it to Parquet, or cut it into pieces")
    try:
        return json.loads(content)
    except RecursionError:
        raise OSError("it is not JSON of bars: it is nested too deeply") from None
    except ValueError as exc:
        lines = content.splitlines()
        if len(lines) < 2:
            raise OSError(f"it is not JSON: {exc}") from None
    try:
        return [json.loads(line) for line in lines if line.strip()]
    except (ValueError, RecursionError) as exc:
        raise OSError(f"it is neither JSON nor JSON lines: {exc}") from None


def frames_of(value: Any, symbol: str | None = None, depth: int = 0) -> Iterator[Rows]:
    """Yield the bars in a JSON value of any known form.

    Args:
        value: The parsed value.
        symbol: The symbol of the bars, None if unknown.
        depth: The number of levels above ``value``, at most 12.
    """
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        yield from _of_list(value, symbol, depth)
    elif isinstance(value, dict):
        yield from _of_dict(value, _symbol_in(value) or symbol, depth)


def _of_list(value: list[Any], symbol: str | None, depth: int) -> Iterator[Rows]:
    """Yield the bars in a list, at any depth.

    Bars are dicts, or lists of numbers without names.
    """
    if value and all(map(_is_bar, value)):
        yield symbol, _frame(value)
    elif value and all(isinstance(item, list) and not _is_nested(item) for item in value) and max(map(len, value)) >= 5:
        # Of a shorter row the last values are missing: it is set aside like any row that lacks a value.
        names = [f"column_{i}" for i in range(1, max(map(len, value)) + 1)]
        yield symbol, _frame([dict(zip_longest(names, row)) for row in value])
    else:
        for item in value:
            yield from frames_of(item, symbol, depth + 1)


def _of_dict(value: Mapping[str, Any], symbol: str | None, depth: int) -> Iterator[Rows]:
    """Yield the bars in a dict, at any depth.

    The dict is in one of pandas' forms, has columns or bars by time, or is one bar.
    """
    if isinstance(value.get("data"), list) and isinstance(names := value.get("columns"), list):
        rows = [dict(zip(map(str, names), row, strict=False)) for row in value["data"] if isinstance(row, list)]
        index = value.get("index")
        if isinstance(index, list) and len(index) == len(rows):
            rows = [{"index": at, **row} for at, row in zip(index, rows, strict=True)]
        yield symbol, _frame(rows)
    elif _has_prices(value) and all(isinstance(item, dict) for key, item in value.items() if role_of(key) in _PRICES):
        yield symbol, _by_index({key: item for key, item in value.items() if isinstance(item, dict)})
    elif (columns := _columns(value)) is not None:
        yield symbol, _frame([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)])
    elif value and all(map(_is_bar, value.values())):
        yield symbol, _frame([{"time": key, **item} for key, item in value.items()])
    elif _has_prices(value) and not _is_nested(value):
        yield symbol, _frame([value])
    else:
        for key, item in value.items():
            of_key = None if plain_name(key) in _WRAPPERS or " " in key else key
            for own, frame in frames_of(item, None, depth + 1):
                yield own or symbol or of_key, frame


def _columns(value: Mapping[str, Any]) -> dict[str, list[Any]] | None:
    """Return columns that are lists, or None without prices.

    Prices may be one level below the times.
    """
    lists = {key: item for key, item in value.items() if isinstance(item, list) and item and not _is_nested(item)}
    below = value.get("indicators")
    if isinstance(below, dict):
        lists |= {k: v for part in below.values() if isinstance(part, list) and part and isinstance(part[0], dict)
                  for k, v in part[0].items() if isinstance(v, list)}  # fmt: skip
    if not _has_prices(lists):
        return None
    length = len(next(item for key, item in lists.items() if role_of(key) in _PRICES))
    return {key: item for key, item in lists.items() if len(item) == length}


def _by_index(columns: Mapping[str, Mapping[str, Any]]) -> pl.DataFrame:
    """Return the rows of columns that are dicts by index, as pandas writes them."""
    index = dict.fromkeys(at for column in columns.values() for at in column)
    counted = all(str(at).isdigit() and len(str(at)) < 8 for at in index)
    rows = [{name: column.get(at) for name, column in columns.items()} for at in index]
    return _frame(rows if counted else [{"time": at, **row} for at, row in zip(index, rows, strict=True)])


def _frame(rows: list[Any]) -> pl.DataFrame:
    require_columns(max(map(len, rows), default=0))
    return pl.DataFrame(rows, infer_schema_length=None, strict=False)


def _has_prices(value: Mapping[str, Any]) -> bool:
    return {role_of(str(key)) for key in value} >= _PRICES


def _is_bar(value: Any) -> bool:
    return isinstance(value, dict) and _has_prices(value) and not _is_nested(value)


def _is_nested(value: Mapping[str, Any] | list[Any]) -> bool:
    items = value.values() if isinstance(value, dict) else value
    return any(isinstance(item, list | dict) for item in items)


def _symbol_in(value: Mapping[str, Any]) -> str | None:
    """Return the symbol named beside bars or in their metadata, or None."""
    for part in (value, value.get("meta"), value.get("Meta Data")):
        if isinstance(part, dict):
            for key, item in part.items():
                if isinstance(item, str) and item and plain_name(key) in ("symbol", "ticker"):
                    return item
    return None

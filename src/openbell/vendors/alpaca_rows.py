"""Rows of Alpaca's answers as tables."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from openbell.actions.table import ACTION_SCHEMA
from openbell.errors import DataError
from openbell.store.layout import BAR_SCHEMA
from openbell.vendors.source import FetchedActions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openbell.model.json_object import JsonObject

__all__ = ["actions_of", "bars_of", "rows_by_name"]

_NAMES = {"t": "timestamp", "o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
_LONGEST_TEXT = 64


def rows_by_name(answer: object) -> dict[str, list[JsonObject]]:
    """Validate an answer, and return its lists of objects by name.

    Raises:
        DataError: The answer is not an object of lists of objects.
    """
    if not isinstance(answer, dict):
        raise DataError("Alpaca's answer cannot be understood: it is not an object")
    for name, rows in answer.items():
        if rows is not None and not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
            raise DataError(
                f"Alpaca's answer cannot be understood: what it has of {str(name)[:_LONGEST_TEXT]!r} is not a list"
            )
    return {str(name): rows or [] for name, rows in answer.items()}


def bars_of(rows: Sequence[JsonObject], interval: str) -> pl.DataFrame:
    """Return the bars of one symbol as a table.

    Its columns are those of `BAR_SCHEMA`, ``line`` (from 1) and ``reason``, which says why a row is bad or is null.
    Values of a wrong type are null.
    """
    columns = {name: [_number(row.get(name)) for row in rows] for name in "ohlcv"}
    times = pl.Series("t", [_text(row.get("t")) for row in rows], pl.String)
    # Parsed in microseconds, because nanoseconds of years before 1678 or after 2261 would overflow into other years.
    time = pl.col("t").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC", strict=False)
    time = pl.when(time.dt.year().is_between(1678, 2261)).then(time)
    reason = pl.lit(None, pl.String)
    if interval == "1d":
        # A daily bar has the time of midnight in New York, and is stored under its date.
        local = time.dt.convert_time_zone("America/New_York").dt.replace_time_zone(None)
        reason = pl.when(local != local.dt.truncate("1d")).then(pl.lit("a day's bar is not of midnight in New York"))
        time = local.dt.truncate("1d").dt.replace_time_zone("UTC")
    frame = pl.DataFrame({"t": times, **columns}, schema_overrides=dict.fromkeys(columns, pl.Float64))
    frame = frame.with_columns(time.dt.cast_time_unit("ns"), reason=reason).rename(_NAMES)
    return frame.select(*BAR_SCHEMA, "reason").with_row_index("line", offset=1)


def actions_of(answer: Mapping[str, Sequence[JsonObject]]) -> FetchedActions:
    """Return corporate actions as a table of `ACTION_SCHEMA` with ``line``.

    Kinds that openbell does not apply are left out and counted.

    A stock dividend becomes a split.
    """
    rows: list[JsonObject] = []
    others: dict[str, int] = {}
    for kind, found in answer.items():
        for action in found:
            row = _action_of(kind, action)
            if row is None:
                others[kind[:_LONGEST_TEXT]] = others.get(kind[:_LONGEST_TEXT], 0) + 1
            else:
                rows.append(row)
    frame = pl.DataFrame(rows, schema=ACTION_SCHEMA).with_row_index("line", offset=1)
    return FetchedActions(frame, others)


def _action_of(kind: str, action: JsonObject) -> JsonObject | None:
    """Return one action as a row, or None for a kind that openbell does not apply."""
    symbol = _text(action.get("symbol"))
    match kind:
        case "forward_splits" | "reverse_splits":
            new, old = _number(action.get("new_rate")), _number(action.get("old_rate"))
            row: JsonObject = {"symbol": symbol, "type": "split", "value": new / old if new and old else None}
        case "stock_dividends":
            rate = _number(action.get("rate"))
            row = {"symbol": symbol, "type": "split", "value": None if rate is None else 1.0 + rate}
        case "cash_dividends":
            row = {"symbol": symbol, "type": "dividend", "value": _number(action.get("rate"))}
        case "name_changes":
            new_symbol = _text(action.get("new_symbol"))
            row = {"symbol": _text(action.get("old_symbol")), "type": "rename", "new_symbol": new_symbol}
        case _:
            return None
    return {**row, "ex_date": _date(action.get("ex_date") or action.get("process_date"))}


def _number(value: object) -> float | None:
    """Return a number as a float, or None for anything else.

    A number that is too large becomes infinite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _text(value: object) -> str | None:
    """Return a short printable text, or None for anything else."""
    return value if isinstance(value, str) and len(value) <= _LONGEST_TEXT and value.isprintable() else None


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None

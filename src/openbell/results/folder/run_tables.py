"""Tables of a run read back from its folder, also of one that was killed."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from openbell.errors import encodable
from openbell.results.folder.event_files import event_lines

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from openbell.model.json_object import JsonObject


__all__ = ["NO_SIGNALS", "RunTables", "read_tables"]

_UTC = pl.Datetime("ns", "UTC")
_SIGNALS: JsonObject = {
    "date": pl.Date, "time": _UTC, "symbol": pl.String, "action": pl.String, "reason": pl.String,
    "strategy": pl.String,
}  # fmt: skip
NO_SIGNALS = pl.DataFrame(schema=_SIGNALS)
"""The table of signals of a run that gave none."""
_TRADES = (
    *("symbol", "strategy", "entry_time", "exit_time", "quantity", "entry_price", "exit_price", "pnl", "return"),
    *("fees", "bars", "held", "mae", "mfe", "tag", "entry_reason", "exit_reason"),
)
_ORDERS = ("id", "status", "type", "symbol", "strategy", "quantity", "updated")
_EQUITY = ("date", "time", "equity")
_FILLS: JsonObject = {
    "date": pl.Date, "time": _UTC, "id": pl.String, "order": pl.String, "strategy": pl.String, "symbol": pl.String,
    "quantity": pl.Float64, "price": pl.Float64, "fee": pl.Float64, "slippage": pl.Float64, "ambiguous": pl.Boolean,
    "tag": pl.String,
}  # fmt: skip


class RunTables(NamedTuple):
    """Tables of a run, as the Parquet files of its folder hold them.

    Attributes:
        signals: One row per signal.
        fills: One row per fill; None in a run that does not trade.
        trades: One row per trade; None in a run that does not trade, or did not come to its end.
        orders: One row per order; None in the same cases.
        equity: One row per bar time; None in the same cases.
        problems: Why a table that should be there is not, each with its file.
    """

    signals: pl.DataFrame
    fills: pl.DataFrame | None
    trades: pl.DataFrame | None
    orders: pl.DataFrame | None
    equity: pl.DataFrame | None
    problems: tuple[str, ...]


def read_tables(folder: Path) -> RunTables:
    """Read the tables of a run.

    Signals and fills of a run that was killed are read from the lines that it wrote as it went on. A file that is
    damaged is one of the ``problems``.
    """
    problems: list[str] = []
    trades = _parquet(folder / "trades.parquet", _TRADES, problems)
    orders = _parquet(folder / "orders.parquet", _ORDERS, problems)
    equity = _parquet(folder / "equity.parquet", _EQUITY, problems)
    signals = _parquet(folder / "signals.parquet", _SIGNALS, problems)
    fills = _parquet(folder / "fills.parquet", _FILLS, problems)
    if signals is None:
        signals = _from_lines(folder / "signals.jsonl", _SIGNALS, problems)
    if fills is None and (folder / "fills.jsonl").is_file():
        fills = _from_lines(folder / "fills.jsonl", _FILLS, problems)
    return RunTables(signals, fills, trades, orders, equity, tuple(problems))


def _parquet(file: Path, columns: Collection[str], problems: list[str]) -> pl.DataFrame | None:
    if not file.is_file():
        return None
    try:
        frame = pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        problems.append(f"{file.name} cannot be read: {error}")
        return None
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        problems.append(f"{file.name} is not what a run writes: it has no {', '.join(missing)}")
    return None if missing else frame


def _from_lines(file: Path, schema: JsonObject, problems: list[str]) -> pl.DataFrame:
    rows: list[list[object]] = []
    try:
        rows = [[_value(kind, line[name]) for name, kind in schema.items()] for line in event_lines(file)]
    except OSError as error:
        problems.append(f"{file.name} cannot be read: {error.strerror or error}")
    except (ValueError, KeyError, TypeError) as error:
        problems.append(f"{file.name} holds a line that no run writes: {error}")
    return pl.DataFrame(rows, schema=schema, orient="row")


def _value(kind: object, value: Any) -> object:
    if value is None:
        return None
    if kind == pl.String:
        return encodable(str(value))
    if kind == _UTC:
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if kind == pl.Date else value

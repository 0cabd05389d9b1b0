"""Results of the points of a sweep, and the table of them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, fields
from datetime import date
from io import BytesIO
from math import ceil
from typing import TYPE_CHECKING, Any

import polars as pl

from openbell.model.interval import parse_interval
from openbell.results.measures.performance import Performance
from openbell.store.atomic_files import replace_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from openbell.model.json_object import JsonObject
    from openbell.results.result import DayResult, RunResult

__all__ = ["NUMBERS", "PointResult", "frame_of", "read_result", "write_frame", "write_result"]

NUMBERS = {
    field.name: pl.Int64 if field.type == "int" else pl.Float64
    for field in fields(Performance)
    if field.name != "unavailable"
}
"""The numbers of a performance by name, with their dtypes."""

_RESULT = "point.json"
_DAY = parse_interval("1d")


@dataclass(frozen=True, slots=True, kw_only=True)
class PointResult:
    """Outcome of a point.

    Attributes:
        values: The value of each key.
        run: The name of its run folder.
        error: Why it failed; None when it did not.
        performance: The numbers of `Performance` by name; None when it failed or did not trade.
        days: The sessions that were run.
        returns: The returns of these sessions, as fractions; empty when the point did not trade.
        signals: How many signals were given.
        warm_up: The most sessions of history that any series had before a session.
        warnings: The warnings of the run.
        load_s: Seconds spent preparing sessions.
        run_s: Seconds spent running sessions.
    """

    values: Mapping[str, Any]
    run: str
    error: str | None = None
    performance: Mapping[str, float | None] | None = None
    days: Sequence[date] = ()
    returns: Sequence[float] = ()
    signals: int = 0
    warm_up: int = 0
    warnings: Sequence[str] = ()
    load_s: float = 0.0
    run_s: float = 0.0

    def number(self, name: str) -> float | None:
        """Return a number of the performance, or None when there is none."""
        return None if self.performance is None else self.performance.get(name)

    @staticmethod
    def of(values: Mapping[str, Any], run: str, result: RunResult) -> PointResult:
        """Return the result of a point whose run is over."""
        traded = [day.trading for day in result.days if day.trading is not None]
        performance = result.performance
        return PointResult(
            values=values,
            run=run,
            error=result.error,
            performance=None if performance is None else {name: getattr(performance, name) for name in NUMBERS},
            days=[day.date for day in result.days],
            returns=[t.end_equity / t.start_equity - 1 if t.start_equity > 0 else 0.0 for t in traded],
            signals=sum(len(day.signals) for day in result.days),
            warm_up=max(map(_sessions_of_history, result.days), default=0),
            warnings=[*result.warnings, *_dropped(result)],
            load_s=result.load_s,
            run_s=result.run_s,
        )

    def to_dict(self) -> JsonObject:
        """Return the result as a JSON object."""
        return {
            **{field.name: getattr(self, field.name) for field in fields(self)},
            "values": dict(self.values),
            "days": [day.isoformat() for day in self.days],
        }

    @staticmethod
    def of_dict(values: JsonObject) -> PointResult:
        """Return the result that `to_dict` made an object of."""
        return PointResult(**{**values, "days": [date.fromisoformat(day) for day in values["days"]]})


def _dropped(result: RunResult) -> list[str]:
    """Return a warning for each symbol of the config that could not be provisioned."""
    errors: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for day in result.days:
        for symbol, reasons in day.dropped.items():
            errors.setdefault(symbol, " ".join(reasons))
            counts[symbol] += 1
    return [f"{s} was dropped in {n} of {len(result.days)} sessions: {errors[s]}" for s, n in counts.items()]


def _sessions_of_history(day: DayResult) -> int:
    """Return the most sessions of history that any series of a day had."""
    most = 0
    for bars in {id(symbol.bars): symbol.bars for symbol in day.symbols.values()}.values():  # most symbols share one
        for name, series in bars.items():
            interval = parse_interval(name)
            # A bar of several sessions is taken for five of them, so that the number is an estimate.
            each = 1 if interval == _DAY else max(series.session_rows, 1) if interval.is_intraday else 0.2
            most = max(most, ceil(series.historical_rows / each))
    return most


def write_result(folder: Path, result: PointResult) -> None:
    """Write the result of a point into its folder, atomically, which marks the point as done."""
    replace_file(folder / _RESULT, f"{json.dumps(result.to_dict(), indent=2)}\n".encode())


def read_result(folder: Path) -> PointResult | None:
    """Return the result of a point, or None when it is not done."""
    try:
        return PointResult.of_dict(json.loads((folder / _RESULT).read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        return None  # a file of another form: the point is run again


def frame_of(results: Mapping[int, PointResult], keys: Sequence[str]) -> pl.DataFrame:
    """Return the table of points in order of their numbers, with a row for each.

    Its columns are ``point``, one for each key, ``state`` ("done" or "failed"), ``error``, the numbers of the
    performance, ``signals``, ``warm_up`` (sessions of history), ``sessions``, ``load_s``, ``run_s``, ``run`` (the name
    of the folder), ``days`` and ``returns`` (lists, session by session) and ``warnings`` (a list).
    """
    numbers = sorted(results)
    rows = [results[number] for number in numbers]
    columns: dict[str, pl.Series] = {"point": pl.Series(numbers, dtype=pl.Int64)}
    columns |= {key: _column([row.values.get(key) for row in rows]) for key in keys}
    columns |= {
        "state": pl.Series(["done" if row.error is None else "failed" for row in rows], dtype=pl.String),
        "error": pl.Series([row.error for row in rows], dtype=pl.String),
    }
    columns |= {name: pl.Series([row.number(name) for row in rows], dtype=dtype) for name, dtype in NUMBERS.items()}
    columns |= {
        "signals": pl.Series([row.signals for row in rows], dtype=pl.Int64),
        "warm_up": pl.Series([row.warm_up for row in rows], dtype=pl.Int64),
        "sessions": pl.Series([len(row.days) for row in rows], dtype=pl.Int64),
        "load_s": pl.Series([row.load_s for row in rows], dtype=pl.Float64),
        "run_s": pl.Series([row.run_s for row in rows], dtype=pl.Float64),
        "run": pl.Series([row.run for row in rows], dtype=pl.String),
        "days": pl.Series([list(row.days) for row in rows], dtype=pl.List(pl.Date)),
        "returns": pl.Series([list(row.returns) for row in rows], dtype=pl.List(pl.Float64)),
        "warnings": pl.Series([list(row.warnings) for row in rows], dtype=pl.List(pl.String)),
    }
    return pl.DataFrame(columns)


def _column(values: list[Any]) -> pl.Series:
    """Return values of one key as numbers, texts or booleans, or as JSON texts where they are mixed."""
    kinds = {type(value) for value in values}
    if kinds == {int, float}:
        return pl.Series([float(value) for value in values], dtype=pl.Float64)
    if len(kinds) == 1 and kinds <= {bool, int, float, str}:
        return pl.Series(values)
    return pl.Series([value if isinstance(value, str) else json.dumps(value) for value in values], dtype=pl.String)


def write_frame(path: Path, frame: pl.DataFrame) -> None:
    """Write a table atomically."""
    content = BytesIO()
    frame.write_parquet(content)
    replace_file(path, content.getvalue())

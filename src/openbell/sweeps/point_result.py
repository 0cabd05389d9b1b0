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
        returns: Returns of these sessions; empty when it did not trade.
        signals: How many signals were given.
        warm_up: How many sessions of history were loaded before a session, of the series with most.
        warnings: What was odd.
        load_s: Seconds spent preparing sessions.
        run_s: Seconds spent running them.
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
        """Return it as JSON can hold it."""
        return {
            **{field.name: getattr(self, field.name) for field in fields(self)},
            "values": dict(self.values),
            "days": [day.isoformat() for day in self.days],
        }

    @staticmethod
    def of_dict(values: JsonObject) -> PointResult:
        """Return the result that an object was made of."""
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
    """Return how many sessions of history the symbols of a day had, by the series with most."""
    most = 0
    for bars in {id(symbol.bars): symbol.bars for symbol in day.symbols.values()}.values():  # most share theirs
        for name, series in bars.items():
            interval = parse_interval(name)
            # Bars of several sessions stand for five each at the most; the number is a bound, not a count.
            each = 1 if interval == _DAY else max(series.session_rows, 1) if interval.is_intraday else 0.2
            most = max(most, ceil(series.historical_rows / each))
    return most


def write_result(folder: Path, result: PointResult) -> None:
    """Write the result of a point into its folder, whole or not at all, with which the point is done."""
    replace_file(folder / _RESULT, f"{json.dumps(result.to_dict(), indent=2)}\n".encode())


def read_result(folder: Path) -> PointResult | None:
    """Return the result of a point, or None when it is not done."""
    try:
        return PointResult.of_dict(json.loads((folder / _RESULT).read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        return None  # what somebody else has left there is run again


def frame_of(results: Mapping[int, PointResult], keys: Sequence[str]) -> pl.DataFrame:
    """Return the table of points, by number, with a row for each.

    Its columns are ``point``, one by each key, ``state`` ("done" or "failed"), ``error``, the numbers of the
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
    """Return values of one key as numbers, texts or truths, or as JSON where they are a mixture."""
    kinds = {type(value) for value in values}
    if kinds == {int, float}:
        return pl.Series([float(value) for value in values], dtype=pl.Float64)
    if len(kinds) == 1 and kinds <= {bool, int, float, str}:
        return pl.Series(values)
    return pl.Series([value if isinstance(value, str) else json.dumps(value) for value in values], dtype=pl.String)


def write_frame(path: Path, frame: pl.DataFrame) -> None:
    """Write a table, whole or not at all."""
    content = BytesIO()
    frame.write_parquet(content)
    replace_file(path, content.getvalue())

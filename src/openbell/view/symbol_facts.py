"""Series and indicators of a symbol at the end of a session, from the run folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from openbell.model.json_object import JsonObject

__all__ = ["IndicatorFacts", "SeriesFacts", "symbol_facts"]


class SeriesFacts(NamedTuple):
    """A series of bars.

    Attributes:
        interval: The interval.
        base: The interval of the bars that it was derived from; None if it was stored.
        history: Number of bars of history.
        today: Number of bars of the session.
        quality: The percentage of the session's expected bars that are there; None when it is not scored.
    """

    interval: str
    base: str | None
    history: int
    today: int
    quality: float | None


class IndicatorFacts(NamedTuple):
    """An indicator.

    Attributes:
        key: Its key.
        interval: The interval of the bars that it is computed over.
        lookback: Number of bars that a first value takes.
        warmup: Number of bars of history that it was computed over.
        settled: Whether its values no longer depend on where its bars begin.
        valid: Whether it has a value.
    """

    key: str
    interval: str
    lookback: int
    warmup: int
    settled: bool
    valid: bool


def symbol_facts(
    folder: Path, summary: JsonObject, day: date, symbol: str
) -> tuple[list[SeriesFacts], list[IndicatorFacts]]:
    """Return the series and the indicators of a symbol, empty when the session did not have it.

    For sessions with many symbols, the summary has only those with irregularities; tables beside it have all.
    """
    days = (one for one in summary.get("days") or () if isinstance(one, dict))
    found = next((one for one in days if one.get("date") == day.isoformat()), {})
    of_symbol = (found.get("symbols") or {}).get(symbol)
    if of_symbol is None:
        return _of_tables(folder, day, symbol)
    series = [
        SeriesFacts(name, one.get("base"), one["historical_rows"], one["session_rows"], one.get("quality"))
        for name, one in of_symbol["bars"].items()
    ]
    return series, _indicators(of_symbol["indicators"])


def _of_tables(folder: Path, day: date, symbol: str) -> tuple[list[SeriesFacts], list[IndicatorFacts]]:
    rows = _rows(folder / "series.parquet", day, symbol)
    series = [
        SeriesFacts(one["interval"], one["base"], one["historical_rows"], one["session_rows"], one["quality"])
        for one in rows
    ]
    return series, _indicators({one["indicator"]: one for one in _rows(folder / "indicators.parquet", day, symbol)})


def _indicators(by_key: JsonObject) -> list[IndicatorFacts]:
    return [
        IndicatorFacts(key, one["interval"], one["lookback"], one["warmup_bars"], one["settled"], one["valid"])
        for key, one in by_key.items()
    ]


def _rows(file: Path, day: date, symbol: str) -> list[JsonObject]:
    if not file.is_file():
        return []
    return pl.scan_parquet(file).filter((pl.col("date") == day) & (pl.col("symbol") == symbol)).collect().to_dicts()

"""Frames of all facts about the symbols of wide sessions, as the Parquet files of a run folder hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from openbell.errors import encodable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openbell.results.result import DayResult
    from openbell.results.symbol import IndicatorResult

__all__ = ["symbol_frames"]

_SYMBOLS = {
    "date": pl.Date,
    "symbol": pl.String,
    "meets_session_config_requirements": pl.Boolean,
    "added_by": pl.String,
    "auto_provisioned": pl.Boolean,
    "upgraded_from_adhoc": pl.Boolean,
    "reason": pl.String,
    "base_interval": pl.String,
    "adjustment": pl.String,
    "actions": pl.String,
}
_SERIES = {
    "date": pl.Date,
    "symbol": pl.String,
    "interval": pl.String,
    "base": pl.String,
    "historical_rows": pl.Int64,
    "session_rows": pl.Int64,
    "synthetic_rows": pl.Int64,
    "partial_rows": pl.Int64,
    "quality": pl.Float64,
    "historical_quality": pl.Float64,
    "missing": pl.Int64,
}
_GAPS = {
    "date": pl.Date,
    "symbol": pl.String,
    "interval": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "missing": pl.Int64,
}
_INDICATORS = {
    "date": pl.Date,
    "symbol": pl.String,
    "indicator": pl.String,
    "output": pl.String,
    "interval": pl.String,
    "valid": pl.Boolean,
    "settled": pl.Boolean,
    "value": pl.Float64,
    "lookback": pl.Int64,
    "warmup_bars": pl.Int64,
}


def symbol_frames(days: Sequence[DayResult]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the frames of sessions with the names of their files.

    One has a row per session and symbol, one a row per series of it, one a row per gap in a series, and one a row per
    output of an indicator. Times are UTC.
    """
    # No column of lists, which takes polars longer to make than all the others.
    yield "symbols.parquet", _frame(_SYMBOLS, (row for day in days for row in _symbol_rows(day)))
    yield "series.parquet", _frame(_SERIES, (row for day in days for row in _series_rows(day)))
    gaps = _frame(_GAPS, (row for day in days for row in _gap_rows(day)))
    yield "gaps.parquet", gaps.with_columns(pl.col("start", "end").cast(pl.Datetime("ns", "UTC")))
    yield "indicators.parquet", _frame(_INDICATORS, (row for day in days for row in _indicator_rows(day)))


def _frame(schema: dict[str, Any], rows: Iterator[tuple[object, ...]]) -> pl.DataFrame:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pl.DataFrame(
        {name: pl.Series(values, dtype=kind) for (name, kind), values in zip(schema.items(), columns, strict=True)}
    )


def _symbol_rows(day: DayResult) -> Iterator[tuple[object, ...]]:
    for name, symbol in day.symbols.items():
        actions = encodable("; ".join(f"{action.describe()} on {action.ex_date}" for action in symbol.actions))
        yield (
            day.date,
            encodable(name),
            symbol.meets_session_config_requirements,
            encodable(symbol.added_by),
            symbol.auto_provisioned,
            symbol.upgraded_from_adhoc,
            encodable(symbol.reason),
            symbol.base_interval,
            symbol.adjustment,
            actions,
        )


def _series_rows(day: DayResult) -> Iterator[tuple[object, ...]]:
    for name, symbol in day.symbols.items():
        for interval, bars in symbol.bars.items():
            yield (
                day.date,
                encodable(name),
                interval,
                bars.base,
                bars.historical_rows,
                bars.session_rows,
                bars.synthetic_rows,
                bars.partial_rows,
                bars.quality,
                bars.historical_quality,
                sum(gap.missing for gap in bars.gaps),
            )


def _gap_rows(day: DayResult) -> Iterator[tuple[object, ...]]:
    for name, symbol in day.symbols.items():
        for interval, bars in symbol.bars.items():
            for gap in bars.gaps:
                yield day.date, encodable(name), interval, gap.start_ns, gap.end_ns, gap.missing


def _indicator_rows(day: DayResult) -> Iterator[tuple[object, ...]]:
    for name, symbol in day.symbols.items():
        for key, found in symbol.indicators.items():
            for output, value in _values(found):
                yield (
                    day.date,
                    encodable(name),
                    key,
                    output,
                    found.interval,
                    found.valid,
                    found.settled,
                    value,
                    found.lookback,
                    found.warmup_bars,
                )


def _values(found: IndicatorResult) -> Iterator[tuple[str, float | None]]:
    """Iterate over the values of an indicator by output, a single or missing one as "value"."""
    if isinstance(found.value, dict):
        yield from found.value.items()
    else:
        yield "value", found.value

"""Indicators over polars and pandas frames, for notebooks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar
from warnings import warn

import numpy as np

from openbell.errors import BadBarsError, ConfigError
from openbell.indicators.bars_per_year import bars_per_year
from openbell.indicators.inputs import IndicatorInputs, locate, regular_rows
from openbell.indicators.registry import get
from openbell.model.bars import PRICE_COLUMNS
from openbell.model.interval import DAY_NS, parse_interval

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    from numpy.typing import NDArray

    from openbell.indicators.indicator import Indicator
    from openbell.timing.grid import SessionGrid

__all__ = ["compute"]

Frame = TypeVar("Frame", "pl.DataFrame", "pd.DataFrame")
_WEEK = 7
_LONGEST_INTRADAY_NS = DAY_NS * 22 // 24
_NS_PER_MINUTE = 60_000_000_000
_EMPTY = np.empty(0, np.float64)


def compute(
    name: str,
    frame: Frame,
    *,
    period: float | None = None,
    exchange: str = "XNYS",
    interval: str | None = None,
    **params: object,
) -> Frame:
    """Compute an indicator over the bars of a frame.

    Args:
        name: The indicator, e.g. "sma"; see `names`.
        frame: A polars or pandas frame, one row per bar in ascending time, with the columns that the indicator reads
            (open, high, low, close, volume). A session-aware indicator also reads ``timestamp`` (start of each bar,
            with a time zone, or in polars a date; in pandas it may be the index) and, if it is there, ``end``; its
            first row should be the first of a session. An annualised indicator (histvol) reads ``timestamp``, if it is
            there, for the interval of the bars.
        period: The value of the indicator's main length.
        exchange: The exchange whose calendar session-aware and annualised indicators use.
        interval: The interval of the bars, when neither ``end`` nor the smallest step of ``timestamp`` shows it. When
            it is not known, an annualised indicator takes the rows as daily bars, and warns.
        params: Parameters by name; the others take their defaults.

    Returns:
        A frame of the same kind with one row per row of ``frame`` (in pandas with its index) and one column per output,
        float64, NaN where not ready; the column of a single output has the indicator's name.

    Raises:
        ConfigError: An unknown indicator or parameter, a frame of another kind, a column that is missing, or daily bars
            for an indicator that needs intraday ones.
        BadBarsError: A time without a time zone, values that are missing or not numbers, or rows that are not in
            ascending time.
    """
    indicator = get(name)
    resolved = indicator.resolve(period, params)
    kind = type(frame).__module__.partition(".")[0]
    if kind not in ("polars", "pandas") or not hasattr(frame, "columns"):
        raise ConfigError(f"indicators.compute takes a polars or a pandas DataFrame, not {type(frame).__name__}.")
    inputs, regular = _inputs(indicator, frame, kind, exchange, interval)
    _check_minutes(indicator, inputs, indicator.lookback(resolved).minutes)
    if indicator.annualised and not resolved.get("annual"):
        inputs = replace(inputs, bars_per_year=_bars_per_year(indicator, frame, kind, exchange, interval))
    values = indicator.compute(inputs, resolved)
    if regular is not None:
        values = {name: _spread(column, regular) for name, column in values.items()}
    columns = {indicator.name if output == "value" else output: column for output, column in values.items()}
    if kind == "polars":
        import polars as pl

        return pl.DataFrame(columns)  # type: ignore[return-value]  # the branch decides the kind
    import pandas as pd

    return pd.DataFrame(columns, index=frame.index)  # type: ignore[return-value,attr-defined]  # as above


def _inputs(
    indicator: Indicator, frame: Any, kind: str, exchange: str, interval: str | None
) -> tuple[IndicatorInputs, NDArray[np.bool_] | None]:
    """Return the inputs, and a mask of the rows of the frame that they are made of, or None for all rows.

    A session-aware indicator reads the rows of regular hours only.
    """
    columns = {c: _column(indicator, frame, c) if c in indicator.inputs else _EMPTY for c in PRICE_COLUMNS}
    if not indicator.session_aware:
        # Rows that are out of order or doubled are refused, too, by indicators that do not read times.
        _check_ascending(_starts(frame, kind), "timestamp")
        rows = np.zeros(len(frame), np.int64)
        return _inputs_at(columns, rows, rows, rows), None
    start = _times(indicator, frame, kind, "timestamp")
    end = _times(indicator, frame, kind, "end") if "end" in frame.columns else start + _length(start, interval)
    if not len(start):
        return _inputs_at(columns, start, start, start), None
    grid = _grid(start, exchange)
    regular: NDArray[np.bool_] | None = regular_rows(start, grid)
    if regular is None or regular.all() or not regular.any():  # not any: daily bars, with dates as their times
        regular = None
    else:
        start, end = start[regular], end[regular]
        columns = {name: column[regular] if len(column) else column for name, column in columns.items()}
    session, offset, end_offset = locate(start, end, grid)
    if indicator.intraday_only and len(session) > 1 and (np.diff(session) != 0).all():
        raise ConfigError(f"{indicator.name} needs intraday bars, and each row of the frame is a session of its own.")
    return _inputs_at(columns, session, offset, end_offset), regular


def _check_minutes(indicator: Indicator, inputs: IndicatorInputs, minutes: int) -> None:
    """Refuse bars that begin in the first minutes of a session and end after them."""
    length = minutes * _NS_PER_MINUTE
    across = (inputs.offset_ns >= 0) & (inputs.offset_ns < length) & (inputs.end_offset_ns > length)
    if across.any():
        raise ConfigError(
            f"{indicator.name} is about the first {minutes} minutes of a session, and bars of the frame begin in them "
            "and end after them; use shorter bars, or other minutes."
        )


def _inputs_at(columns: dict[str, NDArray[np.float64]], *places: NDArray[np.int64]) -> IndicatorInputs:
    """Return the inputs of columns by name, at session numbers, offsets of starts and offsets of ends."""
    opened, high, low, close, volume = (columns[name] for name in PRICE_COLUMNS)
    session, offset, end_offset = places
    return IndicatorInputs(opened, high, low, close, volume, session, offset, end_offset)


def _bars_per_year(indicator: Indicator, frame: Any, kind: str, exchange: str, interval: str | None) -> float:
    """Return the bars in a year of the exchange, which are daily bars if the interval is not known."""
    from openbell.timing.time_manager import TimeManager

    tm = TimeManager(exchange)
    if interval is None:
        interval = _interval_of(indicator, frame, kind)
    return bars_per_year(tm.grid(tm.first_day, tm.last_day), parse_interval(interval))


def _interval_of(indicator: Indicator, frame: Any, kind: str) -> str:
    """Return the interval of the bars by their smallest step, and ``1d`` with a warning if there is none."""
    start = _starts(frame, kind)
    if len(start) < 2:
        if len(frame):
            warn(
                f"{indicator.name} is given per year, and nothing shows the interval of the frame's rows: they are "
                "taken as days. Give interval='5m', say, or a column timestamp.",
                stacklevel=4,
            )
        return "1d"
    _check_ascending(start, "timestamp")
    step = int(np.diff(start).min())
    days = round(step / DAY_NS)
    if days >= _WEEK:
        return f"{round(days / _WEEK)}w"
    # Opens of sessions lie 23 hours apart when the clocks change.
    return f"{days}d" if step > _LONGEST_INTRADAY_NS else f"{step // 1_000_000_000}s"


def _starts(frame: Any, kind: str) -> NDArray[np.int64]:
    """Return the times of the rows, with or without a time zone, or an empty column if there are none."""
    if "timestamp" in frame.columns:
        column = frame["timestamp"]
    elif kind == "pandas" and hasattr(frame.index, "tz"):
        column = frame.index.to_series()
    else:
        return np.empty(0, np.int64)
    _check_there(column, "timestamp")
    if kind == "polars" and column.dtype.is_temporal():
        import polars as pl

        return np.asarray(column.cast(pl.Datetime("ns")).to_physical().to_numpy(), np.int64)
    if kind == "pandas" and hasattr(column, "dt"):
        column = column if column.dt.tz is None else column.dt.tz_convert("UTC").dt.tz_localize(None)
        return np.asarray(column.to_numpy().astype("datetime64[ns]").astype(np.int64), np.int64)
    return np.empty(0, np.int64)


def _check_there(times: Any, name: str) -> None:
    """Refuse a column of times in which one is missing, whether of polars or pandas."""
    missing = np.asarray(times.is_null() if hasattr(times, "is_null") else times.isna())
    if missing.any():
        raise BadBarsError(f"{name} is missing in row {int(np.argmax(missing))} of the frame.")


def _check_ascending(ns: NDArray[np.int64], name: str) -> None:
    if (np.diff(ns) <= 0).any():
        row = int(np.argmax(np.diff(ns) <= 0)) + 1
        raise BadBarsError(f"{name} does not ascend at row {row} of the frame; sort it and drop duplicates.")


def _spread(column: NDArray[np.float64], rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Put values into their rows of the frame, NaN into the others."""
    spread = np.full(len(rows), np.nan)
    spread[rows] = column
    return spread


def _column(indicator: Indicator, frame: Any, name: str) -> NDArray[np.float64]:
    if name not in frame.columns:
        raise ConfigError(
            f"{indicator.name} reads {', '.join(indicator.inputs)}; the frame has no column {name!r}, only "
            f"{', '.join(map(repr, frame.columns))}."
        )
    try:
        column = np.ascontiguousarray(frame[name].to_numpy(), np.float64)
    except (TypeError, ValueError) as cause:
        raise BadBarsError(f"{name} holds {frame[name].dtype}, not numbers; convert it first.") from cause
    missing = np.flatnonzero(np.isnan(column))
    if len(missing):
        raise BadBarsError(f"{name} is missing in row {missing[0]} of the frame; drop or fill such rows first.")
    return column


def _times(indicator: Indicator, frame: Any, kind: str, name: str) -> NDArray[np.int64]:
    """Convert a column of times, or pandas' index, to nanoseconds since 1970 UTC."""
    if name in frame.columns:
        column = frame[name]
    elif kind == "pandas" and hasattr(frame.index, "tz"):
        column = frame.index.to_series()
    else:
        raise ConfigError(f"{indicator.name} knows sessions and so reads the column {name!r}; the frame has none.")
    _check_there(column, name)
    ns = _polars_ns(column, name) if kind == "polars" else _pandas_ns(column, name)
    _check_ascending(ns, name)
    return ns


def _polars_ns(column: pl.Series, name: str) -> NDArray[np.int64]:
    import polars as pl

    if column.dtype == pl.Date:  # of daily bars; a date needs no time zone
        column = column.cast(pl.Datetime("ns", "UTC"))
    if not isinstance(column.dtype, pl.Datetime) or column.dtype.time_zone is None:
        raise BadBarsError(f"{name} ({column.dtype}) has no time zone; use .dt.replace_time_zone(...) first.")
    return column.dt.cast_time_unit("ns").to_physical().to_numpy()


def _pandas_ns(column: pd.Series[Any], name: str) -> NDArray[np.int64]:
    import pandas as pd

    if not isinstance(column.dtype, pd.DatetimeTZDtype):
        raise BadBarsError(f"{name} ({column.dtype}) has no time zone; use .dt.tz_localize(...) first.")
    naive = column.dt.tz_convert("UTC").dt.tz_localize(None)
    return np.asarray(naive.to_numpy().astype("datetime64[ns]").astype(np.int64), np.int64)


def _length(start: NDArray[np.int64], interval: str | None) -> int:
    """Return the length of a bar in nanoseconds, by the interval if given or else by the smallest step."""
    if interval is not None:
        return parse_interval(interval).ns
    return int(np.diff(start).min()) if len(start) > 1 else 0


def _grid(start: NDArray[np.int64], exchange: str) -> SessionGrid:
    """Return the sessions around the rows."""
    from datetime import date, timedelta

    from openbell.timing.time_manager import TimeManager

    epoch, margin = date(1970, 1, 1), timedelta(days=7)
    first, last = (epoch + timedelta(days=int(ns // DAY_NS)) for ns in (start[0], start[-1]))
    return TimeManager(exchange).grid(first - margin, last + margin)

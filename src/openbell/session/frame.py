"""Series with their indicators as one frame."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from openbell.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from openbell.session.data import SessionData
    from openbell.session.indicator import IndicatorData
    from openbell.session.series import BarIntervalData

__all__ = ["indicator_columns", "series_frame", "series_of", "zone_of"]


def series_of(session: SessionData, symbol: str, interval: str) -> BarIntervalData:
    """Return the series of a symbol and interval.

    Raises:
        ConfigError: The symbol is not a string, or the interval is invalid.
        DataError: The session has no such series; the message names those that it has.
    """
    series = session.get_bars(symbol, interval)
    if series is not None:
        return series
    data = session.get_symbol_data(symbol)
    if data is None:
        has = ", ".join(session.symbols[:10]) + (" ..." if len(session.symbols) > 10 else "")
        raise DataError(f"the session of {session.session_date} has no {symbol}; it has {has or 'no symbol'}.")
    raise DataError(
        f"the session of {session.session_date} has no {interval} bars of {symbol}; it has {', '.join(data.bars)}."
    )


def indicator_columns(
    series: BarIntervalData, indicators: Mapping[str, IndicatorData]
) -> dict[str, NDArray[np.float64]]:
    """Return the values of the indicators that are computed over a series.

    Returns:
        A column per output, named by the key of the indicator, with a dot and the output's name after it when there are
        several outputs.
    """
    return {
        f"{key}.{output}" if len(indicator.outputs) > 1 else key: indicator.output(output)
        for key, indicator in indicators.items()
        if indicator.series is series
        for output in indicator.outputs
    }


def series_frame(series: BarIntervalData, indicators: Iterable[IndicatorData]) -> pl.DataFrame:
    """Return the closed bars of a series with indicators on it as columns, NaN where they are not valid."""
    import polars as pl

    columns = indicator_columns(series, {indicator.key: indicator for indicator in indicators})
    return series.to_polars().with_columns(pl.DataFrame(columns)) if columns else series.to_polars()


def zone_of(series: BarIntervalData) -> ZoneInfo:
    """Return the time zone of a series' exchange, UTC for a series made by hand."""
    reach = series._reach  # noqa: SLF001 -- the only access
    return ZoneInfo("UTC") if reach is None else reach.time_manager.timezone

"""What a session came to, as plain values: the entries of ``summary.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openbell.market_data.completeness import Gap
    from openbell.market_data.point_in_time import PointInTimeView
    from openbell.provisioning import ProvisioningRecord
    from openbell.session import BarIntervalData, IndicatorData, SessionData, SymbolSessionData
    from openbell.timing import TimeManager

__all__ = ["summarise_day", "summarise_symbol"]


def summarise_day(
    session_data: SessionData,
    time_manager: TimeManager,
    day_bars: PointInTimeView,
    *,
    dropped: Mapping[str, Sequence[str]],
    records: Sequence[ProvisioningRecord],
    signals: Sequence[Mapping[str, Any]],
    scans: Sequence[Mapping[str, Any]],
    callbacks: int,
) -> dict[str, Any]:
    """One session of the summary, as seen by the session clock."""
    session = time_manager.session(session_data.session_date)
    symbols = {name: data for name in session_data.symbols if (data := session_data.get_symbol_data(name))}
    return {
        "date": session.day.isoformat(),
        "open": time_manager.to_local(session.open_ns).isoformat(),
        "close": time_manager.to_local(session.close_ns).isoformat(),
        "first": time_manager.to_local(session.first_ns).isoformat(),
        "last": time_manager.to_local(session.last_ns).isoformat(),
        "symbols": {name: summarise_symbol(data, time_manager, day_bars) for name, data in symbols.items()},
        "dropped": {symbol: list(errors) for symbol, errors in dropped.items()},
        "provisioning": [record.to_dict() for record in records],
        "signals": list(signals),
        "scans": list(scans),
        "bars_streamed": sum(_rows_of_today(s) for d in symbols.values() for s in d.bars.values() if not s.derived),
        "callbacks": callbacks,
    }


def summarise_symbol(data: SymbolSessionData, time_manager: TimeManager, day_bars: PointInTimeView) -> dict[str, Any]:
    """One symbol: its metadata, its series with what changed their prices and names, and its indicators."""
    starts = [int(series.timestamp[0]) for series in data.bars.values() if len(series)]
    actions = day_bars.actions(data.symbol, time_manager.day_of(min(starts))) if starts else ()
    return {
        "metadata": data.metadata,
        "base_interval": data.base_interval,
        "adjustment": day_bars.adjustment,
        "actions": [action.to_dict() for action in actions],
        "bars": {interval: _summarise_series(series, time_manager) for interval, series in data.bars.items()},
        "indicators": {key: _summarise_indicator(indicator) for key, indicator in data.indicators.items()},
    }


def _summarise_series(series: BarIntervalData, time_manager: TimeManager) -> dict[str, Any]:
    today = series.session_quality
    history = series.historical_quality
    gaps = [*(history.gaps if history else ()), *(today.gaps if today else ())]
    return {
        "derived": series.derived,
        "base": series.base,
        "historical_rows": series.today_row,
        "session_rows": _rows_of_today(series),
        "synthetic_rows": series.synthetic,
        "quality": today.percent if today else None,
        "historical_quality": history.percent if history else None,
        "gaps": [_summarise_gap(gap, time_manager) for gap in gaps],
    }


def _rows_of_today(series: BarIntervalData) -> int:
    return max(series.cursor - series.today_row, 0)


def _summarise_gap(gap: Gap, time_manager: TimeManager) -> dict[str, Any]:
    return {
        "start": time_manager.to_local(gap.start_ns).isoformat(),
        "end": time_manager.to_local(gap.end_ns).isoformat(),
        "missing": gap.missing,
    }


def _summarise_indicator(indicator: IndicatorData) -> dict[str, Any]:
    value = indicator.value
    return {
        "interval": indicator.series.interval,
        "valid": value is not None,
        "settled": indicator.settled,
        "value": value,
        "lookback": indicator.lookback,
        "warmup_bars": indicator.warmup_bars,
    }

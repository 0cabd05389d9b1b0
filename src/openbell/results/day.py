"""Result of one session, read from the session as it stands at the close."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.results.result import DayResult, IndicatorResult, SeriesResult, SymbolResult
from openbell.session.series import all_bars

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openbell.market_data.point_in_time import PointInTimeView
    from openbell.model.events import ProvisioningRecord, ScanEvent, SignalEvent
    from openbell.results.trading import DayTrading
    from openbell.session import BarIntervalData, IndicatorData, SessionData, SymbolSessionData
    from openbell.timing import TimeManager

__all__ = ["day_result"]


def day_result(
    session_data: SessionData,
    time_manager: TimeManager,
    day_bars: PointInTimeView,
    *,
    dropped: Mapping[str, tuple[str, ...]],
    records: Sequence[ProvisioningRecord],
    signals: Sequence[SignalEvent] = (),
    scans: Sequence[ScanEvent] = (),
    callbacks: int = 0,
    trading: DayTrading | None = None,
) -> DayResult:
    """Return the result of a session as the session clock shows it."""
    session = time_manager.session(session_data.session_date)
    symbols = {name: data for name in session_data.symbols if (data := session_data.get_symbol_data(name))}
    return DayResult(
        date=session.day,
        zone=time_manager.timezone,
        open_ns=session.open_ns,
        close_ns=session.close_ns,
        first_ns=session.first_ns,
        last_ns=session.last_ns,
        symbols={name: _symbol_result(data, time_manager, day_bars) for name, data in symbols.items()},
        dropped=dict(dropped),
        provisioning=tuple(records),
        signals=tuple(signals),
        scans=tuple(scans),
        bars_streamed=sum(_rows_of_today(s) for d in symbols.values() for s in d.bars.values() if not s.derived),
        callbacks=callbacks,
        trading=trading,
    )


def _symbol_result(data: SymbolSessionData, time_manager: TimeManager, day_bars: PointInTimeView) -> SymbolResult:
    starts = [int(all_bars(series).timestamp[0]) for series in data.bars.values() if len(series)]
    return SymbolResult(
        meets_session_config_requirements=data.meets_session_config_requirements,
        added_by=data.added_by,
        auto_provisioned=data.auto_provisioned,
        upgraded_from_adhoc=data.upgraded_from_adhoc,
        reason=data.reason,
        base_interval=data.base_interval,
        adjustment=day_bars.adjustment,
        actions=day_bars.actions(data.symbol, time_manager.day_of(min(starts))) if starts else (),
        bars={interval: _series_result(series) for interval, series in data.bars.items()},
        indicators={key: _indicator_result(indicator) for key, indicator in data.indicators.items()},
    )


def _series_result(series: BarIntervalData) -> SeriesResult:
    today = series.session_quality
    history = series.historical_quality
    return SeriesResult(
        derived=series.derived,
        base=series.base,
        historical_rows=series.today_row,
        session_rows=_rows_of_today(series),
        synthetic_rows=series.synthetic,
        quality=today.percent if today else None,
        historical_quality=history.percent if history else None,
        gaps=series.gaps,
        partial_rows=series.partial,
    )


def _rows_of_today(series: BarIntervalData) -> int:
    return max(series.cursor - series.today_row, 0)


def _indicator_result(indicator: IndicatorData) -> IndicatorResult:
    value = indicator.value
    return IndicatorResult(
        interval=indicator.series.interval,
        valid=value is not None,
        settled=indicator.settled,
        value=value,
        lookback=indicator.lookback,
        warmup_bars=indicator.warmup_bars,
    )

"""Result of one session, read from the session as it stands at the close."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openbell.model.frozen import quick_maker
from openbell.results.block_results import indicators_of_block, readings_of_block
from openbell.results.result import DayResult
from openbell.results.symbol import IndicatorResult, SeriesResult, SymbolResult
from openbell.session.block import IndicatorsOfBlock, SeriesOfBlock, blocks_of
from openbell.session.series import all_bars

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from openbell.market_data.point_in_time import PointInTimeView
    from openbell.model.events import ProvisioningRecord, ScanEvent, SignalEvent
    from openbell.results.block_results import Readings
    from openbell.results.trading import DayTrading
    from openbell.session import BarIntervalData, IndicatorData, SessionData, SymbolSessionData
    from openbell.timing import TimeManager

__all__ = ["day_result"]

_symbol_result_of = quick_maker(SymbolResult)


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
    symbols = dict(_symbol_results(session_data.current.values(), time_manager, day_bars))
    return DayResult(
        date=session.day,
        zone=time_manager.timezone,
        open_ns=session.open_ns,
        close_ns=session.close_ns,
        first_ns=session.first_ns,
        last_ns=session.last_ns,
        symbols=symbols,
        dropped=dict(dropped),
        provisioning=tuple(records),
        signals=tuple(signals),
        scans=tuple(scans),
        bars_streamed=sum(s.session_rows for one in symbols.values() for s in one.bars.values() if not s.derived),
        callbacks=callbacks,
        trading=trading,
    )


class _SharedResults(NamedTuple):
    """Results that the symbols of a block have in common.

    Attributes:
        bars: The results of the series by interval, which depend on their times only.
        indicators: The indicators by key.
        first: The session of the first bar; None without bars.
        base_interval: The finest stored interval.
    """

    bars: Mapping[str, SeriesResult]
    indicators: Readings
    first: date | None
    base_interval: str | None


def _symbol_results(
    symbols: Iterable[SymbolSessionData], time_manager: TimeManager, day_bars: PointInTimeView
) -> Iterator[tuple[str, SymbolResult]]:
    shared: dict[tuple[int, int], _SharedResults] = {}
    for data in symbols:
        bars, indicators = data.bars, data.indicators
        if not isinstance(bars, SeriesOfBlock) or not isinstance(indicators, IndicatorsOfBlock):
            yield data.symbol, _symbol_result(data, time_manager, day_bars)
            continue
        key = id(blocks_of(bars)), id(blocks_of(indicators))
        block = shared.get(key)
        if block is None:
            results = {interval: _series_result(series) for interval, series in bars.items()}
            readings = readings_of_block(bars, indicators)
            first = _first_day(data, time_manager)
            block = shared[key] = _SharedResults(results, readings, first, data.base_interval)
        own = indicators_of_block(block.indicators, indicators)
        yield data.symbol, _made(data, block.first, block.base_interval, block.bars, own, day_bars)


def _symbol_result(data: SymbolSessionData, time_manager: TimeManager, day_bars: PointInTimeView) -> SymbolResult:
    bars = {interval: _series_result(series) for interval, series in data.bars.items()}
    indicators = {key: _indicator_result(indicator) for key, indicator in data.indicators.items()}
    return _made(data, _first_day(data, time_manager), data.base_interval, bars, indicators, day_bars)


def _first_day(data: SymbolSessionData, time_manager: TimeManager) -> date | None:
    starts = [int(all_bars(series).timestamp[0]) for series in data.bars.values() if len(series)]
    return time_manager.day_of(min(starts)) if starts else None


def _made(
    data: SymbolSessionData,
    first: date | None,
    base_interval: str | None,
    bars: Mapping[str, SeriesResult],
    indicators: Mapping[str, IndicatorResult],
    day_bars: PointInTimeView,
) -> SymbolResult:
    return _symbol_result_of(
        meets_session_config_requirements=data.meets_session_config_requirements,
        added_by=data.added_by,
        auto_provisioned=data.auto_provisioned,
        upgraded_from_adhoc=data.upgraded_from_adhoc,
        reason=data.reason,
        base_interval=base_interval,
        adjustment=day_bars.adjustment,
        actions=() if first is None else day_bars.actions(data.symbol, first),
        bars=bars,
        indicators=indicators,
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
        settles=indicator.settling is not None,
    )

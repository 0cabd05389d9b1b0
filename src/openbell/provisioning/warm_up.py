"""Warm-up of indicators, which is the bars that they need before their values are valid and settled."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from openbell import indicators
from openbell.model.interval import parse_interval
from openbell.provisioning.needs import IndicatorNeed

if TYPE_CHECKING:
    from openbell.config import IndicatorConfig
    from openbell.indicators import Indicator

__all__ = ["analyze_indicator_requirements"]


def analyze_indicator_requirements(config: IndicatorConfig, settling_tolerance: float = 1e-4) -> IndicatorNeed:
    """Return the need of one indicator, with its parameters, lookback and settling length.

    Raises:
        UnknownNameError: There is no such indicator.
        ConfigError: There is no such parameter, a value is invalid, or the indicator cannot read the interval.
    """
    return _indicator_need(indicators.get(config.name), config, settling_tolerance)


@lru_cache(maxsize=4096)
def _indicator_need(indicator: Indicator, config: IndicatorConfig, settling_tolerance: float) -> IndicatorNeed:
    params = indicator.resolve(config.period, config.params)
    interval = parse_interval(config.interval)
    indicator.check_interval(str(interval), params)
    lookback = indicator.lookback(params)
    settling = indicator.settling(params, settling_tolerance)
    valid_after = 0 if indicator.session_aware and interval.is_intraday else lookback.bars
    return IndicatorNeed(
        config=config,
        indicator=indicator,
        key=indicators.key(indicator.name, params, str(interval)),
        params=params,
        interval=interval,
        lookback_bars=lookback.bars,
        lookback_sessions=lookback.sessions,
        settling=settling,
        session_aware=indicator.session_aware,
        valid_after=valid_after,
        settled_after=valid_after + (settling or 0),
    )

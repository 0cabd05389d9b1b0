"""Session config as a user writes it, validated as a whole."""

from __future__ import annotations

from openbell.config.components import ComponentConfig, ScannerConfig, ScheduleConfig, StrategyConfig
from openbell.config.execution import ExecutionConfig
from openbell.config.indicator import IndicatorConfig
from openbell.config.models import BacktestConfig, HistoricalConfig, HistoricalEntry, SessionConfig, SessionDataConfig
from openbell.config.reading import load_config

__all__ = [
    "BacktestConfig",
    "ComponentConfig",
    "ExecutionConfig",
    "HistoricalConfig",
    "HistoricalEntry",
    "IndicatorConfig",
    "ScannerConfig",
    "ScheduleConfig",
    "SessionConfig",
    "SessionDataConfig",
    "StrategyConfig",
    "load_config",
]

"""Summary of what a config asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbell.engine.declared_requirements import declared_before_session
from openbell.engine.preflight import indicator_key
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from datetime import date

    from openbell.config import SessionConfig
    from openbell.engine.declared_requirements import DeclaredRequirement

__all__ = ["ConfigSummary", "summarise_config"]


@dataclass(frozen=True, slots=True)
class ConfigSummary:
    """Summary of what a good config asks for.

    Attributes:
        session_name: The name of the session.
        exchange: The name of the calendar.
        days: The sessions, in ascending order.
        symbols: The symbols of the config.
        streams: Their intervals.
        indicators: The keys of the indicators.
        scanners: The references of the scanners, as the config writes them.
        strategies: The references of the strategies, as the config writes them.
        requirements: What scanners and strategies declare that they need.
    """

    session_name: str
    exchange: str
    days: tuple[date, ...]
    symbols: tuple[str, ...]
    streams: tuple[str, ...]
    indicators: tuple[str, ...]
    scanners: tuple[str, ...]
    strategies: tuple[str, ...]
    requirements: tuple[DeclaredRequirement, ...]


def summarise_config(config: SessionConfig) -> ConfigSummary:
    """Summarise a config that `require_good_config` has accepted."""
    data = config.session_data_config
    time_manager = TimeManager(config.exchange, session_hours=data.session_hours)
    days = time_manager.sessions(config.backtest_config.start_date, config.backtest_config.end_date)
    return ConfigSummary(
        session_name=config.session_name,
        exchange=config.exchange_name,
        days=tuple(days),
        symbols=tuple(data.symbols),
        streams=tuple(data.streams),
        indicators=tuple(indicator_key(indicator, config) for indicator in data.indicators),
        scanners=tuple(scanner.module for scanner in config.scanners),
        strategies=tuple(strategy.module for strategy in config.strategies),
        requirements=tuple(declared_before_session(config, time_manager)),
    )

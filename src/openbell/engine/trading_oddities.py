"""Warnings about what a config says of trading, before a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.components.universes import load_universe
from openbell.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from openbell.config import ExecutionConfig, SessionConfig
    from openbell.market_data.manager import DataManager
    from openbell.timing import TimeManager

__all__ = ["futures_without_terms", "unknown_to_the_store"]

_MOST_NAMES = 3


def futures_without_terms(config: SessionConfig, time_manager: TimeManager) -> list[str]:
    """Warn of symbols of the config whose orders will be rejected, because nobody says what their points are worth."""
    if config.execution is None:
        return []
    from openbell.execution.exchange_rules import trades_futures

    if not trades_futures(time_manager):
        return []
    terms = config.execution.instruments
    missing = [symbol for symbol in config.session_data_config.symbols if symbol not in terms]
    if not missing:
        return []
    more = len(missing) - _MOST_NAMES
    shown = ", ".join(missing[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
    remedy = f"Add execution.instruments: {{{missing[0]}: {{multiplier: ..., tick: ..., margin: ...}}}}"
    return [f"orders of {shown} will be rejected: on a calendar of futures each symbol needs its terms. {remedy}"]


def unknown_to_the_store(config: SessionConfig, data_manager: DataManager, days: Sequence[date]) -> list[str]:
    """Warn of a benchmark and of instruments of which the store has no bars."""
    execution = config.execution
    if execution is None:
        return []
    return [
        f"{place}, of which the store has no bars.{_near(symbol, config) or data_manager.hint(symbol, days[0])}"
        for place, symbol in _named(execution)
        if not any(data_manager.available_intervals(symbol, day) for day in {days[0], days[-1]})
    ]


def _named(execution: ExecutionConfig) -> Iterator[tuple[str, str]]:
    if execution.benchmark is not None:
        yield f"execution.benchmark is {execution.benchmark}", execution.benchmark
    for symbol in execution.instruments:
        yield f"execution.instruments names {symbol}", symbol


def _near(symbol: str, config: SessionConfig) -> str:
    """Return a question for the symbols of the config that a name may stand for."""
    known: Iterable[str] = (
        *config.session_data_config.symbols,
        *(name for scanner in config.scanners for name in load_universe(scanner.universe, config.folder)),
    )
    return did_you_mean(symbol, known)

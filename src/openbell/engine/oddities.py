"""Oddities of a run's calendar, data and gap policies taken together, as warnings for people."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from openbell.config.gap_policy import symbols_named
from openbell.errors import CalendarError
from openbell.provisioning import Addition, ProvisioningContext, RunScope
from openbell.provisioning.analysis import analyze
from openbell.quality.calendar_fit import bars_beyond_calendar, first_stored_day, questions_of_calendar
from openbell.session import SessionData

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from openbell.config import SessionConfig
    from openbell.market_data.manager import DataManager
    from openbell.timing import TimeManager

__all__ = ["oddities"]


def oddities(
    config: SessionConfig, time_manager: TimeManager, data_manager: DataManager, days: Sequence[date]
) -> tuple[str, ...]:
    """Return the warnings about a run of these days.

    The calendar ends before the data, or calls a day a session on which no symbol of the config has bars; or a symbol
    has a gap policy of its own and no bars.
    """
    symbols = config.session_data_config.symbols
    stored = first_stored_day(data_manager.store, time_manager, symbols) or days[0]
    history = _first_day_of_history(config, time_manager, data_manager, days[0])
    begin = min(days[0], max(history, stored))
    return (
        *bars_beyond_calendar(data_manager.store, time_manager, symbols),
        *questions_of_calendar(data_manager.store, time_manager, symbols, begin, days[-1]),
        *_unknown_gap_policies(config, data_manager, days),
    )


def _first_day_of_history(
    config: SessionConfig, time_manager: TimeManager, data_manager: DataManager, day: date
) -> date:
    """Return where the calendar lets the history of a session begin."""
    context = ProvisioningContext(RunScope(config), time_manager, data_manager.on_day(day), SessionData(day))
    symbols = config.session_data_config.symbols
    # All symbols need the same but for what the store holds of them.
    one = next(filter(context.stored_intervals, symbols), symbols[0])
    first = day
    for need in analyze(Addition("symbol", one, "config"), context).intervals.values():
        with suppress(CalendarError):
            first = min(first, context.market(one).calendar_start(need))
    return first


def _unknown_gap_policies(config: SessionConfig, data_manager: DataManager, days: Sequence[date]) -> list[str]:
    named = symbols_named(config.session_data_config.gap_policy)
    return [
        f"session_data_config.gap_policy names {name}, of which the store has no bars."
        f"{data_manager.hint(name, days[0])}"
        for name in named
        if not any(data_manager.available_intervals(name, day) for day in {days[0], days[-1]})
    ]

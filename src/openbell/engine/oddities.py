"""Oddities of calendar and data taken together, which a run warns of."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from openbell.config.gap_policy import symbols_named
from openbell.engine.never_closing import streams_without_bars
from openbell.engine.trading_oddities import futures_without_terms, unknown_to_the_store
from openbell.errors import CalendarError
from openbell.provisioning import Addition, ProvisioningContext, RunScope
from openbell.provisioning.operations import analyze
from openbell.quality.calendar_fit import bars_beyond_calendar, first_stored_day, questions_of_calendar
from openbell.quality.strange_hours import symbols_of_other_hours
from openbell.session import SessionData

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from openbell.config import SessionConfig
    from openbell.market_data.manager import DataManager
    from openbell.timing import TimeManager

__all__ = ["oddities_of"]


def oddities_of(
    config: SessionConfig, time_manager: TimeManager, data_manager: DataManager, days: Sequence[date]
) -> tuple[str, ...]:
    """Return the warnings about a run of these days.

    The calendar ends before the data, or calls a day a session on which no symbol of the config has bars; or most bars
    of a symbol lie outside its hours; or a symbol has a gap policy of its own and no bars; or no bar of a stream closes
    within these days; or what trading names is not in the store, or has no terms.
    """
    symbols = config.session_data_config.symbols
    stored = first_stored_day(data_manager.store, time_manager, symbols) or days[0]
    history = _first_day_of_history(config, time_manager, data_manager, days[0])
    begin = min(days[0], max(history, stored))
    store = data_manager.store
    return (
        *bars_beyond_calendar(store, time_manager, symbols),
        *questions_of_calendar(store, time_manager, symbols, begin, days[-1]),
        *symbols_of_other_hours(store, time_manager, symbols, begin, days[-1]),
        *_unknown_gap_policies(config, data_manager, days),
        *futures_without_terms(config, time_manager),
        *unknown_to_the_store(config, data_manager, days),
        *streams_without_bars(config, time_manager, days),
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
    policies = config.session_data_config.gap_policy
    if isinstance(policies, str):  # the usual case
        return []
    return [
        f"session_data_config.gap_policy names {name}, of which the store has no bars."
        f"{data_manager.hint(name, days[0])}"
        for name in symbols_named(policies)
        if not any(data_manager.available_intervals(name, day) for day in {days[0], days[-1]})
    ]

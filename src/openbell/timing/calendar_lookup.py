"""Calendars by name, from openbell's table or else from exchange_calendars.

Years that were over when the table was made are always read from the table. For later days the table holds what one
release of exchange_calendars knew; if another release is installed, that one is used as soon as such a day is needed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from openbell.timing.calendar_table import Hours, calendar_table
from openbell.timing.exchange_calendars_package import (
    installed_release,
    is_imported,
    is_shipped,
    library_names,
    library_schedule,
)
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from openbell.timing.schedule import Schedule

__all__ = ["CalendarNames", "directory", "exchange_schedule", "table_is_of_installed_release", "whole_directory"]

_LONGEST_CLOSURE = 14
"""The most days by which a calendar's last session may precede the last day that is requested."""


class CalendarNames(NamedTuple):
    """Names of the calendars, and their usual hours.

    Attributes:
        hours: The usual hours of each calendar, by name; None for one that is not in the table.
        aliases: Other names, and what they stand for.
    """

    hours: Mapping[str, Hours | None]
    aliases: Mapping[str, str]


def directory() -> CalendarNames:
    """Return the calendars of the table, and those of exchange_calendars if that is imported."""
    table = calendar_table()
    return whole_directory() if is_imported() else CalendarNames(table.hours, table.aliases)


def whole_directory() -> CalendarNames:
    """Return the calendars of the table and of the installed exchange_calendars."""
    table = calendar_table()
    if not is_imported() and table_is_of_installed_release():
        return CalendarNames(table.hours, table.aliases)
    names, aliases = library_names()
    return CalendarNames({**dict.fromkeys(names), **table.hours}, {**table.aliases, **aliases})


def table_is_of_installed_release() -> bool:
    """Return whether the table was made of the release of exchange_calendars that is installed."""
    return installed_release() == calendar_table().release


def exchange_schedule(name: str, last: date, *, latest: bool) -> Schedule:
    """Return the sessions of a calendar up to ``last``.

    They begin in 1990, or on the first day that is known.

    Args:
        name: Its name, without aliases.
        last: The last day that is requested; a calendar may end earlier.
        latest: Whether days after ``Schedule.settled_until`` must come from the installed exchange_calendars.

    Raises:
        ConfigError: exchange_calendars is needed, and cannot build the calendar.
    """
    table = calendar_table()
    if name not in table.calendars or (is_imported() and not is_shipped(name)):
        return library_schedule(name, last)
    known = table.calendars[name].schedule(name, last)
    reaches = known.last_day >= day_number(last) - _LONGEST_CLOSURE
    if reaches and not latest:
        return replace(known, settled_until=day_number(table.settled_until))
    if last <= table.until and table_is_of_installed_release():
        return known
    return known.through(day_number(table.settled_until)).continued(library_schedule(name, last))

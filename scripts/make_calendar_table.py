"""Make the table of calendars that openbell brings along, from the installed exchange_calendars.

Run it after each release of exchange_calendars, with a pandas that it works with, and commit the result:

    python scripts/make_calendar_table.py

`tests/timing/test_table.py` compares the table with the library.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from inspect import isabstract

from exchange_calendars import ExchangeCalendar

from openbell.errors import ConfigError
from openbell.timing.calendar_table import TABLE_PATH, CalendarTable, Hours, tabled
from openbell.timing.exchange_calendars_package import installed_release, library_names, library_schedule

YEARS_AHEAD = 10


def hours_of(name: str) -> Hours:
    """Read the present hours from a calendar's rules; to build it for that would take long, and may fail."""
    rules = next(object.__new__(c) for c in subclasses(ExchangeCalendar) if object.__new__(c).name == name)
    # Each is a list of (valid from, time); the time is None from when on there is no break.
    times = (rules.open_times, rules.break_start_times, rules.break_end_times)
    written = [f"{kind[-1][1]:%H:%M}" for kind in times if kind and kind[-1][1] is not None]
    last = "24:00" if rules.close_offset else f"{rules.close_times[-1][1]:%H:%M}"
    pairs = tuple(zip(written[::2], [*written[1::2], last], strict=True))
    return Hours(str(rules.tz), pairs, bool(rules.open_offset))


def subclasses(cls: type) -> list[type]:
    """List the classes below a class that can be made."""
    below = [one for child in cls.__subclasses__() for one in (child, *subclasses(child))]
    return [one for one in below if not isabstract(one)]


def make_table(made_in: int) -> CalendarTable:
    """Make the table as of a year, the sessions of which may still change."""
    names, aliases = library_names()
    until = date(made_in + YEARS_AHEAD, 12, 31)
    calendars = {}
    for name in names:
        try:
            calendars[name] = tabled(library_schedule(name, until))
        except ConfigError as error:
            print(f"left out: {error}")
    hours = {name: hours_of(name) for name in names}
    return CalendarTable(installed_release(), date(made_in - 1, 12, 31), until, hours, aliases, calendars)


if __name__ == "__main__":
    TABLE_PATH.write_text(make_table(datetime.now(UTC).year).to_json(), "utf-8")

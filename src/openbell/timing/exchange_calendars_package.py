"""Calendars of the installed exchange_calendars, which nothing else imports."""

from __future__ import annotations

import re
import sys
import warnings
from datetime import date
from functools import cache
from importlib import metadata
from textwrap import shorten
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from openbell.errors import ConfigError
from openbell.timing.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["EARLIEST", "installed_release", "is_imported", "is_shipped", "library_names", "library_schedule"]

EARLIEST = date(1990, 1, 1)
"""The first day of calendars, where they reach that far back."""

_SOME_DAYS = date(2024, 1, 2), date(2024, 3, 1)
"""A range that all calendars of the table know, and that is built quickly."""


@cache
def installed_release() -> str:
    """Return the version of exchange_calendars, without importing it."""
    # Parsing all of the metadata would take longer than reading a calendar from the table.
    text = metadata.distribution("exchange_calendars").read_text("METADATA") or ""
    found = re.search(r"^Version: *(\S+)", text, re.MULTILINE)
    return found[1] if found else metadata.version("exchange_calendars")


def is_imported() -> bool:
    """Return whether exchange_calendars is imported, so that calendars may be registered with it."""
    return "exchange_calendars" in sys.modules


def is_shipped(name: str) -> bool:
    """Return whether a calendar is exchange_calendars' own, rather than one that a program has registered."""
    return type(_calendar(name, *_SOME_DAYS)).__module__.startswith("exchange_calendars.")


def library_names() -> tuple[tuple[str, ...], Mapping[str, str]]:
    """Return the names of all calendars, and what each alias stands for."""
    from exchange_calendars import calendar_utils

    aliases = calendar_utils.aliases_to_names()
    names = calendar_utils.get_calendar_names(include_aliases=False)
    return tuple(names), {alias: calendar_utils.resolve_alias(alias) for alias in aliases}


def library_schedule(name: str, last: date) -> Schedule:
    """Build the sessions of a calendar up to ``last``.

    They begin on `EARLIEST`, or on the first day that is known.

    Args:
        name: Its name, without aliases.
        last: The last day that is requested; a calendar may end earlier.

    Raises:
        ConfigError: exchange_calendars cannot build it.
    """
    # Rules such as "the last session of November" go wrong where a calendar is cut, so it is built further than needed,
    # and to the end of a year, so that all days of a year give the same calendar.
    calendar = _calendar(name, EARLIEST, date(last.year + 1, 12, 31))
    schedule = calendar.schedule.loc[: str(last)]
    opens, break_start, break_end, closes = (
        _ns_of(schedule[column]) for column in ("open", "break_start", "break_end", "close")
    )
    days = schedule.index.to_numpy().astype("datetime64[D]").astype(np.int64)
    return Schedule(
        name=calendar.name,
        timezone=ZoneInfo(str(calendar.tz)),
        first_day=int(days[0]),
        last_day=int(days[-1]),
        days=days,
        open_ns=opens,
        close_ns=closes,
        breaks=((break_start, break_end),),
    )


def _calendar(name: str, first: date, last: date) -> Any:
    """Build a calendar from ``first`` to ``last``, or as far as it is known."""
    import exchange_calendars

    try:
        with warnings.catch_warnings():
            # exchange_calendars uses pandas in ways that a later pandas will not allow, of which users need no warning.
            warnings.simplefilter("ignore")
            try:
                return exchange_calendars.get_calendar(name, start=str(first), end=str(last))
            except ValueError:
                # Known only from a later day on, or up to an earlier one.
                rules = type(exchange_calendars.get_calendar(name))
                low, high = rules.bound_min(), rules.bound_max()
                start = str(first) if low is None else max(str(first), f"{low:%Y-%m-%d}")
                end = str(last) if high is None else min(str(last), f"{high:%Y-%m-%d}")
                return exchange_calendars.get_calendar(name, start=start, end=end)
    except Exception as error:
        # A few calendars of exchange_calendars do not work with every release of pandas, and fail in many ways.
        raise ConfigError(
            f"exchange_calendars {exchange_calendars.__version__} cannot build the calendar {name} here "
            f"({type(error).__name__}: {shorten(str(error), 100)}). "
            "Choose another exchange, or install releases of exchange_calendars and pandas that work together."
        ) from error


def _ns_of(times: pd.Series[pd.Timestamp]) -> NDArray[np.int64]:
    """Convert a pandas column of times to nanoseconds since 1970 UTC or `NO_TIME`."""
    column = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    return np.asarray(column.astype("datetime64[ns]").astype(np.int64), np.int64)  # NaT is the integer NO_TIME

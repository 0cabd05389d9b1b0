"""Check of what users give as a day."""

from __future__ import annotations

from datetime import date, datetime, time

from openbell.errors import ConfigError

__all__ = ["asked_day"]


def asked_day(day: date | str) -> date:
    """Return the day that a date, ISO text or a datetime at midnight names.

    Raises:
        ConfigError: It names none, or is a datetime whose time of day would be lost.
    """
    if isinstance(day, datetime):
        if day.tzinfo is not None or day.time() != time():
            raise ConfigError(f"{day} is a time, where a day is needed. Write its date, as {day:%Y-%m-%d}.")
        return day.date()
    if isinstance(day, date):
        return day
    try:
        return date.fromisoformat(day)
    except (TypeError, ValueError):
        raise ConfigError(f"{day!r} is not a day. Write it as 2024-03-11.") from None

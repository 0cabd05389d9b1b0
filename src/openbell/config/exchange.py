"""Config of own (custom) sessions, from hours alone or as changes to a known exchange."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date, time
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from openbell.config.fields import ClockTime, Day
from openbell.config.strict_model import StrictModel
from openbell.errors import did_you_mean

__all__ = ["WEEKDAYS", "BreakConfig", "Exchange", "ExchangeConfig", "ExtendedHoursConfig", "SpecialSessionConfig"]

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKDAYS = tuple(name[:3] for name in _WEEKDAYS)
"""The weekdays as a config keeps them, Monday first."""

_EVERY_YEAR = re.compile(r"\d{2}-\d{2}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MINUTES_OF_DAY = 24 * 60


def _read_days(value: object) -> str:
    """Read one day (``2024-12-24``) or a day of every year (``12-24``), and return it as text."""
    text = value.isoformat() if type(value) is date else str(value).strip()
    if not _DAY.fullmatch(text) and not _EVERY_YEAR.fullmatch(text):
        raise ValueError(f'must be a day, not {value!r}. Write 2024-12-24, or "12-24" for that day of every year.')
    try:
        date.fromisoformat(text if _DAY.fullmatch(text) else f"2000-{text}")
    except ValueError as error:
        raise ValueError(f"{text!r} is not a day of the calendar ({error})") from None
    return text


def _read_close(value: object) -> object:
    return time(0) if isinstance(value, str) and value.strip() in ("24:00", "24:00:00") else value


def _read_weekday(value: object) -> str:
    text = str(value).strip().lower()
    if text not in WEEKDAYS and text not in _WEEKDAYS:
        raise ValueError(f"unknown weekday {value!r}. Write {', '.join(WEEKDAYS)}.")
    return text[:3]


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    if twice := [v for v, n in Counter(values).items() if n > 1]:
        raise ValueError(f"{', '.join(twice)} occurs more than once. Write each once.")
    return values


Weekday = Annotated[str, BeforeValidator(_read_weekday)]
"""A weekday by the first three letters of its name."""

_DAYS_SCHEMA = {"type": "string", "pattern": r"^(\d{4}-)?\d{2}-\d{2}$", "examples": ["2024-12-24", "12-24"]}

Days = Annotated[str, BeforeValidator(_read_days), WithJsonSchema(_DAYS_SCHEMA)]
"""One day, or a day of every year."""

Closing = Annotated[ClockTime, BeforeValidator(_read_close)]
"""A time of day; ``24:00`` is midnight at the end of the day, which is written ``00:00``."""


class BreakConfig(StrictModel):
    """A time in the session in which nothing trades."""

    start: ClockTime
    """When trading stops."""
    end: Closing
    """When trading resumes."""


class SpecialSessionConfig(StrictModel):
    """A session of a single day with hours of its own."""

    open: ClockTime | None = None
    """When trading begins; as otherwise on that day unless given."""
    close: Closing | None = None
    """When it ends; as otherwise on that day unless given."""
    breaks: tuple[BreakConfig, ...] | None = None
    """Its breaks; those of other days, as far as they lie in its hours, unless given."""

    @model_validator(mode="after")
    def _says_something(self) -> SpecialSessionConfig:
        if self.open is None and self.close is None and self.breaks is None:
            raise ValueError("write open, close or breaks. A day with the usual hours belongs in extra_sessions.")
        return self


class ExtendedHoursConfig(StrictModel):
    """Trading before and after the regular hours."""

    like: Annotated[str, Field(min_length=1, strict=True)] | None = None
    """The exchange whose sessions of the same date are the extended hours; the regular hours are cut to them."""
    open: ClockTime | None = None
    """When the pre-market begins."""
    close: Closing | None = None
    """When the post-market ends."""
    early_close: Closing | None = None
    """When it ends on days that close early; without it there is no post-market then."""

    @model_validator(mode="after")
    def _names_hours(self) -> ExtendedHoursConfig:
        if (self.like is None) == (self.open is None or self.close is None) or (self.like and self.early_close):
            raise ValueError("write open and close, or like: the exchange whose sessions are the extended hours.")
        return self


class ExchangeConfig(StrictModel):
    """Own sessions, by days and hours or by their differences from a known exchange.

    All times are of the wall clock in ``timezone``. A session carries the date on which it closes: when ``open`` is not
    before ``close``, it opens on the evening before. Midnight as a close is the end of the day.
    """

    name: Annotated[str, Field(pattern=r"^\w[\w. -]*$", strict=True)]
    """What it is called in messages and summaries: letters, digits, blanks, dots, dashes and underscores."""
    like: Annotated[str, Field(min_length=1, strict=True)] | None = None
    """The exchange whose days, hours, breaks and time zone hold where nothing else is said here."""
    timezone: Annotated[str, Field(strict=True)] | None = None
    """The time zone by its name in the tz database: Europe/Zurich, America/New_York, UTC ..."""
    open: ClockTime | None = None
    """When trading begins."""
    close: Closing | None = None
    """When it ends."""
    breaks: tuple[BreakConfig, ...] | None = None
    """Times in the session in which nothing trades, in order."""
    weekdays: Annotated[tuple[Weekday, ...], AfterValidator(_distinct)] | None = None
    """The weekdays of sessions; mon to fri, or those of ``like``, unless given."""
    holidays: Annotated[tuple[Days, ...], AfterValidator(_distinct)] = ()
    """Days without a session: single ones (2024-12-24) and those of every year ("12-24")."""
    extra_sessions: tuple[Day, ...] = ()
    """Days with a session although the weekday or ``like`` says otherwise; with the usual hours of ``like``."""
    special_sessions: dict[Day, SpecialSessionConfig] = Field(default_factory=dict)
    """Sessions of single days with other hours, added or changed: {2024-11-01: {open: "18:15", close: "19:15"}}."""
    early_closes: dict[Days, Closing] = Field(default_factory=dict)
    """When sessions of single days, or of a day of every year, close earlier than usual: {2024-12-24: "13:00"}."""
    late_opens: dict[Days, ClockTime] = Field(default_factory=dict)
    """When sessions of single days, or of a day of every year, open later than usual."""
    extended: ExtendedHoursConfig | None = None
    """The hours around the regular ones, for ``session_hours: extended``."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        try:
            if zone is not None:
                ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(
                f"unknown time zone {zone!r}.{did_you_mean(zone or '', available_timezones())} "
                "Write a name of the tz database, such as Europe/Zurich or UTC."
            ) from None
        return zone

    @model_validator(mode="after")
    def _has_hours(self) -> ExchangeConfig:
        if (self.open is None) != (self.close is None):
            raise ValueError("open and close go together. Write both, or neither beside like.")
        if self.weekdays == ():
            raise ValueError("weekdays is empty. Name at least one, or leave it out.")
        missing = [key for key in ("timezone", "open", "close") if getattr(self, key) is None]
        if self.like is None and missing:
            raise ValueError(f"{', '.join(missing)} must be there, or like: the exchange that it is based on.")
        if both := sorted({day.isoformat() for day in self.extra_sessions} & set(self.holidays)):
            raise ValueError(f"{', '.join(both)} is both in holidays and in extra_sessions. Take it out of one.")
        for key in ("holidays", "early_closes", "late_opens"):
            if both := sorted({day.isoformat() for day in self.special_sessions} & set(getattr(self, key))):
                raise ValueError(f"{', '.join(both)} is both in {key} and in special_sessions. Take it out of one.")
        return self

    @model_validator(mode="after")
    def _breaks_within_hours(self) -> ExchangeConfig:
        if self.open is None or self.close is None:
            return self
        length = _minutes(self.open, self.close) or _MINUTES_OF_DAY
        reached = 0.0
        for pause in self.breaks or ():
            start, end = _minutes(self.open, pause.start), _minutes(self.open, pause.end)
            if not reached < start < end < length:
                raise ValueError(
                    f"the break from {pause.start:%H:%M} to {pause.end:%H:%M} does not lie between open and close, "
                    "after the break before it, with trading around it."
                )
            reached = end
        return self

    def __str__(self) -> str:
        return self.name

    def __hash__(self) -> int:
        return hash((self.name, self.like, self.timezone, self.open, self.close, self.holidays, self.extra_sessions))


_NAMED, _OWN = "<named>", "<own>"
"""Tags by which pydantic tells the two forms of an exchange apart; messages leave them out of a problem's place."""


def _require_one(value: object) -> object:
    if isinstance(value, list | tuple | set):
        raise ValueError(
            "is a list, but one config has one exchange, whose sessions all its symbols have. Name one, and write a "
            "config for each of the others."
        )
    return value


def _kind(value: object) -> str:
    return _OWN if isinstance(value, Mapping | ExchangeConfig) else _NAMED


Exchange = Annotated[
    Annotated[str, Field(min_length=1, strict=True), Tag(_NAMED)] | Annotated[ExchangeConfig, Tag(_OWN)],
    Discriminator(_kind),
    BeforeValidator(_require_one),
]
"""A known exchange by its name, or sessions of one's own."""


def _minutes(since: time, until: time) -> float:
    """Return the minutes from one time of day to the next occurrence of another."""
    difference = (until.hour - since.hour) * 60 + until.minute - since.minute + (until.second - since.second) / 60
    return difference % _MINUTES_OF_DAY

"""Types of values in a config, validated strictly and with readable messages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, time
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from openbell.errors import ConfigError, IntervalError
from openbell.model.address import StoreAddress, place_of
from openbell.model.interval import parse_interval

__all__ = [
    "ClockTime",
    "Day",
    "IntervalText",
    "Intervals",
    "IntradayInterval",
    "Number",
    "Params",
    "StorePlace",
    "Symbols",
    "read_interval",
    "read_symbol",
    "symbol_list",
]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_CLOCK_TIME = re.compile(r"\d{2}:\d{2}(:\d{2})?")


def _read_day(value: object) -> date:
    if isinstance(value, datetime):
        raise ValueError(f"must be a date, not a time ({value}). Write for example 2024-07-03.")
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value.strip()):
        raise ValueError(f"must be a date written year-month-day, not {value!r}. Write for example 2024-07-03.")
    try:
        return date.fromisoformat(value.strip())
    except ValueError as error:
        raise ValueError(f"{value!r} is not a day of the calendar ({error})") from None


def _read_place(value: object) -> object:
    if isinstance(value, StoreAddress):
        return value
    if not isinstance(value, str | Path):
        raise ValueError(f"must be a folder or an address, not {value!r}. Write it as text, in quotes.")
    try:
        return place_of(value)
    except ConfigError as error:
        raise ValueError(str(error)) from None


def _read_clock_time(value: object) -> time:
    remedy = 'Write hours and minutes in exchange time, for example "09:35".'
    if isinstance(value, time) and value.tzinfo is None:
        return value
    if not isinstance(value, str) or not _CLOCK_TIME.fullmatch(value.strip()):
        raise ValueError(f"must be a time of day, not {value!r}. {remedy}")
    try:
        return time.fromisoformat(value.strip())
    except ValueError:
        raise ValueError(f"{value!r} is not a time of day. {remedy}") from None


def _write_clock_time(value: time) -> str:
    return value.isoformat("seconds" if value.second else "minutes")


def read_interval(value: object) -> str:
    """Read an interval, and return its canonical form.

    Raises:
        ValueError: It is not an interval.
    """
    try:
        return str(parse_interval(str(value)))
    except IntervalError as error:
        raise ValueError(str(error)) from None


def _intraday(value: str) -> str:
    if not parse_interval(value).is_intraday:
        raise ValueError(f"{value} is not within a session. Write for example 5m or 1h.")
    return value


def _read_number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"must be a number, not {value!r}")
    return value


def _distinct_intervals(values: tuple[str, ...]) -> tuple[str, ...]:
    if twice := [v for v, n in Counter(values).items() if n > 1]:
        raise ValueError(f"{', '.join(twice)} occurs twice (1h and 60m are the same interval). Write each once.")
    return values


def read_symbol(value: object) -> str:
    """Read a symbol, in the case in which it was written.

    Raises:
        ValueError: It is not text, is empty, or has blanks.
    """
    if not isinstance(value, str):
        raise ValueError(f"a symbol is text, not {value!r}. Put it in quotes.")
    if not value or value.split() != [value]:
        raise ValueError(f"bad symbol {value!r}: a symbol is one word, without blanks")
    return value


def symbol_list(value: object) -> tuple[str, ...]:
    """Read a list of distinct symbols.

    Raises:
        ValueError: It is not a list, is empty, holds a value that is not a symbol, or holds a symbol twice.
    """
    if not isinstance(value, list | tuple):
        hint = f" Write [{value}]." if isinstance(value, str) and value else ""
        raise ValueError(f"must be a list of symbols, not {value!r}.{hint}")
    if not value:
        raise ValueError("the list of symbols is empty. Name at least one.")
    symbols = tuple(read_symbol(v) for v in value)
    if twice := [s for s, n in Counter(symbols).items() if n > 1]:
        raise ValueError(f"{', '.join(twice)} occurs more than once. Name each symbol once.")
    return symbols


def _read_params(value: object) -> object:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        for name, item in value.items():
            if not isinstance(item, bool | int | float | str) or (isinstance(item, float) and not isfinite(item)):
                raise ValueError(f"parameter {name!r} must be a number, text, true or false, not {item!r}")
        return dict(value)
    return value


def _write_params(value: Mapping[str, Any]) -> dict[str, Any]:
    return dict(value)


_INTERVAL_SCHEMA = {"type": "string", "pattern": r"^[1-9][0-9]*[smhdw]$", "examples": ["1m", "5m", "1h", "1d"]}

Day = Annotated[date, BeforeValidator(_read_day)]
"""A date, from ``2024-07-03`` or a date of TOML; times and numbers are refused."""

ClockTime = Annotated[
    time,
    BeforeValidator(_read_clock_time),
    PlainSerializer(_write_clock_time),
    WithJsonSchema({"type": "string", "pattern": r"^\d{2}:\d{2}(:\d{2})?$", "examples": ["09:35"]}),
]
"""A time of day in the exchange's time zone, from ``"09:35"`` or ``"09:35:30"``."""

IntervalText = Annotated[str, BeforeValidator(read_interval), WithJsonSchema(_INTERVAL_SCHEMA)]
"""An interval, brought to its canonical form (``1h`` becomes ``60m``)."""

IntradayInterval = Annotated[
    str, AfterValidator(_intraday), BeforeValidator(read_interval), WithJsonSchema(_INTERVAL_SCHEMA)
]
"""An interval of seconds, minutes or hours."""

Intervals = Annotated[tuple[IntervalText, ...], Field(min_length=1), AfterValidator(_distinct_intervals)]
"""At least one interval, each once."""

Number = Annotated[int | float, BeforeValidator(_read_number)]
"""A finite number; integers stay integers."""

Params = Annotated[
    Mapping[str, bool | int | float | str],
    BeforeValidator(_read_params),
    AfterValidator(MappingProxyType),
    PlainSerializer(_write_params),
]
"""Parameters by name, read-only."""

StorePlace = Annotated[
    Path | StoreAddress,
    BeforeValidator(_read_place),
    PlainSerializer(str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "path"}),
]
"""The folder of a store, or its address in object storage."""

Symbols = Annotated[tuple[str, ...], BeforeValidator(symbol_list)]
"""At least one symbol, each once, in the case in which it was written."""

"""Time zones of times in files, and the conversion of local times to UTC."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
import polars as pl

from openbell.errors import ConfigError, shortened

__all__ = ["OFFSET", "ZONE_NAME", "fixed_zone", "local_to_utc", "named_zone", "require_zone"]

_CLOCK = r".*[T \-]\d{1,2}(?::\d{2}){1,2}(?:[.,]\d+)?(?:\s*[AaPp]\.?[Mm]\b\.?)?|.*[T ]\d{4}(?:\d{2}(?:\.\d+)?)?"
OFFSET = rf"^({_CLOCK})\s*(?:Z|(?:UTC|GMT)?\s*([+-]\d{{2}}(?::?\d{{2}}(?::?00)?)?)(?:\s*[\[(].*[\])])?|UTC|GMT)$"
"""A time with an offset, in two groups, the time and the offset, which is missing where it is UTC's."""

ZONE_NAME = rf"^({_CLOCK})\s*\[?([A-Za-z]{{3,5}}|[ECMP]T|[A-Za-z]+(?:/[A-Za-z0-9_+\-]+)+)\]?$"
"""A time with the name of its zone, in two groups."""

_HOURS = {
    "EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "CET": 1, "MEZ": 1, "CEST": 2,
    "MESZ": 2, "EET": 2, "EEST": 3, "WET": 0, "WEST": 1, "MSK": 3, "JST": 9, "KST": 9, "HKT": 8, "SGT": 8, "AEST": 10,
    "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
_REGIONS = {"ET": "America/New_York", "CT": "America/Chicago", "MT": "America/Denver", "PT": "America/Los_Angeles"}
_UTC_NS = pl.Datetime("ns", "UTC")


@cache
def _regions() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones() if "/" in name} | {"zulu": "UTC"}


def require_zone(name: str, remedy: str) -> None:
    """Refuse a time zone that is not in the tz database.

    Raises:
        ConfigError: It is not there; the message ends with the remedy.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(f"unknown time zone {shortened(name)}. {remedy}") from None


def fixed_zone(name: str) -> int | None:
    """Return the hours ahead of UTC of an unambiguous abbreviation such as EST, or None."""
    return _HOURS.get(name.upper())


def named_zone(name: str, given: str | None) -> str:
    """Return the zone of the tz database for a name beside times.

    Args:
        name: The name as it is written, e.g. ``US/Eastern`` or ``IST``.
        given: The zone that the user gives, which also decides ambiguous abbreviations.

    Raises:
        ConfigError: The name is unknown, or ambiguous.
    """
    if region := _regions().get(name.casefold()) or _REGIONS.get(name.upper()):
        return region
    if given is not None and name.upper() in _abbreviations(given):
        return given
    raise ConfigError(
        f"the times have the time zone {name!r} beside them, which is unknown or ambiguous: name the time zone, "
        "for example --timezone America/Chicago."
    )


def _abbreviations(timezone: str) -> set[str]:
    """Return the abbreviations of a zone in winter and in summer."""
    zone = ZoneInfo(timezone)
    return {str(datetime(2024, month, 1, tzinfo=zone).tzname()).upper() for month in (1, 7)}


def local_to_utc(naive: pl.Series, timezone: str, groups: pl.Series | None = None) -> pl.DataFrame:
    """Convert local times of a zone to UTC.

    Times in the hour that is repeated when the clocks are set back are resolved by the order of the rows: the second
    hour begins where the local time falls back.

    Args:
        naive: Local times in the order of their file.
        timezone: The zone of the times.
        groups: The symbol of each time; None: all are of one symbol.

    Returns:
        Columns ``timestamp`` (UTC, null where there is a reason) and ``reason``.
    """
    local = naive.dt.replace_time_zone(timezone, ambiguous="null", non_existent="null")
    first = local
    if local.null_count() > naive.null_count():
        first = naive.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
        last = naive.dt.replace_time_zone(timezone, ambiguous="latest", non_existent="null")
        hour = _hour_of_repeated(naive, (local.is_null() & first.is_not_null()).to_numpy(), groups)
        frame = pl.DataFrame({"local": local, "first": first, "last": last, "hour": hour})
        resolved = pl.when(hour=1).then("first").when(hour=2).then("last").otherwise("local")
        local = frame.select(resolved.alias("local")).to_series()
    return _with_reasons(local.dt.convert_time_zone("UTC"), naive, first, timezone)


def _with_reasons(local: pl.Series, naive: pl.Series, first: pl.Series, timezone: str) -> pl.DataFrame:
    frame = pl.DataFrame({"timestamp": local.cast(_UTC_NS), "naive": naive, "first": first})
    reason = (
        pl.when(pl.col("timestamp").is_not_null()).then(None)
        .when(pl.col("naive").is_null()).then(pl.lit("the time cannot be read"))
        .when(pl.col("first").is_null()).then(pl.lit(f"there is no such time in {timezone}: the clocks skip it"))
        .otherwise(pl.lit(f"the time comes twice in {timezone}: the clocks are set back"))
    )  # fmt: skip
    return frame.select("timestamp", reason.cast(pl.String).alias("reason"))


def _hour_of_repeated(naive: pl.Series, repeated: np.ndarray, groups: pl.Series | None) -> np.ndarray:
    """Return which of two repeated hours each row is in.

    The value is 1 in the first, 2 in the second, and 0 elsewhere or if unclear.
    """
    times = naive.cast(pl.Datetime("us")).to_physical().fill_null(0).to_numpy()
    hour = np.zeros(len(times), np.int8)
    rows = np.flatnonzero(repeated)
    if not len(rows):
        return hour
    symbols = groups.fill_null("").rank("dense").to_numpy() if groups is not None else np.zeros(len(times))
    whole = np.flatnonzero(np.isin(symbols, symbols[rows]))
    for symbol in np.unique(symbols[rows]):
        mine = whole[symbols[whole] == symbol]
        rising = np.sign(np.diff(times[mine])).sum() >= 0
        own = rows[symbols[rows] == symbol]
        for day in np.unique(times[own] // 86_400_000_000):
            these = own[times[own] // 86_400_000_000 == day]
            order = these if rising else these[::-1]
            back = np.flatnonzero(np.diff(times[order]) <= 0)
            if len(back) == 1:
                hour[order[: back[0] + 1]] = 1
                hour[order[back[0] + 1 :]] = 2
    return hour

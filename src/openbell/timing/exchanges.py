"""The calendars of exchange_calendars, as columns and plain facts; nothing else asks that package.

What it says is kept on disk (`openbell.timing.kept`), so that a process that finds it there imports neither
exchange_calendars nor pandas.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import warnings
import zoneinfo
from datetime import date
from functools import cache, lru_cache
from importlib import metadata, resources
from importlib.util import find_spec
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from openbell.errors import ConfigError
from openbell.timing.kept import Kept, keep
from openbell.timing.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["EARLIEST", "Directory", "Hours", "directory", "exchange_schedule"]

EARLIEST = date(1990, 1, 1)
"""The first day of calendars, where they reach that far back."""

_PACKAGES = ("pandas", "korean_lunar_calendar", "pyluach")
"""The packages by which exchange_calendars works out days; their release may change them."""


class Hours(NamedTuple):
    """What a calendar's rules say as of today.

    Attributes:
        timezone: By its name in the tz database.
        segments: The usual segments as pairs of local times; ``24:00`` is midnight at the end of the day.
        opens_on_eve: Whether a session opens on the evening before its date.
    """

    timezone: str
    segments: tuple[tuple[str, str], ...]
    opens_on_eve: bool


class Directory(NamedTuple):
    """Which calendars there are.

    Attributes:
        hours: Of each calendar, by name; a calendar that was registered by hand has none.
        aliases: Other names, and what they stand for.
    """

    hours: Mapping[str, Hours | None]
    aliases: Mapping[str, str]


def directory() -> Directory:
    """The calendars that exchange_calendars has."""
    stamp = _stamp()
    return _directory() if stamp is None else _kept_directory(stamp)


@lru_cache(maxsize=1)
def _kept_directory(stamp: tuple[str, ...]) -> Directory:
    def make() -> Kept:
        known = _directory()
        return Kept({"hours": known.hours, "aliases": known.aliases})

    facts = keep("directory", stamp, make).facts
    hours = {name: Hours(zone, tuple(map(tuple, pairs)), eve) for name, (zone, pairs, eve) in facts["hours"].items()}
    return Directory(hours, facts["aliases"])


def exchange_schedule(name: str, hours: Hours | None, last: date) -> Schedule:
    """The sessions of a calendar from `EARLIEST`, or the first day that it is known, to ``last``.

    Args:
        name: Its name, without aliases.
        hours: What the `directory` has of it.
        last: The last day that is asked for; a calendar may end earlier.

    Raises:
        ConfigError: It cannot be built here.
    """
    # Rules such as "the last session of November" go wrong where a calendar is cut, so it is built further than needed,
    # and the same for all days of a year.
    until = date(last.year + 1, 12, 31)
    stamp = _stamp()
    if hours is None or stamp is None:
        kept = _built(name, until)
    else:
        origin = (*stamp, _rules_of(hours.timezone), EARLIEST.isoformat(), until.isoformat())
        kept = keep(name, origin, lambda: _built(name, until))
    days = kept.columns[0]
    count = int(np.searchsorted(days, np.datetime64(last).astype(np.int64), side="right"))
    days, opens, break_start, break_end, closes = (column[:count] for column in kept.columns)
    return Schedule(
        name=kept.facts["name"],
        timezone=ZoneInfo(kept.facts["timezone"]),
        first_day=int(days[0]),
        last_day=int(days[-1]),
        days=days,
        open_ns=opens,
        close_ns=closes,
        breaks=((break_start, break_end),),
    )


def _stamp() -> tuple[str, ...] | None:
    """What decides the content of calendars; None when that cannot be told, so that nothing may be kept."""
    if "exchange_calendars" in sys.modules:
        from exchange_calendars import calendar_utils

        try:
            known = calendar_utils.global_calendar_dispatcher
            shipped = calendar_utils._default_calendar_factories, calendar_utils._default_calendar_aliases  # noqa: SLF001
            if known._calendars or (known._calendar_factories, known._aliases) != shipped:  # noqa: SLF001 - no public way
                return None
        except AttributeError:
            return None
    return _installed()


@cache
def _installed() -> tuple[str, ...] | None:
    """The releases that are installed, and a checksum of exchange_calendars' source, which may have been edited."""
    try:
        spec = find_spec("exchange_calendars")
        folders = spec.submodule_search_locations if spec else None
        if not folders:
            return None
        source = hashlib.sha256()
        for folder, _, names in sorted(os.walk(folders[0])):
            for name in sorted(name for name in names if name.endswith(".py")):
                source.update(Path(folder, name).read_bytes())
        return (*(f"{package} {_version(package)}" for package in _PACKAGES), source.hexdigest())
    except (OSError, ValueError, metadata.PackageNotFoundError):
        return None


def _version(package: str) -> str:
    """The release of a package, from its metadata without parsing all of it.

    Raises:
        PackageNotFoundError: It is not installed.
    """
    found = re.search(r"^Version: *(\S+)", metadata.distribution(package).read_text("METADATA") or "", re.MULTILINE)
    if found is None:
        raise metadata.PackageNotFoundError(package)
    return found[1]


def _rules_of(timezone: str) -> str:
    """A checksum of what the tz database says of a zone, where `ZoneInfo` finds it."""
    for folder in zoneinfo.TZPATH:
        path = Path(folder, timezone)
        if path.is_file():
            return hashlib.sha256(path.read_bytes()).hexdigest()
    *parents, name = timezone.split("/")
    package = ".".join(["tzdata", "zoneinfo", *parents])
    return hashlib.sha256(resources.files(package).joinpath(name).read_bytes()).hexdigest()


def _directory() -> Directory:
    from exchange_calendars import calendar_utils

    # An instance builds decades of sessions, which for all calendars takes a minute; hours are properties of its class.
    rules = getattr(calendar_utils, "_default_calendar_factories", {})
    names = calendar_utils.get_calendar_names(include_aliases=False)
    hours = {name: _hours(object.__new__(rules[name])) if name in rules else None for name in names}
    return Directory(hours, {alias: calendar_utils.resolve_alias(alias) for alias in calendar_utils.aliases_to_names()})


def _hours(rules: Any) -> Hours:
    # Each is a list of (valid from, time); the time is None from when on there is no break.
    kinds = (rules.open_times, rules.break_start_times, rules.break_end_times)
    written = [f"{kind[-1][1]:%H:%M}" for kind in kinds if kind and kind[-1][1] is not None]
    last = "24:00" if rules.close_offset else f"{rules.close_times[-1][1]:%H:%M}"
    pairs = tuple(zip(written[::2], [*written[1::2], last], strict=True))
    return Hours(str(rules.tz), pairs, bool(rules.open_offset))


def _built(name: str, last: date) -> Kept:
    """The schedule from exchange_calendars: days, opens, starts and ends of breaks, closes."""
    with warnings.catch_warnings():
        # exchange_calendars uses pandas in ways that the next pandas will not have; that is not our user's concern.
        warnings.simplefilter("ignore")
        calendar = _build_calendar(name, last)
        schedule = calendar.schedule
    times = [_ns_of(schedule[column]) for column in ("open", "break_start", "break_end", "close")]
    days = schedule.index.to_numpy().astype("datetime64[D]").astype(np.int64)
    return Kept({"name": calendar.name, "timezone": str(calendar.tz)}, (days, *times))


def _build_calendar(name: str, last: date) -> Any:
    """The calendar from exchange_calendars, from `EARLIEST` to ``last`` or as far as it is known."""
    import exchange_calendars

    try:
        try:
            return exchange_calendars.get_calendar(name, start=str(EARLIEST), end=str(last))
        except ValueError:
            # Known only from a later day on, or up to an earlier one.
            rules = type(exchange_calendars.get_calendar(name))
            low, high = rules.bound_min(), rules.bound_max()
            start = str(EARLIEST) if low is None else max(str(EARLIEST), f"{low:%Y-%m-%d}")
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
    """Times of a pandas column as nanoseconds since 1970 UTC, `NO_TIME` where there is none (NaT is that integer)."""
    column = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    return np.asarray(column.astype("datetime64[ns]").astype(np.int64), np.int64)

"""Table of calendars that ships with openbell.

It stands in for exchange_calendars, which takes half a second to build a calendar. It is one JSON file. The ``kinds``
of a calendar are the different hours of its sessions, by the exchange's wall clock. Its ``days`` hold one byte for each
day from ``first`` on: 0 for a day without a session, else the number of its kind.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np

from openbell.timing.grid import date_of, day_number
from openbell.timing.schedule import NO_TIME, Schedule, wall_clock_ns, wall_minutes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["TABLE_PATH", "CalendarTable", "Hours", "TabledCalendar", "calendar_table", "tabled"]

TABLE_PATH = Path(__file__).with_name("calendars.json")

_SECOND_NS = 1_000_000_000
_MINUTE_NS = 60 * _SECOND_NS
_DAY_MINUTES = 1440
_MOST_KINDS = 255
_NO_MINUTE = -1_000_000

Kind: TypeAlias = "tuple[int, int | None, int | None, int]"
"""Open, start and end of the break, and close of a session, in minutes of the wall clock since its date began."""


class Hours(NamedTuple):
    """The usual hours of a calendar when the table was made.

    Attributes:
        timezone: By its name in the tz database.
        segments: The usual segments as pairs of local times; ``24:00`` is midnight at the end of the day.
        opens_on_eve: Whether a session opens on the evening before its date.
    """

    timezone: str
    segments: tuple[tuple[str, str], ...]
    opens_on_eve: bool


@dataclass(frozen=True, slots=True)
class TabledCalendar:
    """The sessions of one calendar, as the table holds them.

    Attributes:
        timezone: By its name in the tz database.
        first: The first day that is known.
        kinds: The kinds of sessions; that with the number n is at index n - 1.
        days: The number of the kind of each day from ``first`` on, one byte each, compressed, as base64 text.
    """

    timezone: str
    first: date
    kinds: tuple[Kind, ...]
    days: str

    def schedule(self, name: str, last: date | None = None) -> Schedule:
        """Build the schedule of all days that are known, or of those up to ``last``."""
        through = None if last is None else (last - self.first).days + 1
        kind_of_day = np.frombuffer(zlib.decompress(b64decode(self.days)), np.uint8)[:through]
        rows = np.flatnonzero(kind_of_day)
        days, kind = rows + day_number(self.first), kind_of_day[rows].astype(np.intp) - 1
        zone = ZoneInfo(self.timezone)
        columns = zip(*self.kinds, strict=True)
        opens, break_start, break_end, closes = (_times(days, kind, minutes, zone) for minutes in columns)
        return Schedule(
            name=name,
            timezone=zone,
            first_day=int(days[0]),
            last_day=int(days[-1]),
            days=days,
            open_ns=opens,
            close_ns=closes,
            breaks=((break_start, break_end),),
        )


@dataclass(frozen=True, slots=True)
class CalendarTable:
    """Content of the table.

    Attributes:
        release: The version of exchange_calendars that it was made of.
        settled_until: The last day that a later release is not expected to change.
        until: The last day of calendars that do not end earlier by themselves.
        hours: The usual hours of each calendar, by name.
        aliases: Other names, and what they stand for.
        calendars: The sessions of each calendar that could be built, by name.
    """

    release: str
    settled_until: date
    until: date
    hours: Mapping[str, Hours]
    aliases: Mapping[str, str]
    calendars: Mapping[str, TabledCalendar]

    def to_json(self) -> str:
        """Write the file's text, a line for each calendar."""
        head = {"release": self.release, "settled_until": str(self.settled_until), "until": str(self.until)}
        rows = {
            name: {
                "hours": hours,
                **(
                    {"first": str(c.first), "kinds": c.kinds, "days": c.days} if (c := self.calendars.get(name)) else {}
                ),
            }
            for name, hours in sorted(self.hours.items())
        }
        lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
        return f'{json.dumps(head | {"aliases": self.aliases})[:-1]}, "calendars": {{\n{lines}\n}}}}\n'

    @classmethod
    def from_json(cls, text: str) -> CalendarTable:
        """Read the file's text."""
        data = json.loads(text)
        hours, calendars = {}, {}
        for name, row in data["calendars"].items():
            zone, segments, opens_on_eve = row["hours"]
            hours[name] = Hours(zone, tuple(map(tuple, segments)), opens_on_eve)
            if "days" in row:
                first, kinds = date.fromisoformat(row["first"]), tuple(map(tuple, row["kinds"]))
                calendars[name] = TabledCalendar(zone, first, kinds, row["days"])
        settled_until, until = (date.fromisoformat(data[key]) for key in ("settled_until", "until"))
        return cls(data["release"], settled_until, until, hours, data["aliases"], calendars)


@cache
def calendar_table() -> CalendarTable:
    """Return the table that ships with openbell."""
    return CalendarTable.from_json(TABLE_PATH.read_text("utf-8"))


def tabled(schedule: Schedule) -> TabledCalendar:
    """Write the sessions of a schedule as the table holds them.

    Raises:
        ValueError: A time is not on a whole minute, or there are more kinds of sessions than a byte can number.
    """
    (breaks,) = schedule.breaks
    columns = (schedule.open_ns, *breaks, schedule.close_ns)
    rows = zip(*(_minutes(column, schedule) for column in columns), strict=True)
    numbers: dict[Kind, int] = {}
    kind = [numbers.setdefault(row, len(numbers) + 1) for row in rows]
    if len(numbers) > _MOST_KINDS:
        raise ValueError(f"{schedule.name} has {len(numbers)} kinds of sessions, more than a byte can number")
    kind_of_day = np.zeros(schedule.days[-1] - schedule.days[0] + 1, np.uint8)
    kind_of_day[schedule.days - schedule.days[0]] = kind
    text = b64encode(zlib.compress(kind_of_day.tobytes(), 9)).decode()
    return TabledCalendar(str(schedule.timezone), date_of(schedule.days[0]), tuple(numbers), text)


def _minutes(column: NDArray[np.int64], schedule: Schedule) -> list[int | None]:
    """Convert times to minutes of the wall clock since each session's date began."""
    for ns in column.tolist():
        if ns != NO_TIME and ns % _MINUTE_NS:
            local = datetime.fromtimestamp(ns // _SECOND_NS, schedule.timezone)
            raise ValueError(f"{schedule.name}: {local} is not on a whole minute")
    return wall_minutes(column, schedule.days, schedule.timezone)


def _times(
    days: NDArray[np.int64], kind: NDArray[np.intp], minutes: Sequence[int | None], zone: ZoneInfo
) -> NDArray[np.int64]:
    """Convert the minutes of each session's kind to times, `NO_TIME` where they are None."""
    times = np.full(len(days), NO_TIME, np.int64)
    of_session = np.array([_NO_MINUTE if minute is None else minute for minute in minutes])[kind]
    for minute in {*minutes} - {None}:
        rows = np.flatnonzero(of_session == minute)
        shift, of_day = divmod(int(minute or 0), _DAY_MINUTES)
        times[rows] = wall_clock_ns(days[rows] + shift, time(*divmod(of_day, 60)), zone)
    return times

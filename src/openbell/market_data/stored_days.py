"""Daily bars of days that are not sessions."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from openbell.errors import DataError
from openbell.model.interval import DAY_NS
from openbell.store.day_zones import SESSION, UNKNOWN
from openbell.timing.grid import date_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from openbell.model.address import Place
    from openbell.timing.grid import SessionGrid
    from openbell.timing.manager import TimeManager

__all__ = ["UNNAMED_DAYS", "StoredDays", "spans_beyond_sessions"]

UNNAMED_DAYS = "days that nobody named"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOOKED_AT = timedelta(days=30)
_WHOLE_DAY_NS = DAY_NS - 2 * 3_600_000_000_000
"""So long is a session that goes on around the clock, also when the clocks change."""


class StoredDays:
    """Days that stored daily bars span, compared with the sessions of an exchange.

    Args:
        zones: The time zone of these days, by the symbol that bars are stored under, `SESSION` or `UNKNOWN`; of
            others a day is a session.
        time_manager: The sessions.
    """

    def __init__(self, zones: Mapping[str, str], time_manager: TimeManager) -> None:
        self._zones = {symbol: zone for symbol, zone in zones.items() if zone != SESSION}
        self._time_manager = time_manager
        self._beyond: dict[tuple[str, date], bool] = {}

    def beyond_sessions(self, symbols: Iterable[str], day: date) -> str | None:
        """Return what daily bars span if they end after their sessions do, so that they would show the future.

        Args:
            symbols: The symbols that the bars are stored under.
            day: The sessions of the 30 days up to this one are looked at.
        """
        if not self._zones:  # the usual case
            return None
        zones = (self._zones[symbol] for symbol in symbols if symbol in self._zones)
        return next((_described(zone) for zone in zones if self._is_beyond(zone, day)), None)

    def ambiguous(self, day: date) -> bool:
        """Return whether a date alone does not say which session a daily bar is of.

        So it is where sessions begin on the evening before their date, or go on around the clock: the day may as well
        be one of UTC, or of the market's local time. That 24/7 is a day of UTC, all agree.

        Args:
            day: The sessions of the 30 days up to this one are looked at.
        """
        return self._is_beyond(UNKNOWN, day)

    def _is_beyond(self, zone: str, day: date) -> bool:
        known = self._beyond.get((zone, day))
        if known is None:
            first = max(day - _LOOKED_AT, self._time_manager.first_day)
            grid = self._time_manager.grid(first, day)
            if zone == UNKNOWN:
                known = self._has_ambiguous_dates(grid)
            else:
                closes = zip(grid.days.tolist(), grid.close_ns.tolist(), strict=True)
                known = any(_ends_ns(date_of(d), zone) > close for d, close in closes)
            self._beyond[zone, day] = known
        return known

    def _has_ambiguous_dates(self, grid: SessionGrid) -> bool:
        starts = (self._time_manager.to_local(ns).date() for ns in grid.open_ns.tolist())
        evening_before = any(start < date_of(d) for start, d in zip(starts, grid.days.tolist(), strict=True))
        whole_days = bool((grid.close_ns - grid.open_ns >= _WHOLE_DAY_NS).any())
        of_utc = bool((grid.open_ns == grid.days * DAY_NS).all())
        return evening_before or (whole_days and not of_utc)


def _described(zone: str) -> str:
    return UNNAMED_DAYS if zone == UNKNOWN else f"days in {zone}"


def _ends_ns(day: date, zone: str) -> int:
    """Return the end of a day in a time zone, in nanoseconds since 1970 UTC."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))
    return (midnight - _EPOCH) // timedelta(days=1) * DAY_NS + (midnight - _EPOCH).seconds * 1_000_000_000


def spans_beyond_sessions(symbol: str, days: str, exchange: str, store: Place) -> DataError:
    """Return the error that daily bars would show what happens after their session."""
    if days == UNNAMED_DAYS:
        return DataError(
            f"the daily bars of {symbol} in {store} have dates, and sessions of {exchange} begin on the evening before "
            "their date or go on around the clock: nobody said whether a date is that of a session, and bars of other "
            "days would show later prices. Import them again with --days session, or with the time zone of their days "
            "(--days UTC); or import its 1m bars, and daily bars are made of these."
        )
    return DataError(
        f"the daily bars of {symbol} in {store} are {days}, which end after the sessions of {exchange} do: at a "
        "session's close they would show later prices. Import its 1m bars, and daily bars are made of these; or use an "
        "exchange whose sessions are such days (24/7)."
    )

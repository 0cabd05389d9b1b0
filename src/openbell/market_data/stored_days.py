"""Daily bars of days that are not sessions."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from openbell.errors import DataError
from openbell.model.interval import DAY_NS
from openbell.timing.grid import date_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date
    from pathlib import Path

    from openbell.timing.manager import TimeManager

__all__ = ["StoredDays", "spans_beyond_sessions"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOOKED_AT = timedelta(days=30)


class StoredDays:
    """Days that stored daily bars span, compared with the sessions of an exchange.

    Args:
        zones: The time zone of these days, by the symbol that bars are stored under; of others a day is a session.
        time_manager: The sessions.
    """

    def __init__(self, zones: Mapping[str, str], time_manager: TimeManager) -> None:
        self._zones = zones
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
        return next((f"days in {zone}" for zone in zones if self._is_beyond(zone, day)), None)

    def _is_beyond(self, zone: str, day: date) -> bool:
        known = self._beyond.get((zone, day))
        if known is None:
            first = max(day - _LOOKED_AT, self._time_manager.first_day)
            grid = self._time_manager.grid(first, day)
            closes = zip(grid.days.tolist(), grid.close_ns.tolist(), strict=True)
            known = self._beyond[zone, day] = any(_ends_ns(date_of(d), zone) > close for d, close in closes)
        return known


def _ends_ns(day: date, zone: str) -> int:
    """Return the end of a day in a time zone, in nanoseconds since 1970 UTC."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))
    return (midnight - _EPOCH) // timedelta(days=1) * DAY_NS + (midnight - _EPOCH).seconds * 1_000_000_000


def spans_beyond_sessions(symbol: str, days: str, exchange: str, store: Path) -> DataError:
    """Return the error that daily bars would show what happens after their session."""
    return DataError(
        f"the daily bars of {symbol} in {store} are {days}, which end after the sessions of {exchange} do: at a "
        "session's close they would show later prices. Import its 1m bars, and daily bars are made of these; or use an "
        "exchange whose sessions are such days (24/7)."
    )

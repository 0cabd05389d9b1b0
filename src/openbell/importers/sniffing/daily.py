"""Detection of how the times of daily bars become dates of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from openbell.errors import CalendarError, ConfigError
from openbell.importers.sniffing.detection import Detection
from openbell.importers.times.bar_times import TimeReader
from openbell.importers.times.session_dates import session_dates, sessions_around
from openbell.market_data.stored_facts import StoredDays
from openbell.model.interval import DAY_NS, parse_interval
from openbell.store.day_zones import SESSION
from openbell.timing import TimeManager
from openbell.timing.grid import date_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.config.exchange import ExchangeConfig

__all__ = ["DayRule", "sniff_days", "sniff_span"]

_MOSTLY = 0.9
_FITTING = 0.97
_STRANGE = 0.1
_LAST_MOMENT_NS = 60_000_000_000


class DayRule(NamedTuple):
    """The rule by which times of daily bars become dates.

    Attributes:
        timezone: The time zone in which the dates are taken; None: the dates are taken as they are written.
        sessions_of: The exchange by whose sessions instants become dates, else None.
        detection: The detection to report, None for dates as they are written.
    """

    timezone: str | None
    sessions_of: str | ExchangeConfig | None
    detection: Detection | None


def sniff_days(
    times: pl.Series, form: str | None, timezone: str | None, exchange: str | ExchangeConfig, where: str
) -> DayRule:
    """Find how the times of daily bars become dates.

    Written dates, and times at midnight, are taken as they are. Instants at the opens or closes of the exchange get the
    date of the session, instants at midnight of UTC or of its time zone the date there.

    Args:
        times: The times as they are in the file.
        form: The format of the times, as for `TimeReader`.
        timezone: The time zone that the user gives, or None.
        exchange: The exchange.
        where: The file, for messages.

    Raises:
        ConfigError: The times are other instants, and no time zone is given.
    """
    reader = TimeReader(parse_interval("1d"), form, timezone or "UTC")
    written = reader.written_dates(times).cast(pl.Datetime("ns")).to_physical().drop_nulls().to_numpy()
    clock = _clocks(times, reader)
    if not len(clock) or _is_midnight(clock):
        return DayRule(None, None, None)
    if not reader.has_instants(times) and timezone is None:
        return _naive(times, written, exchange, where)
    instants = reader.instants(times)["timestamp"].drop_nulls()
    if (found := _by_opens(instants, timezone, exchange)) or (found := _by_midnight(instants, timezone, exchange)):
        return found
    manager = _calendar(exchange)
    if manager is not None and _fits_next(written, manager):
        days = session_dates(instants, manager).drop_nulls().to_physical().to_numpy()
        if len(days) == len(written) and (days == written + DAY_NS).mean() >= _FITTING:
            why = f"the times are evenings before the sessions of {exchange}"
            return DayRule(timezone, exchange, Detection("dates", f"sessions of {exchange}", why, "likely"))
    if timezone is None:
        raise ConfigError(
            f"{where}: its daily bars are stamped with instants ({times[0]}), which are another date elsewhere, and "
            f"not with the opens of {exchange}. Say whose dates they are: --timezone, for example --timezone "
            "Asia/Tokyo, or --exchange."
        )
    why = f"assumed: {exchange} does not open or close at these times (--exchange)"
    return DayRule(timezone, None, Detection("dates", f"in {timezone}", why, "assumed"))


def sniff_span(
    rule: DayRule, days: str | None, written: NDArray[np.int64], exchange: str | ExchangeConfig
) -> tuple[str | None, Detection | None]:
    """Find which days daily bars span.

    Args:
        rule: The rule by which their times become dates.
        days: The days that the user gives, "session" or a time zone, or None.
        written: The dates, in nanoseconds since 1970.
        exchange: The exchange.

    Returns:
        "session", a time zone or None where this is unknown, and a detection if there is something to report.
    """
    if days is not None:
        return days, Detection("days", days, "given", "given")
    if rule.sessions_of is not None:
        return SESSION, None
    manager = _calendar(exchange)
    last = date_of(int(written.max()) // DAY_NS) if len(written) else None
    if manager is None or last is None or not manager.first_day <= last <= manager.last_day:
        return None, None
    if not StoredDays({}, manager).ambiguous(last):
        return None, None
    why = (
        f"sessions of {exchange} begin on the evening before their date or continue around the clock: they read these "
        "bars only with --days session, or the time zone of their days (--days UTC)"
    )
    return None, Detection("days", "not known", why, "assumed")


def _naive(times: pl.Series, written: NDArray[np.int64], exchange: str | ExchangeConfig, where: str) -> DayRule:
    """Return the rule that local times are dates as they are written.

    Raises:
        ConfigError: The times are evenings before the sessions of their bars.
    """
    manager = _calendar(exchange)
    if manager is not None and _fits_next(written, manager):
        raise ConfigError(
            f"{where}: its daily bars are stamped in the evening before the sessions of {exchange} ({times[0]}): say "
            "the time zone of these times with --timezone, and --exchange if it is another one."
        )
    return DayRule(None, None, None)


def _by_opens(instants: pl.Series, timezone: str | None, exchange: str | ExchangeConfig) -> DayRule | None:
    """Return the rule for instants at opens or closes of the exchange, or None for others."""
    manager, ns = _calendar(exchange), instants.to_physical().to_numpy()
    grid = sessions_around(ns, manager) if manager is not None else None
    if grid is None or np.isin(ns, np.concatenate([grid.open_ns, grid.close_ns])).mean() < _MOSTLY:
        return None
    why = f"the times are opens or closes of {exchange}"
    return DayRule(timezone, exchange, Detection("dates", f"sessions of {exchange}", why, "certain"))


def _by_midnight(instants: pl.Series, timezone: str | None, exchange: str | ExchangeConfig) -> DayRule | None:
    """Return the rule for instants at midnight of a time zone, or None for others."""
    manager = _calendar(exchange)
    if timezone is not None:
        return DayRule(timezone, None, None) if _is_midnight(_local(instants, timezone)) else None
    zones = ["UTC", *([str(manager.timezone)] if manager is not None else [])]
    zone = next((zone for zone in zones if _is_midnight(_local(instants, zone))), None)
    if zone is None:
        return None
    return DayRule(zone, None, Detection("dates", f"in {zone}", "all times are midnight there", "likely"))


def _clocks(times: pl.Series, reader: TimeReader) -> NDArray[np.int64]:
    """Return the written times of day in nanoseconds since midnight, none for dates."""
    if times.dtype == pl.Date:
        return np.empty(0, np.int64)
    local = reader.written_times(times).cast(pl.Datetime("ns")).drop_nulls()
    return local.to_physical().to_numpy() % DAY_NS


def _is_midnight(clock: NDArray[np.int64]) -> bool:
    """Return whether nearly all times of day are midnight, or within the minute before."""
    return bool(((clock == 0) | (clock >= DAY_NS - _LAST_MOMENT_NS)).mean() >= _FITTING)


def _local(instants: pl.Series, timezone: str) -> NDArray[np.int64]:
    """Return the times of day of instants in a time zone, in nanoseconds since midnight."""
    local = instants.dt.convert_time_zone(timezone).dt.replace_time_zone(None).cast(pl.Datetime("ns"))
    return local.to_physical().to_numpy() % DAY_NS


def _calendar(exchange: str | ExchangeConfig) -> TimeManager | None:
    try:
        return TimeManager(exchange)
    except CalendarError:
        return None


def _fits(days: NDArray[np.int64], manager: TimeManager) -> bool:
    grid = sessions_around(days, manager)
    return grid is not None and len(days) > 0 and bool(np.isin(days // DAY_NS, grid.days).mean() >= _FITTING)


def _fits_next(days: NDArray[np.int64], manager: TimeManager) -> bool:
    """Return whether the days after the dates are sessions, unlike the dates."""
    grid = sessions_around(days, manager)
    if grid is None or not len(days):
        return False
    own = np.isin(days // DAY_NS, grid.days).mean()
    return bool(own < 1 - _STRANGE and np.isin(days // DAY_NS + 1, grid.days).mean() >= _FITTING)

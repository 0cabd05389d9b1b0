"""Comparison of the times of a file with the sessions of an exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.errors import CalendarError, ConfigError
from openbell.importers.times.session_dates import sessions_around
from openbell.market_data.aggregate import rows_in_segments
from openbell.market_data.session_grid import off_grid
from openbell.model.interval import DAY_NS, parse_interval
from openbell.timing.grid import date_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.model.interval import Interval
    from openbell.timing import TimeManager
    from openbell.timing.grid import SessionGrid

__all__ = [
    "runs_around_the_clock",
    "warnings_of_days",
    "warnings_of_interval",
    "warnings_of_times",
    "warnings_of_times_to_come",
]

_STRAY = 0.05
_MOST = 0.5
_COVERED = 0.7
_NEARLY_ALL = 0.95
_FEWEST_BARS = 20
_MANY_DAYS = 0.1
_HOUR_NS = 3_600_000_000_000
_HALF_HOUR_NS = _HOUR_NS // 2
_FARTHEST_NS = 8 * _HOUR_NS
_NEAR_NS = 300_000_000_000
_FEWEST_SESSIONS = 3


def runs_around_the_clock(starts: NDArray[np.int64], time_manager: TimeManager) -> bool:
    """Return whether more than 5 % of the bars lie outside all hours.

    Hours include extended hours where the exchange has them.
    """
    return _share_inside(starts, _extended(time_manager) or time_manager) < 1 - _STRAY


def warnings_of_times(starts: NDArray[np.int64], time_manager: TimeManager, timezone: str | None) -> list[str]:
    """Return warnings that the time zone may be wrong.

    There is one when most bars lie outside the sessions, or all sessions are shifted by the same number of half hours.

    Args:
        starts: Starts of intraday bars, nanoseconds UTC.
        time_manager: The calendar.
        timezone: The time zone that the user gives, or None.
    """
    starts = np.unique(starts)
    grid = sessions_around(starts, time_manager)
    if grid is None or len(starts) < _FEWEST_BARS:
        return []
    regular = _share_inside(starts, time_manager)
    around = _share_inside(starts, _extended(time_manager) or time_manager)
    exchange = time_manager.exchange
    zone = f"is {timezone} the time zone of the file" if timezone else "is the time zone of the file right"
    if regular >= _MOST or (around >= _MOST and _covered(starts, grid) >= _COVERED):
        if not (moved := _moved(starts, grid)):
            return []
        by = f"{abs(moved) / _HOUR_NS:g} h {'after' if moved > 0 else 'before'}"
        return [
            (
                f"the bars of each session begin and end {by} open and close of {exchange}: {zone}, and {exchange} the "
                "exchange (--timezone, --exchange)?"
            )
        ]
    return [
        (
            f"{1 - regular:.0%} of the first {len(starts):,} bars lie outside the sessions of {exchange}: {zone}, and "
            f"{exchange} the exchange (--timezone, --exchange)? A session of {exchange} does not use such bars."
        )
    ]


def warnings_of_interval(starts: NDArray[np.int64], interval: Interval, time_manager: TimeManager) -> list[str]:
    """Warn when bars begin between those of a session, or lie apart as those of a longer interval do.

    Args:
        starts: Starts of intraday bars of one symbol, nanoseconds UTC.
        interval: Their interval.
        time_manager: The calendar.
    """
    starts = np.unique(starts)
    grid = sessions_around(starts, time_manager)
    if grid is None:
        return []
    off, exchange = int(off_grid(starts, interval, grid).sum()), time_manager.exchange
    found = []
    if off:
        inside = int(rows_in_segments(starts, grid)[0].sum())
        read = "reads none of these bars" if 2 * off > inside else "leaves such bars out"
        found.append(
            f"{off:,} of the first {len(starts):,} bars do not begin at a multiple of {interval} from the open of "
            f"{exchange}; a session {read}: do they follow the clock (--interval, --label, --exchange)?"
        )
    steps = np.diff(starts)
    usual = int(np.median(steps)) if len(steps) >= _FEWEST_BARS else 0
    if usual >= 2 * interval.ns and (starts % usual == starts[0] % usual).mean() > _NEARLY_ALL:
        longer = "1d" if usual >= DAY_NS else str(parse_interval(f"{usual // 1_000_000_000}s"))
        found.append(f"the first {len(starts):,} bars are {longer} apart: are they bars of {longer} (--interval)?")
    return found


def warnings_of_times_to_come(starts: NDArray[np.int64], now_ns: int) -> list[str]:
    """Return a warning when bars lie in the future, as with a wrong century.

    Args:
        starts: Starts of bars, nanoseconds UTC.
        now_ns: The time, nanoseconds since 1970 UTC; bars up to two days later are accepted.
    """
    ahead = starts[starts > now_ns + 2 * DAY_NS]
    if not len(ahead):
        return []
    last = date_of(int(ahead.max()) // DAY_NS)
    return [
        (
            f"{len(ahead):,} of the first {len(starts):,} bars are of times that have not come yet, up to {last}: are "
            "the times read as they were meant (--time-format)?"
        )
    ]


def warnings_of_days(days: NDArray[np.int64], time_manager: TimeManager) -> list[str]:
    """Return a warning when many daily bars have dates without a session.

    Args:
        days: 00:00 UTC of the dates of daily bars, in nanoseconds.
        time_manager: The calendar.
    """
    grid = sessions_around(days, time_manager)
    if grid is None or len(days) < 5:
        return []
    known = days[(days >= grid.days[0] * DAY_NS) & (days <= grid.days[-1] * DAY_NS)]
    strange = ~np.isin(known // DAY_NS, grid.days)
    if not len(known) or strange.mean() <= _MANY_DAYS:
        return []
    exchange = time_manager.exchange
    return [
        (
            f"{strange.mean():.0%} of the first {len(known):,} daily bars are of days without a session of {exchange}: "
            f"are the dates a day off (--timezone), or is it another exchange (--exchange)?"
        )
    ]


def _extended(time_manager: TimeManager) -> TimeManager | None:
    try:
        return time_manager.with_session_hours("extended")
    except (ConfigError, CalendarError):
        return None


def _share_inside(starts: NDArray[np.int64], time_manager: TimeManager) -> float:
    """Return the share of times within sessions, 1.0 without a calendar."""
    grid = sessions_around(starts, time_manager)
    if grid is None:
        return 1.0
    # Times may be the ends of bars.
    return float((rows_in_segments(starts, grid)[0] | np.isin(starts, grid.segment_close_ns)).mean())


def _moved(starts: NDArray[np.int64], grid: SessionGrid) -> int:
    """Return the shift of the bars against the sessions.

    It is in nanoseconds, a multiple of half an hour.

    It is not 0 only where the first and last bars of all sessions lie equally far from open and close.
    """
    place = np.searchsorted(grid.open_ns - _FARTHEST_NS, starts, side="right") - 1
    there = np.unique(place[place >= 0])
    if len(there) < _FEWEST_SESSIONS or (np.diff(grid.open_ns) < 2 * _FARTHEST_NS).any():
        return 0
    first = starts[np.searchsorted(place, there)] - grid.open_ns[there]
    last = starts[np.searchsorted(place, there, side="right") - 1] - grid.close_ns[there]
    begin, end = np.rint(first / _HALF_HOUR_NS), np.rint(last / _HALF_HOUR_NS)
    near = (np.abs(first - begin * _HALF_HOUR_NS) <= _NEAR_NS) & (np.abs(last - end * _HALF_HOUR_NS) <= _NEAR_NS)
    same = near & (begin == end) & (begin == np.median(begin))
    # The last session is not compared, because a sample often ends within it.
    return int(np.median(begin)) * _HALF_HOUR_NS if same[:-1].all() else 0


def _covered(starts: NDArray[np.int64], grid: SessionGrid) -> float:
    """Return the share of half hours of regular hours that have bars.

    Only sessions with bars count.
    """
    inside = rows_in_segments(starts, grid)[0]
    if not inside.any():
        return 0.0
    touched = len(np.unique(starts[inside] // _HALF_HOUR_NS))
    place = np.unique(np.searchsorted(grid.open_ns, starts, side="right") - 1)
    place = place[place >= 0]
    there = (grid.close_ns[place] > starts[0]) & (grid.open_ns[place] <= starts[-1])
    length = (grid.close_ns[place] - grid.open_ns[place])[there].sum()
    return float(touched / max(1.0, length / _HALF_HOUR_NS))

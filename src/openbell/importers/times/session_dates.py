"""Dates of daily bars whose times are instants of their sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from openbell.model.interval import DAY_NS
from openbell.timing.grid import date_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.timing import TimeManager
    from openbell.timing.grid import SessionGrid

__all__ = ["session_dates", "sessions_around"]

_EARLY_NS = 2 * 3_600_000_000_000
"""The time before the open from which an instant belongs to a session, if the session before has closed."""


def sessions_around(ns: NDArray[np.int64], time_manager: TimeManager) -> SessionGrid | None:
    """Return the sessions around instants, or None if the calendar does not have the days."""
    if not len(ns):
        return None
    week = timedelta(days=7)
    first = max(date_of(int(ns.min()) // DAY_NS) - week, time_manager.first_day)
    last = min(date_of(int(ns.max()) // DAY_NS) + week, time_manager.last_day)
    return time_manager.grid(first, last) if first <= last else None


def session_dates(instants: pl.Series, time_manager: TimeManager) -> pl.Series:
    """Return the date of the session that each instant belongs to, at 00:00 UTC.

    An instant belongs to a session from two hours before its open until the next session, at most for a day from the
    open. Other instants, as on holidays, get null.

    Args:
        instants: Datetimes in UTC.
        time_manager: The calendar.
    """
    ns = instants.cast(pl.Datetime("ns", "UTC")).to_physical()
    there = ns.drop_nulls().to_numpy()
    grid = sessions_around(there, time_manager)
    if grid is None or len(grid) < 2:
        return pl.Series([None], dtype=pl.Datetime("ns", "UTC")).new_from_index(0, len(instants))
    values = ns.fill_null(0).to_numpy()
    place = np.searchsorted(grid.open_ns, values, side="right") - 1
    after = np.minimum(place + 1, len(grid) - 1)
    early = (grid.open_ns[after] - values <= _EARLY_NS) & (grid.close_ns[place] <= values) & (after > place)
    place = np.where(early, after, place)
    known = (place >= 0) & (values < grid.open_ns[np.maximum(place, 0)] + DAY_NS) & ns.is_not_null().to_numpy()
    days = grid.days[np.maximum(place, 0)] * DAY_NS
    return (
        pl.DataFrame({"day": days, "known": known})
        .select(pl.when("known").then(pl.col("day")).cast(pl.Datetime("ns", "UTC")))
        .to_series()
    )

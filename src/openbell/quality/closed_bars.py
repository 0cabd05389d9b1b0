"""Stored bars on days that the calendar calls closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.market_data.aggregate import rows_in_segments
from openbell.model.interval import DAY_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.quality.series import Series
    from openbell.timing.grid import SessionGrid

__all__ = ["bars_on_closed_days", "on_closed_days"]

_HOUR_NS = 3_600_000_000_000


def bars_on_closed_days(series: Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the stored bars on days that are no session.

    Returns:
        Their starts, each once and ascending; their days since 1970-01-01.
    """
    grid = series.around if series.around is not None else series.grid
    return on_closed_days(series.distinct_starts(), grid, intraday=series.intraday)


def on_closed_days(
    starts: NDArray[np.int64], grid: SessionGrid, *, intraday: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find bars on days that are no session.

    An intraday bar is on such a day when it lies outside all hours, its time of the day is within those of the session
    before or after, and the last session began a day ago or longer.

    Args:
        starts: Starts of bars, ascending; of daily bars 00:00 UTC of their dates.
        grid: The sessions around them, with extended hours where the exchange has them.
        intraday: Whether the bars lie within sessions.

    Returns:
        Their starts, and their days since 1970-01-01.
    """
    if not intraday:
        strange = starts[~np.isin(starts // DAY_NS, grid.days)]
        return strange, strange // DAY_NS
    strange = starts[~rows_in_segments(starts, grid)[0]]
    first_segment, _ = grid.segments_of_sessions()
    opens = grid.segment_open_ns[first_segment]
    before = np.searchsorted(opens, strange, side="right") - 1
    strange, before = strange[before >= 0], before[before >= 0]
    since = strange - opens[before]
    until = opens[np.minimum(before + 1, len(opens) - 1)] - strange
    # At a change of the clocks one of the two sessions has other hours of UTC than the day between.
    like_before = rows_in_segments(strange - since // DAY_NS * DAY_NS, grid)[0]
    like_after = rows_in_segments(strange - -until // DAY_NS * DAY_NS, grid)[0]
    days_since = (since + _HOUR_NS) // DAY_NS
    closed = (days_since >= 1) & (like_before | like_after)
    return strange[closed], (grid.days[before] + days_since)[closed]

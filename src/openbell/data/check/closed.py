"""Findings about bars on days that the calendar calls closed: is the calendar wrong, or the data?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.data.aggregate import rows_in_segments
from openbell.data.check.finding import Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.data.check.peers import Peers
    from openbell.data.check.series import Series

__all__ = ["SUSPICIOUS_SHARE", "bars_on_closed_days", "closed_days"]

SUSPICIOUS_SHARE = 0.05
"""From this share of bars at times that cannot be, something is asked about all of them."""
_HOUR_NS = 3_600_000_000_000
_DAY_NS = 24 * _HOUR_NS


def bars_on_closed_days(series: Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts of stored bars on days that are no session, each once and ascending; and which days, since 1970-01-01.

    An intraday bar is on such a day when it lies outside all hours, its time of the day is within those of the session
    before or after, and the last session began a day ago or longer.
    """
    starts = series.distinct_starts()
    grid = series.around if series.around is not None else series.grid
    if not series.intraday:
        strange = starts[~np.isin(starts // _DAY_NS, grid.days)]
        return strange, strange // _DAY_NS
    strange = starts[~rows_in_segments(starts, grid)[0]]
    first_segment, _ = grid.segments_of_sessions()
    opens = grid.segment_open_ns[first_segment]
    before = np.searchsorted(opens, strange, side="right") - 1
    strange, before = strange[before >= 0], before[before >= 0]
    since = strange - opens[before]
    until = opens[np.minimum(before + 1, len(opens) - 1)] - strange
    # At a change of the clocks one of the two sessions has other hours of UTC than the day between.
    like_before = rows_in_segments(strange - since // _DAY_NS * _DAY_NS, grid)[0]
    like_after = rows_in_segments(strange - -until // _DAY_NS * _DAY_NS, grid)[0]
    days_since = (since + _HOUR_NS) // _DAY_NS
    closed = (days_since >= 1) & (like_before | like_after)
    return strange[closed], (grid.days[before] + days_since)[closed]


def closed_days(series: Series, peers: Peers) -> list[Finding]:
    """One finding for each day with bars that the calendar calls closed; one for all, from 5 % of the bars on."""
    starts, days = bars_on_closed_days(series)
    if not len(starts):
        return []
    length = series.interval.ns if series.intraday else _DAY_NS
    total = len(series.distinct_starts())
    if len(starts) >= SUSPICIOUS_SHARE * total:
        text = f"{100 * len(starts) / total:.1f} % of the bars are of {len(np.unique(days)):,} days that the calendar "
        text += "calls closed: wrong exchange, or " + ("wrong time zone?" if series.intraday else "dates one day off?")
        return [Finding("closed_day", "doubt", int(starts[0]), int(starts[-1]) + length, len(starts), text, starts)]
    found = []
    edges = np.flatnonzero(np.diff(days, prepend=days[0] - 1))
    for first, after in zip(edges.tolist(), [*edges[1:].tolist(), len(days)], strict=True):
        text = _question(after - first, *peers.others_on_closed(series, int(days[first])))
        part = starts[first:after]
        found.append(Finding("closed_day", "doubt", int(part[0]), int(part[-1]) + length, len(part), text, part))
    return found


def _question(bars: int, others: int, peers: int) -> str:
    what = f"{bars:,} bars" if bars > 1 else "a bar"
    what += " on a day that the calendar calls closed"
    if others:
        return f"{what}, and {others} of {peers} other symbols have some, too: is the calendar wrong?"
    if peers >= 2:
        return f"{what}, and none of {peers} other symbols has any: is the date wrong?"
    return f"{what}: is the calendar wrong, or the data?"

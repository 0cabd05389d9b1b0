"""Findings about bars on days without a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.model.interval import DAY_NS
from openbell.quality.calendar_fit import bars_on_closed_days
from openbell.quality.finding import SUSPICIOUS_SHARE, Finding

if TYPE_CHECKING:
    from openbell.quality.peers import Peers
    from openbell.quality.series import Series

__all__ = ["closed_days"]


def closed_days(series: Series, peers: Peers) -> list[Finding]:
    """Return a finding for each day without a session that has bars.

    If these are 5 % of all bars or more, there is only one finding about all of them.
    """
    starts, days = bars_on_closed_days(series)
    if not len(starts):
        return []
    length = series.interval.ns if series.intraday else DAY_NS
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
    """Return the text about the bars of a day without a session.

    ``others`` of ``peers`` other symbols have bars on the day, too.
    """
    what = f"{bars:,} bars" if bars > 1 else "a bar"
    what += " on a day that the calendar calls closed"
    if others:
        return f"{what}, and {others} of {peers} other symbols have some, too: is the calendar wrong?"
    if peers >= 2:
        return f"{what}, and none of {peers} other symbols has any: is the date wrong?"
    return f"{what}: is the calendar wrong, or the data?"

"""Excerpts of a series for its report.

They are the counts of its sessions, and the bars around suspicious findings.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from openbell.quality.check_report import Excerpt, SessionCounts
from openbell.quality.missing import Elsewhere, untraded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openbell.quality.finding import Finding
    from openbell.quality.series import Series

__all__ = ["completeness", "excerpts_of", "fewest_charts"]

_CHARTS_PER_KIND = 3
_CHARTS_PER_SERIES = 8
_CHART_REACH = 30
_NOT_CHARTED = {
    "daily_near",
    "no_trades",
    "extended_hours",
    "damaged_file",
    "wrong_time_zone",
    "wrong_label",
    "wrong_interval",
    "off_grid",
    "other_basis",
    "outside_hours",
    "closed_day",
}
_LONG_ABSENCE = 5


def completeness(series: Series, elsewhere: tuple[Elsewhere, ...], findings: Sequence[Finding]) -> SessionCounts:
    """Count the expected, present and excused bars of each session."""
    if not len(series.expected):
        nothing = np.empty(0, np.int64)
        return SessionCounts(nothing, nothing, nothing, nothing)
    first = int(series.expected.session[0])
    number = series.expected.session - first
    expected = np.bincount(number).astype(np.int64)
    present = np.bincount(number[series.present], minlength=len(expected)).astype(np.int64)
    excused = untraded(series, elsewhere)
    for explained in (f for f in findings if f.kind in ("halt", "listing")):
        begin, after = np.searchsorted(series.expected.start_ns, [explained.start_ns, explained.end_ns])
        excused[begin:after] = ~series.present[begin:after]
    quiet = np.bincount(number[excused], minlength=len(expected)).astype(np.int64)
    return SessionCounts(series.grid.days[first : first + len(expected)], expected, present, quiet)


def excerpts_of(series: Series, findings: Sequence[Finding]) -> tuple[Excerpt, ...]:
    """Return the bars around the first suspicious findings of each kind."""
    shown: dict[str, int] = {}
    excerpts: list[Excerpt] = []
    for found in findings:
        if found.kind in _NOT_CHARTED or shown.get(found.kind, 0) == _CHARTS_PER_KIND or not len(series.bars):
            continue
        shown[found.kind] = shown.get(found.kind, 0) + 1
        begin, after = np.searchsorted(series.bars.timestamp, [found.start_ns, found.end_ns])
        first = max(0, int(begin) - _CHART_REACH)
        last = min(len(series.bars), int(min(after, begin + 2 * _CHART_REACH)) + _CHART_REACH)
        if found.kind != "missing_sessions":
            first, last = _without_long_gaps(series, first, min(int(begin), len(series.bars) - 1), last)
        # Copies, because views would keep the columns of the whole series in memory.
        excerpts.append(Excerpt(found, series.bars.take(np.arange(first, last)), str(series.interval)))
        if len(excerpts) == _CHARTS_PER_SERIES:
            break
    return tuple(excerpts)


def fewest_charts(charts: Sequence[Excerpt]) -> tuple[Excerpt, ...]:
    """Select the first charts of each kind, at most the number that a report shows."""
    shown: Counter[str] = Counter()
    selected: list[Excerpt] = []
    for one in charts:
        shown[one.finding.kind] += 1
        if shown[one.finding.kind] <= _CHARTS_PER_KIND:
            selected.append(one)
    return tuple(selected[:_CHARTS_PER_SERIES])


def _without_long_gaps(series: Series, first: int, row: int, last: int) -> tuple[int, int]:
    """Cut a range of rows around ``row`` at gaps of more than five sessions."""
    far = np.flatnonzero(np.diff(series.session[first:last]) > _LONG_ABSENCE) + first + 1
    return max([first, *far[far <= row].tolist()]), min([last, *far[far > row].tolist()])

"""Calendar heat map of completeness as inline SVG.

A cell is a session, or a month if there are many sessions.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from openbell.timing.grid import date_of

if TYPE_CHECKING:
    from openbell.quality.check_report import SessionCounts

__all__ = ["COLOURS", "colour_class", "heatmap"]

COLOURS = ((1.0, "whole"), (0.99, "c99"), (0.95, "c95"), (0.75, "c75"), (1e-9, "c01"), (0.0, "none"))
"""Lower bounds of completeness in descending order, each with the CSS class of its cells."""

_MOST_SESSIONS = 550
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def colour_class(share: float) -> str:
    """Return the CSS class for a share of completeness."""
    return next(name for least, name in COLOURS if share >= least)


def heatmap(sessions: SessionCounts) -> str:
    """Return a drawing of the completeness of each session, or of each month beyond about two years.

    Bars that are missing because of a halt, or because there was no trade, count as present.
    """
    if not len(sessions.days):
        return ""
    return _by_session(sessions) if len(sessions.days) <= _MOST_SESSIONS else _by_month(sessions)


def _by_session(sessions: SessionCounts) -> str:
    """Draw weeks from left to right and weekdays from top to bottom."""
    cell, left, top = 13, 30, 16
    days = [date_of(day) for day in sessions.days]
    monday = days[0] - timedelta(days=days[0].weekday())
    rows = 7 if any(day.weekday() > 4 for day in days) else 5
    weeks = (days[-1] - monday).days // 7 + 1
    parts = [_begin(max(left + weeks * cell, 90), top + rows * cell)]
    parts += [
        f'<text class="axis" x="{left - 5}" y="{top + row * cell + 10}" text-anchor="end">{name}</text>'
        for row, name in enumerate(("Mon", "", "Wed", "", "Fri", "", "Sun")[:rows])
        if name
    ]
    labelled: set[tuple[int, int]] = set()
    last_x = -99
    for i, day in enumerate(days):
        x = left + (day - monday).days // 7 * cell
        month = (day.year, day.month)
        if month not in labelled and x - last_x >= 3 * cell:
            name = f"{_MONTHS[day.month - 1]} {day.year}" if not labelled or day.month == 1 else _MONTHS[day.month - 1]
            parts.append(f'<text class="axis" x="{x}" y="{top - 5}">{name}</text>')
            last_x = x + (2 * cell if " " in name else 0)
        labelled.add(month)
        counts = (int(sessions.expected[i]), int(sessions.present[i]), int(sessions.excused[i]))
        parts.append(_cell(x, top + day.weekday() * cell, cell - 2, cell - 2, *counts, day.isoformat()))
    return "".join([*parts, "</svg>"])


def _by_month(sessions: SessionCounts) -> str:
    """Draw years from top to bottom and months from left to right."""
    width, height, left, top = 30, 15, 40, 16
    months = np.array([(d.year - 1970) * 12 + d.month - 1 for d in map(date_of, sessions.days)])
    firsts = np.flatnonzero(np.diff(months, prepend=months[0] - 1))
    totals = [np.add.reduceat(column, firsts) for column in (sessions.expected, sessions.present, sessions.excused)]
    first_year, last_year = (1970 + int(months[i]) // 12 for i in (0, -1))
    parts = [_begin(left + 12 * width, top + (last_year - first_year + 1) * height)]
    parts += [
        f'<text class="axis" x="{left + (m + 0.5) * width - 1}" y="{top - 5}" text-anchor="middle">{name}</text>'
        for m, name in enumerate(_MONTHS)
    ]
    parts += [
        f'<text class="axis" x="{left - 6}" y="{top + row * height + 10}" text-anchor="end">{first_year + row}</text>'
        for row in range(last_year - first_year + 1)
    ]
    for month, expected, present, excused in zip(months[firsts].tolist(), *(t.tolist() for t in totals), strict=True):
        year, number = 1970 + month // 12, month % 12
        x, y = left + number * width, top + (year - first_year) * height
        parts.append(
            _cell(x, y, width - 2, height - 2, expected, present, excused, f"{date(year, number + 1, 1):%Y-%m}")
        )
    return "".join([*parts, "</svg>"])


def _begin(width: int, height: int) -> str:
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return f'<svg class="heat" {size} role="img" aria-label="Heat map">'


def _cell(x: int, y: int, width: int, height: int, expected: int, present: int, excused: int, name: str) -> str:
    share = (present + excused) / expected if expected else 1.0
    title = f"{name}: {present:,} of {expected:,} bars" + (f", {excused:,} explained" if excused else "")
    kind = colour_class(share)
    return (
        f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="2"><title>{title}</title></rect>'
    )

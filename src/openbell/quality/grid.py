"""Findings about bars that begin between those of the sessions, or that are of a longer interval than their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.market_data.aggregate import rows_in_segments
from openbell.market_data.session_grid import off_grid
from openbell.model.interval import parse_interval
from openbell.quality.finding import SERIOUS, Finding

if TYPE_CHECKING:
    from openbell.quality.series import Series

__all__ = ["bars_off_grid", "longer_bars"]

_MOSTLY = 0.95
_FEWEST_STEPS = 20


def bars_off_grid(series: Series, *, finer: str | None = None) -> list[Finding]:
    """Report bars that begin between two bars of their session.

    Sessions leave them out, because their closes would show too early. Where most bars of a series lie so, sessions
    read none of it.

    Args:
        series: The series.
        finer: A stored interval of the symbol of which sessions make this one, should most bars lie so.
    """
    if not series.intraday:
        return []
    starts = series.distinct_starts()
    off = off_grid(starts, series.interval, series.grid)
    if not off.any():
        return []
    odd, inside = starts[off], int(rows_in_segments(starts, series.grid)[0].sum())
    where = f"do not begin at a multiple of {series.interval} from the open of trading"
    text, severity = f"{len(odd):,} of {inside:,} bars {where}", SERIOUS
    if len(odd) <= inside / 2:
        text, severity = f"{text}; sessions leave them out", "doubt"
    elif finer is not None:
        text, severity = f"{text}; sessions make bars of {series.interval} of those of {finer}", "note"
    else:
        text += "; sessions do not use them: do they follow the clock, or are they bars of another interval?"
    return [Finding("off_grid", severity, int(odd[0]), int(odd[-1]) + series.interval.ns, len(odd), text, odd)]


def longer_bars(series: Series) -> list[Finding]:
    """Report a series whose bars all lie several intervals apart, as those of a longer interval do.

    Where a symbol trades seldom, its bars lie at times of all kinds.
    """
    if not series.intraday:
        return []
    starts = series.distinct_starts()
    inside, segment = rows_in_segments(starts, series.grid)
    starts, segment = starts[inside], segment[inside]
    steps = np.diff(starts)[np.diff(segment) == 0]
    if len(steps) < _FEWEST_STEPS:
        return []
    values, counts = np.unique(steps, return_counts=True)
    usual = int(values[counts.argmax()])
    offsets = starts - series.grid.segment_open_ns[segment]
    if usual < 2 * series.interval.ns or (offsets % usual == 0).mean() < _MOSTLY:
        return []
    name = parse_interval(f"{usual // 1_000_000_000}s")
    text = f"its bars are {name} apart: are they {name} bars, stored as {series.interval}? Import them again as those"
    return [Finding("wrong_interval", "serious", int(starts[0]), int(starts[-1]) + usual, len(starts), text)]

"""Findings about repeated times and contradicting prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from openbell.quality.finding import Finding
from openbell.store.check_bars import check_bars

if TYPE_CHECKING:
    from openbell.quality.series import Series

__all__ = ["contradictions", "duplicates"]

_CLASH = "the same time comes more than once with different values"


def duplicates(series: Series) -> list[Finding]:
    """Return a finding about times that more than one stored row has, or none.

    Only files that another program has written can have such rows.
    """
    counts = series.stored.group_by("timestamp").len().filter(pl.col("len") > 1).sort("timestamp")
    if counts.is_empty():
        return []
    starts = counts["timestamp"].to_physical().to_numpy()
    clashing = check_bars(series.stored).bad.filter(pl.col("reason") == _CLASH).height
    surplus = int(counts["len"].sum()) - counts.height
    how = f"{clashing:,} of these rows differ in values" if clashing else "all repeat the same values"
    start, end = _reach(series, starts)
    return [
        Finding(
            "duplicate", "doubt", start, end, surplus, f"{counts.height:,} times come more than once; {how}", starts
        )
    ]


def contradictions(series: Series) -> list[Finding]:
    """Return findings about rows whose values contradict each other, are negative or missing, one per reason."""
    rows = series.stored.with_row_index("line")
    bad = check_bars(rows).bad.filter(pl.col("reason") != _CLASH)
    found = []
    for (reason,), group in bad.join(rows, on="line", maintain_order="left").group_by("reason", maintain_order=True):
        starts = group["timestamp"].drop_nulls().to_physical().to_numpy()
        start, end = _reach(series, starts) if len(starts) else (0, 0)
        found.append(Finding("contradiction", "doubt", start, end, group.height, str(reason), starts))
    return found


def _reach(series: Series, starts: np.ndarray) -> tuple[int, int]:
    """Return the start of the first bar and the end of the last, in nanoseconds."""
    if series.intraday:
        return int(starts.min()), int(starts.max()) + series.interval.ns
    return series.times_of_days(np.sort(starts))

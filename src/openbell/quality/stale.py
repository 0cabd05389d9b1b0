"""Findings about stale prices, which stay the same for longer than chance explains.

The cause is a feed that hung, or a source that fills gaps.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numpy as np

from openbell.quality.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.model.bars import Bars
    from openbell.model.interval import Interval
    from openbell.quality.series import Series

__all__ = ["runs_of", "stale", "stale_runs"]

_CHANCE = 0.01
_LEAST = {"1d": 5, "1m": 30, "1s": 300}
_MOST_QUIET = 0.9
_CLUSTERING = 3
"""The factor on the length that chance explains if bars were independent, because quiet bars come in clusters."""


def stale(series: Series) -> list[Finding]:
    """Return a finding for each run that `stale_runs` finds."""
    found = []
    bars = series.bars
    for first, after in stale_runs(bars, series.interval):
        part = bars[first:after]
        if not part.volume.any():
            text = f"the price stands at {part.close[0]:g} without volume: filled by the source?"
        else:
            text = f"the price stands at {part.close[0]:g} although there is volume: did the feed hang?"
        start, end = int(part.timestamp[0]), int(part.end[-1])
        found.append(Finding("stale", "doubt", start, end, len(part), text, part.timestamp))
    return found


def stale_runs(bars: Bars, interval: Interval) -> list[tuple[int, int]]:
    """Find long runs of bars that all have one price as open, high, low and close.

    With ``p`` the share of the other bars that repeat the price before them, a run of ``n`` among ``N`` bars is
    expected by chance as long as ``N * p**n >= 0.01``. Runs up to three times that length are accepted, and always runs
    of 4 daily bars, 29 1m bars or 299 1s bars; of other intervals runs of less than half an hour, or of 4 bars.

    Returns:
        The runs, each as (first row, row after the last).
    """
    if len(bars) < 2:
        return []
    flat = (bars.high == bars.low) & (bars.open == bars.close) & (bars.open == bars.high)
    still = flat[1:] & flat[:-1] & (bars.close[1:] == bars.close[:-1])
    total, count = int(still.sum()), len(still)
    least = _LEAST.get(str(interval)) or max(_LEAST["1d"], 1800 // interval.seconds)
    return [(a, b + 1) for a, b in runs_of(still) if b - a + 1 >= max(least, _by_chance(b - a, total, count))]


def _by_chance(run: int, total: int, count: int) -> float:
    """Return the longest run that chance explains.

    It follows from the share of still bars outside of the run.

    It is 0 for a series that hardly ever moves, where chance cannot be measured.
    """
    share = (total - run) / max(count - run, 1)
    return log(_CHANCE / count) / log(share) * _CLUSTERING if 0 < share < _MOST_QUIET else 0.0


def runs_of(mask: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield each run of True as (first place, place after the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)

"""The score of a stored series, and of the history of a session, by one formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from openbell.quality.finding import SERIOUS
from openbell.quality.spikes import spike_rows
from openbell.quality.stale import stale_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openbell.model.bars import Bars
    from openbell.model.interval import Interval
    from openbell.quality.finding import Finding

__all__ = ["CAP", "EXCUSING", "Score", "doubtful_rows", "score"]

CAP = 50.0
"""The highest score of a series with a serious finding."""

EXCUSING = ("halt", "listing", "no_trades")
"""The kinds of findings that excuse missing bars."""

_NOT_EXPECTED = ("outside_hours", "closed_day")


@dataclass(frozen=True, slots=True)
class Score:
    """The score of a series, and the counts from which it is computed.

    ``percent = 100 * (expected - missing - doubtful) / (expected + outside)``, at least 0, and at most `CAP` with a
    serious finding; None when no bar is expected.

    Attributes:
        percent: The score, 0 to 100.
        complete: Share of the expected bars that are there, in percent; None when none is expected.
        expected: Number of bars that the calendar expects from the first bar's session through the last bar's.
        present: Number of expected bars that are there.
        missing: Number of missing bars that no halt and no listing explains, nor that nobody traded.
        doubtful: Number of stored bars that a finding blames, each counted once.
        outside: Number of bars outside all trading hours, or on days without a session.
    """

    percent: float | None
    complete: float | None
    expected: int
    present: int
    missing: int
    doubtful: int
    outside: int


def score(expected: int, present: int, findings: Sequence[Finding]) -> Score:
    """Compute the score of a series from counts of bars and from findings."""
    excused = sum(f.bars for f in findings if f.kind in EXCUSING)
    outside = sum(f.bars for f in findings if f.kind in _NOT_EXPECTED)
    blamed = [f.blamed for f in findings if f.kind not in _NOT_EXPECTED and len(f.blamed)]
    doubtful = len(np.unique(np.concatenate(blamed))) if blamed else 0
    missing = expected - present - excused
    if not expected:
        return Score(0.0 if outside else None, None, 0, 0, 0, doubtful, outside)
    percent = max(0.0, 100.0 * (expected - missing - doubtful) / (expected + outside))
    if any(f.severity == SERIOUS for f in findings):
        percent = min(percent, CAP)
    return Score(percent, 100.0 * present / expected, expected, present, missing, doubtful, outside)


def doubtful_rows(bars: Bars, interval: Interval) -> NDArray[np.intp]:
    """Return the rows of spikes and of stale runs, ascending and unique.

    They are found from the bars alone, without a calendar.
    """
    stands = [np.arange(first, after) for first, after in stale_runs(bars, interval)]
    # np.unique would do the same, but imports numpy.ma first.
    return np.flatnonzero(np.bincount(np.concatenate([spike_rows(bars, interval)[0], *stands]).astype(np.intp)))

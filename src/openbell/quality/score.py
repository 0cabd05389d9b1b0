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
"""The findings that explain why bars are missing."""

_NOT_EXPECTED = ("outside_hours", "closed_day")


@dataclass(frozen=True, slots=True)
class Score:
    """The score of a series and the counts that it follows from.

    ``percent = 100 * (expected - missing - doubtful) / (expected + outside)``, at least 0, and at most `CAP` with a
    serious finding; None when no bar is expected.

    Attributes:
        percent: The score, 0 to 100.
        complete: Share of the expected bars that are there, in percent; None when none is expected.
        expected: Bars that the calendar expects from the first bar's session through the last one's.
        present: How many of them are there.
        missing: How many are missing and not explained by a halt, a listing or by nobody having traded.
        doubtful: How many of those that are there are blamed by a finding, each counted once.
        outside: How many bars lie outside all trading hours, or on days without a session.
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
    """Return the rows of spikes and of prices that stand still.

    Ascending, each once; only the bars themselves are looked at.
    """
    stands = [np.arange(first, after) for first, after in stale_runs(bars, interval)]
    # np.unique does the same, but imports numpy.ma for it.
    return np.flatnonzero(np.bincount(np.concatenate([spike_rows(bars, interval)[0], *stands]).astype(np.intp)))

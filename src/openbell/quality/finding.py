"""One thing about a series that a person should know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KINDS", "SERIOUS", "SUSPICIOUS_SHARE", "Finding", "Severity"]

Severity = Literal["note", "doubt", "serious"]
"""``note``: normal, good to know. ``doubt``: these bars cost points. ``serious``: the series is wrong until mended."""

SERIOUS: Severity = "serious"

SUSPICIOUS_SHARE = 0.05
"""From this share of bars at impossible times on, the finding questions all of them."""

KINDS = {
    "damaged_file": "a file that cannot be read",
    "wrong_time_zone": "bars whose times lie in another time zone",
    "wrong_label": "bars whose times name their other end",
    "wrong_interval": "bars of a longer interval than their own",
    "off_grid": "bars that begin between those of the session",
    "undeclared_split": "a split without a corporate action",
    "other_days": "daily bars of days that end after their sessions",
    "other_basis": "prices on another basis than the daily bars'",
    "contradiction": "bars whose prices contradict each other",
    "duplicate": "times that come more than once",
    "outside_hours": "bars outside all trading hours",
    "closed_day": "bars on days without a session",
    "missing_sessions": "whole sessions without a bar",
    "hole": "bars that should be there",
    "spike": "prices far from both neighbours",
    "outside_daily": "prices beyond the daily bar's range",
    "daily_price": "sessions whose sum has other prices than the daily bar",
    "daily_volume": "sessions whose volume does not fit the daily bar's",
    "stale": "prices that stand still",
    "daily_near": "sessions whose sum differs a little from the daily bar",
    "listing": "bars that begin in mid-session",
    "halt": "a trading halt",
    "no_trades": "times in which nobody traded",
    "extended_hours": "pre-market and post-market bars",
}
"""Every kind of finding with what it means, the gravest first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in a series, with the bars that it is about.

    Attributes:
        kind: One of `KINDS`.
        severity: What it means for the use of the series.
        start_ns: Where it begins, nanoseconds since 1970 UTC; likewise end_ns, where it ends.
        bars: How many bars it is about; of missing ones, how many are missing.
        text: What was found and by which signs, for people; without times.
        blamed: Starts of the stored bars that are in doubt because of it (int64); missing bars are not among them.
    """

    kind: str
    severity: Severity
    start_ns: int
    end_ns: int
    bars: int
    text: str
    blamed: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64), repr=False, compare=False)

"""Findings about series, and their kinds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KINDS", "SERIOUS", "SUSPICIOUS_SHARE", "Finding", "Severity"]

Severity = Literal["note", "doubt", "serious"]
"""``note`` is normal, ``doubt`` lowers the score, with ``serious`` the series is wrong until it is repaired."""

SERIOUS: Severity = "serious"

SUSPICIOUS_SHARE = 0.05
"""The share of bars at impossible times from which a finding questions the times of all bars."""

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
"""The kinds of findings with their meaning, the gravest first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem or note about a series, with the bars concerned.

    Attributes:
        kind: One of `KINDS`.
        severity: The consequence for the use of the series.
        start_ns: The start of the time concerned, nanoseconds since 1970 UTC.
        end_ns: The end of the time concerned, nanoseconds since 1970 UTC.
        bars: Number of the bars concerned, which may be missing ones.
        text: The finding and its evidence, as text for users without times.
        blamed: Starts of the stored bars that are in doubt (int64); missing bars are not among them.
    """

    kind: str
    severity: Severity
    start_ns: int
    end_ns: int
    bars: int
    text: str
    blamed: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64), repr=False, compare=False)

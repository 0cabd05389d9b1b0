"""Completeness of bars, measured by the bars that the calendar expects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Completeness", "Gap", "longest_by_chance", "measure_completeness"]

_THIN_SHARE = 0.05
_CHANCE = 0.01
_CLUSTERING = 3


@dataclass(frozen=True, slots=True)
class Gap:
    """Consecutive expected bars that are missing.

    Attributes:
        start_ns: Start of the first missing bar, nanoseconds since 1970 UTC.
        end_ns: End of the last missing bar.
        missing: Number of missing bars.
    """

    start_ns: int
    end_ns: int
    missing: int


@dataclass(frozen=True, slots=True)
class Completeness:
    """The completeness of a series.

    Attributes:
        percent: Share of the expected bars that are there, 0 to 100; None when none was expected.
        expected: Number of bars that the calendar expects.
        present: Number of expected bars that are there; other bars are not counted.
        gaps: The missing bars, in ascending time.
    """

    percent: float | None
    expected: int
    present: int
    gaps: tuple[Gap, ...]


def measure_completeness(
    actual_starts: NDArray[np.int64],
    expected_starts: NDArray[np.int64],
    expected_ends: NDArray[np.int64],
    *,
    across_breaks: bool = False,
) -> Completeness:
    """Measure how many of the expected bars are there.

    Args:
        actual_starts: Starts of the bars that are there; ascending int64 nanoseconds since 1970 UTC.
        expected_starts: Starts of the bars that the calendar expects, in the same form.
        expected_ends: Ends of the expected bars, in the same form.
        across_breaks: Whether a gap continues over the time between two expected bars that do not touch (a night, a
            lunch break); True suits daily and weekly bars, where missing sessions in a row are one gap.
    """
    total = len(expected_starts)
    if not total:
        return Completeness(None, 0, 0, ())
    if np.array_equal(expected_starts, actual_starts):
        return Completeness(100.0, total, total, ())
    missing = np.flatnonzero(~np.isin(expected_starts, actual_starts, assume_unique=True))
    present = total - len(missing)
    return Completeness(
        100.0 * present / total, total, present, _gaps(missing, expected_starts, expected_ends, joined=across_breaks)
    )


def longest_by_chance(
    runs: NDArray[np.int64], present: NDArray[np.int64], expected: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the longest run of missing bars that chance explains in each session.

    It is 0 where trading is not thin. Trading is thin where 5 % or more of the bars are followed by a missing one. With
    ``p`` that share of ``N`` expected bars, chance explains up to three times the ``n`` for which ``N * p**n`` is 0.01.

    Args:
        runs: The number of runs of missing bars in each session.
        present: The number of bars in each session.
        expected: The number of bars that the calendar expects in each session.
    """
    # Not the share of missing bars, because a single long hole would make the session look thin.
    share = runs / np.maximum(present, 1)
    bound = _CLUSTERING * np.log(_CHANCE / np.maximum(expected, 1)) / np.log(np.clip(share, 1e-9, 1 - 1e-9))
    return np.where(share >= _THIN_SHARE, bound, 0.0)


def _gaps(
    missing: NDArray[np.intp], starts: NDArray[np.int64], ends: NDArray[np.int64], *, joined: bool
) -> tuple[Gap, ...]:
    """Return consecutive runs among the indexes ``missing`` as gaps."""
    if not len(missing):
        return ()
    apart = np.diff(missing) > 1
    if not joined:
        apart |= ends[missing[:-1]] != starts[missing[1:]]
    first = np.concatenate([[0], np.flatnonzero(apart) + 1])
    last = np.append(first[1:], len(missing)) - 1
    return tuple(
        Gap(int(starts[missing[i]]), int(ends[missing[j]]), int(j - i + 1)) for i, j in zip(first, last, strict=True)
    )

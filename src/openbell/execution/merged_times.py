"""Bar times of several symbols together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["merged_times"]


def merged_times(columns: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the times of all columns, each once and in ascending order."""
    if not columns:
        return np.empty(0, np.int64)
    # Most symbols have the times of the first, and comparing them takes a fraction of the time of sorting all.
    first = columns[0]
    others = [column for column in columns[1:] if not np.array_equal(column, first)]
    times = np.sort(np.concatenate([first, *others]))
    # np.unique does the same, but imports numpy.ma for it.
    merged: NDArray[np.int64] = times[np.diff(times, prepend=times[:1] - 1) != 0]
    return merged

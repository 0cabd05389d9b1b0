"""Operations on the rows of each session of a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from openbell.indicators.inputs import Column

__all__ = ["SESSION_GROUP", "Sessions", "rolling"]

SESSION_GROUP = "Session Indicators"
"""The group of the indicators that know where in a session a bar lies."""


class Sessions:
    """Rows of each session of a column.

    Attributes:
        starts: Per session, its first row (intp).
        of_row: Per row, the index of its session in ``starts`` (intp).
    """

    def __init__(self, session: NDArray[np.int64]) -> None:
        changes = np.ones(len(session), np.bool_)
        np.not_equal(session[1:], session[:-1], out=changes[1:])
        self.starts = np.flatnonzero(changes)
        self.of_row = np.cumsum(changes) - 1

    def __len__(self) -> int:
        return len(self.starts)

    def accumulate(self, function: np.ufunc, column: Column) -> Column:
        """Accumulate a column, starting anew at each session."""
        result = column.copy()
        if len(self) < len(column):
            ends = np.append(self.starts[1:], len(column))
            for start, end in zip(self.starts.tolist(), ends.tolist(), strict=True):
                function.accumulate(column[start:end], out=result[start:end])
        return result

    def first(self, column: Column) -> Column:
        """Return per session the value of its first row."""
        return column[self.starts]

    def last(self, column: Column) -> Column:
        """Return per session the value of its last row so far."""
        return column[np.append(self.starts[1:], len(column)) - 1] if len(self) else column

    def highest(self, column: Column) -> Column:
        """Return per session the greatest value."""
        return np.maximum.reduceat(column, self.starts) if len(self) else column

    def lowest(self, column: Column) -> Column:
        """Return per session the least value."""
        return np.minimum.reduceat(column, self.starts) if len(self) else column

    def of_session_before(self, values: Column) -> Column:
        """Return per row the value of the session before its own, NaN in the first session."""
        column: Column = np.concatenate([[np.nan], values])[self.of_row]
        return column


def rolling(function: Callable[..., Column], values: Column, period: int) -> Column:
    """Apply a TA-Lib function over windows of ``period`` values."""
    # Not every TA-Lib function takes a period of 1.
    return values if period == 1 else function(values, timeperiod=period)

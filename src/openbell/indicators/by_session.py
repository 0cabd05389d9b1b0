"""`Sessions`: where each session of a column begins, and how to work session by session and spread the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from openbell.indicators.indicator import Column

__all__ = ["SESSION_GROUP", "Sessions", "rolling"]

SESSION_GROUP = "Session Indicators"
"""The group of the indicators that know where in a session a bar lies."""


class Sessions:
    """The runs of rows of each session.

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
        """``function.accumulate`` begun afresh at each session, so that no session leaves a trace in the next."""
        result = column.copy()
        if len(self) < len(column):
            ends = np.append(self.starts[1:], len(column))
            for start, end in zip(self.starts.tolist(), ends.tolist(), strict=True):
                function.accumulate(column[start:end], out=result[start:end])
        return result

    def first(self, column: Column) -> Column:
        """Per session, the value of its first row."""
        return column[self.starts]

    def last(self, column: Column) -> Column:
        """Per session, the value of its last row (of the last session: of the last row so far)."""
        return column[np.append(self.starts[1:], len(column)) - 1] if len(self) else column

    def highest(self, column: Column) -> Column:
        """Per session, the greatest value."""
        return np.maximum.reduceat(column, self.starts) if len(self) else column

    def lowest(self, column: Column) -> Column:
        """Per session, the least value."""
        return np.minimum.reduceat(column, self.starts) if len(self) else column

    def of_session_before(self, values: Column) -> Column:
        """Per row, the value of the session before the row's own; NaN in the first session."""
        column: Column = np.concatenate([[np.nan], values])[self.of_row]
        return column


def rolling(function: Callable[..., Column], values: Column, period: int) -> Column:
    """A TA-Lib function over windows of ``period`` values; also of one, which TA-Lib does not always take."""
    return values if period == 1 else function(values, timeperiod=period)

"""Sums, means and moments over windows of rows that depend on the rows of each window alone.

A running sum keeps a residue of every value that ever passed through it. Here a window is put together from windows of
half its length, and those from halves again: it costs as many additions of whole columns as the length has binary
digits, the error is that of a few roundings, and a value is the same to the bit wherever the column begins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from openbell.indicators.inputs import Column

__all__ = [
    "Comoments",
    "comoments",
    "deviations",
    "first_number",
    "lagged",
    "mean_deviations",
    "means",
    "moments",
    "sums",
    "trends",
]

_State = tuple[NDArray[np.float64], ...]
"""Measures of each window: means first, which for windows of one row are the columns, then sums, which begin at 0."""
_Merge = Callable[[_State, int, _State, int], _State]

_ROWS_AT_ONCE = 8192


class Comoments(NamedTuple):
    """Sums over each window of products of deviations from the window's means."""

    xx: Column
    yy: Column
    xy: Column


def lagged(column: Column, rows: int) -> Column:
    """Return the column shifted to ``rows`` later rows, NaN in the first rows."""
    if not rows:
        return column
    result = np.full(len(column), np.nan)
    result[rows:] = column[: max(len(column) - rows, 0)]
    return result


def sums(column: Column, period: int) -> Column:
    """Return the sum of the last ``period`` rows, NaN where there are fewer."""
    return _over_windows((column,), period, _add)[0]


def means(column: Column, period: int) -> Column:
    """Return the mean of the last ``period`` rows, exact for equal values."""
    return _over_windows((column,), period, _merge_means)[0]


def moments(column: Column, period: int) -> tuple[Column, Column]:
    """Return the mean, and the sum of squared deviations from it, of the last ``period`` rows."""
    mean, squares = _over_windows((column, np.zeros(len(column))), period, _merge_moments)
    return mean, squares


def deviations(column: Column, period: int) -> Column:
    """Return the standard deviation of the last ``period`` rows (divided by ``period``)."""
    return np.asarray(np.sqrt(moments(column, period)[1] / period))


def comoments(x: Column, y: Column, period: int) -> Comoments:
    """Return the sums of products of deviations of two columns over the last ``period`` rows."""
    zeros = np.zeros(len(x))
    return Comoments(*_over_windows((x, y, zeros, zeros, zeros), period, _merge_comoments)[2:])


def trends(column: Column, period: int) -> tuple[Column, Column]:
    """Return the mean, and the sum of deviations times row numbers, of the last ``period`` rows.

    Row numbers are counted from the middle of the window, so that the slope of the line through its rows is the
    second over ``period * (period**2 - 1) / 12``.
    """
    mean, trend = _over_windows((column, np.zeros(len(column))), period, _merge_trends)
    return mean, trend


def mean_deviations(column: Column, period: int) -> Column:
    """Return the mean distance of the last ``period`` rows from their mean."""
    mean = means(column, period)
    result = np.full(len(column), np.nan)
    for first in range(0, len(column) - period + 1, _ROWS_AT_ONCE):
        last = min(first + _ROWS_AT_ONCE + period - 1, len(column))
        of_window = mean[first + period - 1 : last]
        rows = len(of_window)
        total, distance = np.zeros(rows), np.empty(rows)
        for row in range(first, first + period):
            np.subtract(column[row : row + rows], of_window, out=distance)
            np.abs(distance, out=distance)
            total += distance
        np.divide(total, period, out=result[first + period - 1 : last])
    return result


def _over_windows(state: _State, period: int, merge: _Merge) -> _State:
    """Merge the rows of each window of ``period`` rows, without those that are NaN at the beginning."""
    rows = len(state[0])
    begin = max(map(first_number, state))
    result = tuple([np.empty(rows) for _ in state])
    for column in result:
        column[: begin + period - 1] = np.nan
    # In blocks that fit the processor's cache; the value of a window does not depend on its block.
    for first in range(begin, rows - period + 1, _ROWS_AT_ONCE):
        last = min(first + _ROWS_AT_ONCE + period - 1, rows)
        merged = _merged(tuple([column[first:last] for column in state]), period, merge)
        for column, values in zip(result, merged, strict=True):
            column[first + period - 1 : last] = values
    return result


def first_number(column: Column) -> int:
    """Return the first row that is not NaN, or the length of the column."""
    if not len(column) or column[0] == column[0]:
        return 0
    numbers = column == column
    return int(np.argmax(numbers)) if numbers.any() else len(column)


def _merged(block: _State, period: int, merge: _Merge) -> _State:
    """Return the state of each whole window, at the place of the window's first row."""
    size, done, window = 1, 0, block
    while True:
        if period & size:
            window = merge(block, size, window, done) if done else block
            done += size
        if done == period:
            return window
        block = merge(block, size, block, size)
        size *= 2


# A merge joins windows of n rows with windows of the m rows that follow them. Each line costs a pass over memory and a
# call of NumPy, so results are written into existing arrays where that is possible.


def _add(older: _State, n: int, newer: _State, _m: int) -> _State:
    after = newer[0][n:]
    return (older[0][: len(after)] + after,)


def _merge_means(older: _State, n: int, newer: _State, m: int) -> _State:
    return (_mean_and_step(older, n, newer, m)[0],)


def _merge_moments(older: _State, n: int, newer: _State, m: int) -> _State:
    mean, step = _mean_and_step(older, n, newer, m)
    step *= step
    step *= n * m / (n + m)
    return mean, _summed(older, n, newer, step)


def _merge_trends(older: _State, n: int, newer: _State, m: int) -> _State:
    mean, step = _mean_and_step(older, n, newer, m)
    # The middles of the two lie half of all rows apart.
    step *= n * m / 2
    return mean, _summed(older, n, newer, step)


def _mean_and_step(older: _State, n: int, newer: _State, m: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the means of the windows put together, and by how much the newer means are above the older ones."""
    after = newer[0][n:]
    before = older[0][: len(after)]
    step = after - before
    mean = step * (m / (n + m))
    mean += before
    return mean, step


def _summed(older: _State, n: int, newer: _State, more: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of the second measures of both, plus ``more`` for the difference of their means."""
    total = older[1][: len(more)] + newer[1][n:]
    total += more
    return total


def _merge_comoments(older: _State, n: int, newer: _State, m: int) -> _State:
    rows = len(newer[0]) - n
    x, y = (newer[column][n:] - older[column][:rows] for column in (0, 1))
    xx, yy, xy = (
        a * b * (n * m / (n + m)) + (older[row][:rows] + newer[row][n:])
        for row, (a, b) in enumerate(((x, x), (y, y), (x, y)), start=2)
    )
    x *= m / (n + m)
    x += older[0][:rows]
    y *= m / (n + m)
    y += older[1][:rows]
    return x, y, xx, yy, xy

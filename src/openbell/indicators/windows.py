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
    from openbell.indicators.indicator import Column

__all__ = ["Comoments", "comoments", "deviations", "lagged", "mean_deviations", "means", "moments", "sums", "trends"]

_State = NDArray[np.float64]
"""Measures of the rows of each window, a row per measure; its first ones begin as columns, those that add up at 0."""
_Merge = Callable[[_State, int, _State, int], _State]

_ROWS_AT_ONCE = 8192


class Comoments(NamedTuple):
    """Sums over each window of products of deviations from the window's means."""

    xx: Column
    yy: Column
    xy: Column


def lagged(column: Column, rows: int) -> Column:
    """Return the column ``rows`` later, NaN in the first rows."""
    if not rows:
        return column
    result = np.full(len(column), np.nan)
    result[rows:] = column[: len(column) - rows]
    return result


def sums(column: Column, period: int) -> Column:
    """Return the sum of the last ``period`` rows, NaN where there are fewer."""
    total: Column = _over_windows(column.reshape(1, -1), period, _add)[0]
    return total


def means(column: Column, period: int) -> Column:
    """Return the mean of the last ``period`` rows, exact for equal values."""
    mean: Column = _over_windows(column.reshape(1, -1), period, _merge_means)[0]
    return mean


def moments(column: Column, period: int) -> tuple[Column, Column]:
    """Return the mean, and the sum of squared deviations from it, of the last ``period`` rows."""
    mean, squares = _over_windows(_begun(column, sums=1), period, _merge_moments)
    return mean, squares


def deviations(column: Column, period: int) -> Column:
    """Return the standard deviation of the last ``period`` rows (divided by ``period``)."""
    return np.asarray(np.sqrt(moments(column, period)[1] / period))


def comoments(x: Column, y: Column, period: int) -> Comoments:
    """Return the sums of products of deviations of two columns over the last ``period`` rows."""
    return Comoments(*_over_windows(_begun(x, y, sums=3), period, _merge_comoments)[2:])


def trends(column: Column, period: int) -> tuple[Column, Column]:
    """Return the mean, and the sum of deviations times row numbers, of the last ``period`` rows.

    Row numbers are counted from the middle of the window, so that the slope of the line through its rows is the
    second over ``period * (period**2 - 1) / 12``.
    """
    mean, trend = _over_windows(_begun(column, sums=1), period, _merge_trends)
    return mean, trend


def mean_deviations(column: Column, period: int) -> Column:
    """Return the mean distance of the last ``period`` rows from their mean."""
    mean = means(column, period)[period - 1 :]
    result = np.full(len(column), np.nan)
    if len(mean):
        total = np.zeros(len(mean))
        for first in range(period):
            total += np.abs(column[first : first + len(mean)] - mean)
        result[period - 1 :] = total / period
    return result


def _begun(*columns: Column, sums: int) -> _State:
    """Return the state of windows of one row, with sums that are still 0."""
    state = np.zeros((len(columns) + sums, len(columns[0])))
    for row, column in enumerate(columns):
        state[row] = column
    return state


def _over_windows(state: _State, period: int, merge: _Merge) -> _State:
    """Merge the rows of each window of ``period`` rows, without those that are NaN at the beginning."""
    rows = state.shape[1]
    begin = max(map(_first_number, state))
    merged = np.empty_like(state)
    merged[:, : begin + period - 1] = np.nan
    # Columns that fit the processor's cache; each window is the same in any of them.
    for first in range(begin, rows - period + 1, _ROWS_AT_ONCE):
        last = min(first + _ROWS_AT_ONCE + period - 1, rows)
        merged[:, first + period - 1 : last] = _merged(state[:, first:last], period, merge)
    return merged


def _first_number(column: Column) -> int:
    """Return the first row that is not NaN, or the length of the column."""
    if not len(column) or column[0] == column[0]:
        return 0
    numbers = column == column
    return int(np.argmax(numbers)) if numbers.any() else len(column)


def _merged(block: _State, period: int, merge: _Merge) -> _State:
    """Return the state of each whole window, the first row of the window counting."""
    size, done, window = 1, 0, block
    while True:
        if period & size:
            if done:
                newer = window[:, size:]
                window = merge(block[:, : newer.shape[1]], size, newer, done)
            else:
                window = block
            done += size
        if done == period:
            return window
        block = merge(block[:, :-size], size, block[:, size:], size)
        size *= 2


# Merges write into one new array where they can: passes over memory are what they cost.


def _add(older: _State, _n: int, newer: _State, _m: int) -> _State:
    return np.add(older, newer)


def _merge_means(older: _State, n: int, newer: _State, m: int) -> _State:
    step = newer - older
    step *= m / (n + m)
    step += older
    return step


def _merge_moments(older: _State, n: int, newer: _State, m: int) -> _State:
    step, merged = newer[0] - older[0], older + newer
    np.multiply(step, m / (n + m), out=merged[0])
    merged[0] += older[0]
    step *= step
    step *= n * m / (n + m)
    merged[1] += step
    return merged


def _merge_trends(older: _State, n: int, newer: _State, m: int) -> _State:
    step, merged = newer[0] - older[0], older + newer
    np.multiply(step, m / (n + m), out=merged[0])
    merged[0] += older[0]
    # The middles of the two lie half of all rows apart.
    step *= n * m / 2
    merged[1] += step
    return merged


def _merge_comoments(older: _State, n: int, newer: _State, m: int) -> _State:
    step, merged = newer[:2] - older[:2], older + newer
    np.multiply(step, m / (n + m), out=merged[:2])
    merged[:2] += older[:2]
    x, y = step
    for row, (a, b) in enumerate(((x, x), (y, y), (x, y)), start=2):
        merged[row] += a * b * (n * m / (n + m))
    return merged

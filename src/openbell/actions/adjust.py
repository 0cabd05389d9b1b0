"""Back-adjustment of bars to the price basis after splits and dividends.

Every bar of a session before an ex-date is changed, by all actions with later ex-dates together:

- A split of n new shares for one old share divides prices by n and multiplies volumes by n: price x volume stays.
- A dividend of d after a close of c multiplies prices by 1 - d / c and leaves volumes alone: the method of the Center
  for Research in Security Prices (CRSP), which Yahoo's adjusted close and LEAN's price factors follow, too.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from openbell.errors import DataError
from openbell.model.bars import Bars
from openbell.model.interval import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openbell.actions.table import Action

__all__ = ["Arena", "back_adjusted", "require_fitting_splits"]

_PRICES = ("open", "high", "low", "close")
_NEAR_NS = 15 * DAY_NS
"""The longest time between the bars before and after an ex-date for their prices to be compared."""
_FURTHEST = 1000.0
"""The largest factor between the step of the price and a split; more is a typing error, and no move of the market."""


class Arena:
    """Allocator of many columns in few large blocks.

    A block stays in memory as long as a column in it.

    Args:
        block: The least count of numbers in a block.
    """

    # The system maps a large block in large pages. Page by page, fresh memory costs several times the arithmetic.

    def __init__(self, block: int = 2**22) -> None:
        self._block = block
        self._free = np.empty(0)

    def allocate(self, count: int) -> NDArray[np.float64]:
        """Return an uninitialised column of ``count`` numbers."""
        if len(self._free) < count:
            self._free = np.empty(max(count, self._block))
        column, self._free = self._free[:count], self._free[count:]
        return column


def back_adjusted(
    bars: Bars, rows: NDArray[np.intp], shares: Sequence[float], payouts: Sequence[float], arena: Arena
) -> Bars:
    """Adjust bars to the price basis after all actions.

    Times are shared with ``bars``, and so are volumes that no split changes; all else is copied.

    Args:
        bars: Raw bars.
        rows: Per action, in ascending order of ex-date, the first row that trades after it.
        shares: Per action, new shares for one old share; 1 for other actions.
        payouts: Per action, the factor of prices for its dividend (1 - dividend / close); 1 for others.
        arena: Where the copies are made.
    """
    # Products from the last action back: a bar is changed by all actions after it.
    splits = np.cumprod(shares[::-1], dtype=np.float64)[::-1]
    divisor = splits / np.cumprod(payouts[::-1], dtype=np.float64)[::-1]
    split = bool((splits != 1).any())
    block = arena.allocate((len(_PRICES) + split) * len(bars)).reshape(-1, len(bars))
    columns = {
        name: _scaled(np.divide, getattr(bars, name), divisor, rows, out)
        for name, out in zip(_PRICES, block, strict=False)
    }
    volume = _scaled(np.multiply, bars.volume, splits, rows, block[-1]) if split else bars.volume
    return Bars.of(bars.times, *columns.values(), volume)


def require_fitting_splits(actions: Sequence[Action], rows: Sequence[int], bars: Bars) -> None:
    """Raise an error for a split that does not fit the step of the price on its ex-date.

    A split without bars near its ex-date is not checked, since the price may have moved anywhere.

    Args:
        actions: Actions by ex-date, of every kind.
        rows: Per action the first row that trades after it.
        bars: Raw bars.

    Raises:
        DataError: There is such a split, with which adjusted prices would be absurd or infinite.
    """
    for action, row in zip(actions, rows, strict=True):
        if action.type != "split" or not action.value or not 0 < row < len(bars):
            continue
        if bars.timestamp[row] - bars.timestamp[row - 1] > _NEAR_NS:
            continue
        before, after = float(bars.close[row - 1]), float(bars.open[row])
        expected = before / action.value
        if not after / _FURTHEST <= expected <= after * _FURTHEST:
            raise DataError(
                f"{action.symbol}: the split of {action.value:g} new shares for one old share on {action.ex_date} does "
                f"not fit the price, {before:g} before and {after:g} after it. Correct it with: openbell data import "
                "actions, or set adjustment: raw."
            )


def _scaled(
    scale: np.ufunc,
    raw: NDArray[np.float64],
    factors: NDArray[np.float64],
    rows: NDArray[np.intp],
    out: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Scale a column into ``out``, with ``factors[k]`` for the rows before action k."""
    for action, (first, after) in enumerate(pairwise([0, *rows.tolist()])):
        scale(raw[first:after], factors[action], out=out[first:after])
    out[rows[-1] :] = raw[rows[-1] :]
    return out

"""Back-adjustment: bars from before a split or a dividend put on the price basis of after it.

Every bar of a session before an ex-date is changed, by all actions with later ex-dates together:

- A split of n new shares for one old share divides prices by n and multiplies volumes by n: price x volume stays.
- A dividend of d after a close of c multiplies prices by 1 - d / c and leaves volumes alone: the method of the Center
  for Research in Security Prices (CRSP), which Yahoo's adjusted close and LEAN's price factors follow, too.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openbell.bars import Bars

__all__ = ["back_adjusted"]


def back_adjusted(bars: Bars, rows: NDArray[np.intp], shares: Sequence[float], payouts: Sequence[float]) -> Bars:
    """Bars on the basis of after all actions; times and counts are shared with ``bars``, prices and volumes are copies.

    Args:
        bars: Raw bars.
        rows: Per action, in ascending order of ex-date, the first row that trades after it.
        shares: Per action, new shares for one old share; 1 when it is no split.
        payouts: Per action, the factor of prices for its dividend (1 - dividend / close); 1 when it is none.
    """
    # Counted from the last action back: what all actions from one on do together.
    splits = np.cumprod(np.asarray(shares, np.float64)[::-1])[::-1]
    divisor = splits / np.cumprod(np.asarray(payouts, np.float64)[::-1])[::-1]
    prices = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close")}
    volume = bars.volume.copy()
    for action, (first, after) in enumerate(pairwise([0, *rows])):
        part = slice(int(first), int(after))
        for column in prices.values():
            column[part] /= divisor[action]
        volume[part] *= splits[action]
    return replace(bars, volume=volume, **prices)

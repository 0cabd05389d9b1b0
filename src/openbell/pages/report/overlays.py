"""Choice of the pane that an indicator is drawn in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["is_overlay"]

_ROOM = 1.0
"""How far a line over the candles may leave their price range, as a multiple of that range."""
_PANES = frozenset(
    (
        *(
            "rsi",
            "stoch",
            "stochf",
            "stochrsi",
            "willr",
            "mfi",
            "cci",
            "cmo",
            "adx",
            "adxr",
            "dx",
            "plus_di",
            "minus_di",
        ),
        *("aroon", "aroonosc", "ultosc", "bop", "atr", "natr", "trange", "mom", "roc", "rocp", "rocr", "rocr100"),
        *("macd", "macdext", "macdfix", "ppo", "apo", "trix", "obv", "ad", "adosc", "stddev", "var", "correl", "beta"),
        *("avg_volume", "avg_range", "volume_ratio", "range_ratio", "histvol", "gap", "gap_stats", "relative_volume"),
    )
)
"""Names of indicators that are no prices, even if their values happen to lie in the price range."""


def is_overlay(name: str, values: NDArray[np.float64], prices: NDArray[np.float64]) -> bool:
    """Return whether an indicator is a price, and so is drawn over the candles.

    Args:
        name: The key of the indicator, such as "rsi_14_5m", with its output behind a dot if it has several.
        values: Its values, NaN where there is none.
        prices: Prices of the bars.
    """
    key = name.partition(".")[0]
    words = key.split("_")
    if any("_".join(words[:length]) in _PANES for length in range(1, len(words) + 1)):
        return False
    known = values[np.isfinite(values)]
    if not len(known):
        return False
    low, high = float(np.nanmin(prices)), float(np.nanmax(prices))
    room = (high - low or abs(high) * 0.01) * _ROOM
    inside = (known >= low - room) & (known <= high + room)
    return bool(inside.mean() > 0.9)

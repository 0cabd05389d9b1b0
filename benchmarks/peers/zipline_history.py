"""zipline-reloaded in the way of its manual: `data.history` and TA-Lib on each bar."""

from __future__ import annotations

from typing import Any

import numpy as np
import talib
from benchmarks.peers.zipline import main

WINDOW = 120
"""Bars of the window: after 100 of them nothing of the start is left in an EMA(20) but 5e-5 of its error."""


def from_history(assets: list[Any], data: Any, minutes: int) -> tuple[np.ndarray, np.ndarray]:
    """Both averages of all assets over the last bars."""
    closes = data.history(assets, "close", WINDOW * minutes, "1m")
    if minutes > 1:
        closes = closes.resample(f"{minutes}min", label="right", closed="right").last().dropna(how="all")
    columns = [np.ascontiguousarray(closes[asset].to_numpy()) for asset in assets]
    fast, slow = (np.array([talib.EMA(column, period)[-1] for column in columns]) for period in (10, 20))
    return fast, slow


if __name__ == "__main__":
    main(from_history)

"""Bars on which rounding and running sums go wrong.

Stretches without trades, volumes of fractions and of zero, one of 1e15, a price that falls by nine orders of magnitude,
prices of 1e-9.
"""

from __future__ import annotations

import numpy as np

from openbell.indicators import IndicatorInputs

ROWS = 2_400
SPIKE = 700
BAR = 300_000_000_000


def bars(kind: str) -> IndicatorInputs:
    """Bars of 5 minutes in sessions of 78; prices in cents, volumes with three decimals."""
    random = np.random.default_rng(20241129)
    close = np.round(100 * np.exp(np.cumsum(random.normal(0, 0.002, ROWS))), 2)
    opened = np.round(np.concatenate([[100.0], close[:-1]]) + random.normal(0, 0.05, ROWS), 2)
    high = np.round(np.maximum(opened, close) + np.abs(random.normal(0, 0.1, ROWS)), 2)
    low = np.round(np.minimum(opened, close) - np.abs(random.normal(0, 0.1, ROWS)), 2)
    volume = np.round(random.lognormal(3, 2, ROWS), 3)
    prices = [opened, high, low, close]
    if kind == "without trades":
        for first in range(300, ROWS, 400):
            still = slice(first, first + 150)
            for column in prices:
                column[still] = close[first - 1]
            volume[still] = 0
    if kind == "an absurd volume":
        volume[SPIKE] = 1e15
    if kind == "a collapse":
        prices = [column * np.where(np.arange(ROWS) < SPIKE, 1.0, 1e-9) for column in prices]
    if kind == "tiny prices":
        prices = [column * 1e-11 for column in prices]
    offset = np.arange(ROWS) % 78 * BAR
    return IndicatorInputs(*prices, volume, np.arange(ROWS) // 78, offset, offset + BAR)


KINDS = ("without trades", "an absurd volume", "a collapse", "tiny prices")
BARS = {kind: bars(kind) for kind in KINDS}
SAMPLED = (
    *range(340, 700, 40),
    SPIKE,
    SPIKE + 1,
    *range(SPIKE + 9, SPIKE + 60, 7),
    SPIKE + 500,
    *range(1300, ROWS, 37),
)

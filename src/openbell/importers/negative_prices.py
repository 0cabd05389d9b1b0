"""Negative prices, which some instruments have and most files have by mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from openbell.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["refuse_negative"]

_PRICES = ("open", "high", "low", "close")
_MOST = 0.001
"""The share of rows up to which scattered negative prices are taken for mistakes."""


def refuse_negative(frames: Iterable[pl.DataFrame]) -> None:
    """Refuse a file with more negative prices than mistakes explain.

    These are negative prices in consecutive rows, or in more than 0.1 % of the rows.

    Single ones are taken for mistakes, and are set aside later.

    Args:
        frames: The rows of a file, in its order.

    Raises:
        ConfigError: There are such prices; the message names the option that allows them.
    """
    rows = negative = 0
    run = longest = 0
    for frame in frames:
        below = frame.select(pl.any_horizontal(pl.col(*_PRICES) < 0).fill_null(value=False)).to_series().to_numpy()
        rows += len(below)
        negative += int(below.sum())
        if below.any():
            edges = np.flatnonzero(np.diff(np.concatenate([[False], below, [False]]).astype(np.int8)))
            lengths = edges[1::2] - edges[::2]
            first = int(lengths[0]) + (run if below[0] else 0)
            longest = max(longest, first, int(lengths.max()))
            run = int(lengths[-1]) if below[-1] else 0
        elif len(below):
            run = 0
    if longest > 1 or (negative > 1 and negative > _MOST * rows):
        raise ConfigError(
            f"{negative:,} of {rows:,} rows have negative prices. If they are right, as those of oil, power and "
            "spreads may be, use --allow-negative; if not, correct the file."
        )

"""The number by which prices are divided, where they are whole numbers."""

from __future__ import annotations

import numpy as np

from openbell.importers.sniffing.detection import Detection

__all__ = ["sniff_price_scale"]

_FIXED_POINT = 1e9
_FIXED_TICK = 100_000
_FEWEST_ROWS = 10
_CENTS_FROM = 20_000


def sniff_price_scale(prices: np.ndarray) -> tuple[float, Detection]:
    """Find by what prices are to be divided.

    Currencies without cents have prices as large as those that are counted in 1/10,000, so only billions are scaled.

    Args:
        prices: Those of the first rows, above 0.
    """
    whole = bool(len(prices)) and bool((prices % 1 == 0).all())
    typical = float(np.median(prices)) if len(prices) else 0.0
    around = f"whole numbers around {typical:,.0f}"
    if whole and typical >= _FIXED_POINT and len(prices) >= _FEWEST_ROWS and (prices % _FIXED_TICK == 0).all():
        return 1e9, Detection("price scale", "1/1,000,000,000", f"{around}, as fixed-point prices are", "likely")
    if whole and typical >= _CENTS_FROM and (prices % 100 == 0).all():
        why = f"{around} are taken as they are; if they are in 1/10,000, say --price-scale 10000"
        return 1.0, Detection("price scale", "1", why, "assumed")
    return 1.0, Detection("price scale", "1", f"prices around {typical:,.2f}", "plain")

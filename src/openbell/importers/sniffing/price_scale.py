"""Detection of the number by which prices are divided."""

from __future__ import annotations

import numpy as np

from openbell.importers.sniffing.detection import Detection

__all__ = ["sniff_price_scale"]

_FIXED_POINT = 1e9
_FIXED_TICK = 100_000
_FEWEST_ROWS = 10
_CENTS_FROM = 20_000


def sniff_price_scale(prices: np.ndarray) -> tuple[float, Detection]:
    """Find the number by which prices are to be divided.

    Only fixed-point prices in 1/1,000,000,000 are detected: whole numbers of 1/10,000 look the same as prices in
    currencies without cents, and are taken as they are.

    Args:
        prices: The prices of the first rows that are above 0.
    """
    whole = bool(len(prices)) and bool((prices % 1 == 0).all())
    typical = float(np.median(prices)) if len(prices) else 0.0
    around = f"whole numbers around {typical:,.0f}"
    if whole and typical >= _FIXED_POINT and len(prices) >= _FEWEST_ROWS and (prices % _FIXED_TICK == 0).all():
        return 1e9, Detection("price scale", "1/1,000,000,000", f"{around}, as fixed-point prices are", "likely")
    if whole and typical >= _CENTS_FROM and (prices % 100 == 0).all():
        why = f"{around} are taken as they are; if they are in 1/10,000, use --price-scale 10000"
        return 1.0, Detection("price scale", "1", why, "assumed")
    return 1.0, Detection("price scale", "1", f"prices around {typical:,.2f}", "plain")

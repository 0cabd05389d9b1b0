"""Numbers as text for people, precise also where prices are small."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["decimals_of", "money", "number", "percent", "price", "units"]

_DIGITS = 6
_MOST_DECIMALS = 10
_NONE = "–"  # noqa: RUF001 -- a dash for what is not there


def price(value: float | None) -> str:
    """Format a price with two decimals at least, and with six digits at least where it is small."""
    if value is None or not math.isfinite(value):
        return _NONE
    if value == 0:
        return "0.00"
    rounded = Decimal(repr(float(f"{value:.{_DIGITS}g}"))) if abs(value) < 10_000 else Decimal(f"{value:.2f}")
    text = f"{rounded:,f}"
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest.rstrip('0').ljust(2, '0')}"


def money(value: float | None, *, signed: bool = False) -> str:
    """Format an amount of money with two decimals, or like a price when it is less than a cent."""
    if value is None or not math.isfinite(value):
        return _NONE
    if 0 < abs(value) < 0.005:
        return ("+" if signed and value > 0 else "") + price(float(f"{value:.2g}"))
    text = f"{value:+,.2f}" if signed else f"{value:,.2f}"
    return text if float(f"{value:.2f}") else "0.00"


def percent(value: float | None, *, signed: bool = False) -> str:
    """Format a share as a percentage with two decimals."""
    if value is None or not math.isfinite(value):
        return _NONE
    if abs(value) >= 1000:
        return f"{value:,.3g} x"
    return f"{value:+,.2%}" if signed else f"{value:,.2%}"


def units(value: float | None) -> str:
    """Format a quantity with the decimals that it has."""
    if value is None or not math.isfinite(value):
        return _NONE
    return f"{Decimal(f'{value:.10g}'):,f}"


def number(value: float | None, form: str) -> str:
    """Format a number of a performance by its form, which `openbell.results.measures.performance_lines` names."""
    if value is None or not math.isfinite(value):
        return _NONE
    if form == "percent":
        return percent(value)
    if form == "days":
        return f"{value:,.0f} day{'' if value == 1 else 's'}"
    return f"{value:,.0f}" if form == "count" else money(value)


def decimals_of(prices: NDArray[np.float64], digits: int = _DIGITS) -> int:
    """Return the decimals that show prices as they are, or six digits of them where they have more.

    Args:
        prices: Prices, NaN where there is none.
        digits: The digits that are enough.
    """
    known = np.abs(prices[np.isfinite(prices)])
    if not len(known) or not known.max():
        return 2
    for decimals in range(2, _MOST_DECIMALS + 1):
        if np.allclose(known, np.round(known, decimals), rtol=1e-9, atol=0):
            return _bounded(decimals, float(np.median(known)), digits)
    return _bounded(_MOST_DECIMALS, float(np.median(known)), digits)


def _bounded(decimals: int, typical: float, digits: int) -> int:
    if not typical:
        return min(decimals, 2)
    enough = max(2, digits - 1 - math.floor(math.log10(typical)))
    return min(decimals, enough, 12)

"""Terms on which a symbol is traded."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Instrument"]


@dataclass(frozen=True, slots=True)
class Instrument:
    """Terms on which a symbol is traded.

    Attributes:
        symbol: The symbol.
        multiplier: Money that one point of the price is worth, per unit.
        tick: The smallest step of the price; None when any price is allowed.
        currency: The currency of its price.
        fractional: Whether parts of a unit are traded.
        margin: Margin of one unit, in money; None for a share of its value by the account's leverage.
    """

    symbol: str
    multiplier: float = 1.0
    tick: float | None = 0.01
    currency: str = "USD"
    fractional: bool = False
    margin: float | None = None

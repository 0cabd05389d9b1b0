"""Terms by which a symbol is traded."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Instrument"]


@dataclass(frozen=True, slots=True)
class Instrument:
    """Terms of trading of a symbol.

    Attributes:
        symbol: The symbol.
        multiplier: Money that one point of the price is worth, per unit.
        tick: The smallest step of the price; None when any price is allowed.
        currency: The currency of its price.
        fractional: Whether parts of a unit are traded.
        margin: Money that one unit ties up, instead of a share of its value; None for the account's leverage.
    """

    symbol: str
    multiplier: float = 1.0
    tick: float | None = 0.01
    currency: str = "USD"
    fractional: bool = False
    margin: float | None = None

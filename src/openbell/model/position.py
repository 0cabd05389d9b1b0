"""Positions of an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Position"]


@dataclass(frozen=True, slots=True)
class Position:
    """Holding of one symbol at one time.

    Attributes:
        symbol: The symbol.
        quantity: Units held, negative when sold short, 0 when there is no position.
        average_price: The mean price of the units that are held; 0 when there are none.
        last_price: The last price seen; 0 before the first.
        multiplier: Money that one point of the price is worth, per unit.
        realized: Profit of the units that were closed since the position was opened, before fees.
        opened: When the position was opened, in exchange time; None when there is none.
    """

    symbol: str
    quantity: float = 0.0
    average_price: float = 0.0
    last_price: float = 0.0
    multiplier: float = 1.0
    realized: float = 0.0
    opened: datetime | None = None

    @property
    def value(self) -> float:
        """Worth of the units at the last price, negative when short."""
        return self.quantity * self.last_price * self.multiplier

    @property
    def unrealized(self) -> float:
        """Profit if the units were closed at the last price."""
        return self.quantity * (self.last_price - self.average_price) * self.multiplier

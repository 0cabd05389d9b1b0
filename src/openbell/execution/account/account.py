"""The account of a run, with its cash and holdings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openbell.execution.account.corporate_actions import merged_average, profit_of_merging
from openbell.model.order import DUST

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Account", "Holding"]


@dataclass(slots=True)
class Holding:
    """Units of one symbol, bought or sold short.

    Attributes:
        symbol: The symbol.
        multiplier: Money that one point of the price is worth, per unit.
        quantity: Units, negative when short.
        average_price: The mean price at which they were opened.
        realized: Profit of the units closed since it was opened, before fees.
        opened_ns: When it was opened, nanoseconds since 1970 UTC.
        last_price: The last price seen.
    """

    symbol: str
    multiplier: float = 1.0
    quantity: float = 0.0
    average_price: float = 0.0
    realized: float = 0.0
    opened_ns: int = 0
    last_price: float = 0.0

    @property
    def value(self) -> float:
        """Value at the last price."""
        return self.quantity * self.last_price * self.multiplier


@dataclass(slots=True)
class Account:
    """Cash and holdings, changed by fills, payments and corporate actions.

    Attributes:
        cash: Money; below zero when the account has borrowed.
        holdings: What is held, by symbol; nothing of zero units.
        realized: Profit of all units that were closed, before fees.
        fees: Fees of all fills.
    """

    cash: float
    holdings: dict[str, Holding] = field(default_factory=dict)
    realized: float = 0.0
    fees: float = 0.0

    def fill(self, symbol: str, quantity: float, price: float, fee: float, multiplier: float, time_ns: int) -> float:
        """Book a fill, and return the profit of the units that it closed."""
        self.cash -= quantity * price * multiplier + fee
        self.fees += fee
        holding = self.holdings.get(symbol)
        if holding is None:
            self.holdings[symbol] = Holding(symbol, multiplier, quantity, price, 0.0, time_ns, price)
            return 0.0
        held = holding.quantity
        left = held + quantity
        holding.last_price = price
        if held * quantity > 0:
            holding.average_price = (held * holding.average_price + quantity * price) / left
            holding.quantity = left
            return 0.0
        closed = -quantity if abs(quantity) <= abs(held) else held
        profit = closed * (price - holding.average_price) * multiplier
        self.realized += profit
        if abs(left) < DUST:
            del self.holdings[symbol]
        elif left * held > 0:
            holding.quantity = left
            holding.realized += profit
        else:
            self.holdings[symbol] = Holding(symbol, multiplier, left, price, 0.0, time_ns, price)
        return profit

    def split(self, symbol: str, quantity: float, average_price: float, last_price: float, fraction: float) -> None:
        """Set the units and prices of a holding after a split.

        A fraction of a unit counts as sold at the last price; its cash is booked separately.
        """
        holding = self.holdings[symbol]
        profit = fraction * (last_price - average_price) * holding.multiplier
        self.realized += profit
        if abs(quantity) < DUST:
            del self.holdings[symbol]
            return
        holding.quantity, holding.average_price, holding.last_price = quantity, average_price, last_price
        holding.realized += profit

    def rename(self, names: Mapping[str, str]) -> None:
        """Move holdings to new names, which may be those that others of them had before."""
        renamed = {old: self.holdings.pop(old) for old in names if old in self.holdings}
        for old, holding in renamed.items():
            self._rename(holding, names[old])

    def _rename(self, holding: Holding, new_symbol: str) -> None:
        other = self.holdings.get(new_symbol)
        holding.symbol = new_symbol
        if other is not None:
            average = merged_average(other.quantity, other.average_price, holding.quantity, holding.average_price)
            profit = holding.multiplier * profit_of_merging(
                other.quantity, other.average_price, holding.quantity, holding.average_price
            )
            self.realized += profit
            holding.realized += profit
            holding.quantity += other.quantity
            holding.average_price, holding.realized = average, holding.realized + other.realized
        if abs(holding.quantity) < DUST:
            self.holdings.pop(new_symbol, None)
        else:
            self.holdings[new_symbol] = holding

    def quantity(self, symbol: str) -> float:
        """Return the units held of a symbol, 0 when there are none."""
        holding = self.holdings.get(symbol)
        return 0.0 if holding is None else holding.quantity

    @property
    def equity(self) -> float:
        """Cash and the value of all holdings at their last prices."""
        return self.cash + sum(holding.value for holding in self.holdings.values())

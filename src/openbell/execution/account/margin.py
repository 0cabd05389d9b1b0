"""Rules of cash and margin accounts.

A position ties up money: its value divided by the account's leverage, or the margin of its instrument for each unit.
Equity above the sum of that is free; free money times the leverage is the buying power. An order that makes a position
smaller needs none.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openbell.config.execution import MaintenanceConfig
    from openbell.model.instrument import Instrument

__all__ = [
    "HeldMargin",
    "additional_margin",
    "borrow_cost",
    "buying_power",
    "buying_power_refusal",
    "first_margin_call",
    "initial_margin",
    "maintenance_margin",
    "makes_smaller",
    "short_refusal",
    "units_to_close",
]

Price = TypeVar("Price", float, NDArray[np.float64])

_MAINTENANCE_OF_FUTURES = 1 / 1.1
"""Maintenance margin of a future as a share of its initial margin: CME asks speculators for 110 % of it at first."""

_RESTORED = 1.1
"""Share of the maintenance margin that equity has after a call."""

_DAYS_OF_YEAR = 360
_NEAR = 1e-9
_HALF_CENT = 0.005


def initial_margin(quantity: float, price: float, instrument: Instrument, leverage: float) -> float:
    """Return the money that a position ties up.

    Args:
        quantity: Units, signed.
        price: The price of a unit.
        instrument: The terms of trading.
        leverage: The leverage of the account.
    """
    if instrument.margin is not None:
        return abs(quantity) * instrument.margin
    return abs(quantity * price) * instrument.multiplier / leverage


def additional_margin(held: float, quantity: float, price: float, instrument: Instrument, leverage: float) -> float:
    """Return the money that an order would tie up in addition to its position.

    Zero for an order that makes the position no larger, even if it reverses it.

    Args:
        held: Units held, signed.
        quantity: Units of the order, signed.
        price: The price at which the order is valued.
        instrument: The terms of trading.
        leverage: The leverage of the account.
    """
    more = abs(held + quantity) - abs(held)
    return initial_margin(more, price, instrument, leverage) if more > 0 else 0.0


def makes_smaller(held: float, quantity: float) -> bool:
    """Return whether an order makes a position smaller, and does not reverse it."""
    return held * quantity < 0 and abs(quantity) <= abs(held)


def buying_power(free: float, leverage: float) -> float:
    """Return the value that may be bought or sold short with free money, zero or more."""
    return max(free, 0.0) * leverage


def buying_power_refusal(needed: float, fee: float, free: float, leverage: float) -> str | None:
    """Return why an order is beyond the buying power, with both numbers, or None.

    Args:
        needed: The money that it would tie up, from `additional_margin`; an order that ties up none is never refused.
        fee: What it would cost.
        free: Equity less the money that positions and open orders tie up.
        leverage: The leverage of the account.
    """
    if needed <= 0 or needed + fee <= free + _HALF_CENT:
        return None
    wanted, there = (needed + fee) * leverage, buying_power(free, leverage)
    return f"it needs buying power of {wanted:,.2f}, and there is {there:,.2f}"


def short_refusal(held: float, quantity: float, *, shorting: bool) -> str | None:
    """Return why an order would sell short where the account does not, or None.

    Args:
        held: Units held, signed, less those of open orders that sell.
        quantity: Units of the order, signed.
        shorting: Whether the account sells short.
    """
    if shorting or quantity >= 0 or held + quantity >= 0:
        return None
    return f"it sells {-quantity:,.10g} and {max(held, 0.0):,.10g} are held; execution.shorting is false"


def maintenance_margin(quantity: float, price: Price, instrument: Instrument, maintenance: MaintenanceConfig) -> Price:
    """Return the equity that a position needs to be held, at a price or at each of many."""
    if instrument.margin is not None:
        of_future = abs(quantity) * instrument.margin * _MAINTENANCE_OF_FUTURES
        return np.full(len(price), of_future) if isinstance(price, np.ndarray) else of_future
    percent = maintenance.long_percent if quantity > 0 else maintenance.short_percent
    return abs(quantity * price) * (instrument.multiplier * percent / 100)


def first_margin_call(equity: NDArray[np.float64], margin: NDArray[np.float64]) -> int:
    """Return the first index at which equity is below the maintenance margin, or zero or less, or -1.

    Args:
        equity: Equity at times with open positions.
        margin: The maintenance margin of all positions at those times.
    """
    called = (equity < margin) | (equity <= 0)
    at = int(called.argmax()) if len(called) else 0
    return at if len(called) and called[at] else -1


class HeldMargin(NamedTuple):
    """A position with the equity that it needs to be held.

    Attributes:
        symbol: The symbol.
        quantity: Units, signed.
        margin: Its maintenance margin.
        instrument: The terms of trading.
        trades: Whether its symbol has traded in this session.
    """

    symbol: str
    quantity: float
    margin: float
    instrument: Instrument
    trades: bool = True


def units_to_close(positions: Sequence[HeldMargin], equity: float) -> dict[str, float]:
    """Return the signed units to trade after a margin call, by symbol in order of trading.

    The position that needs the largest margin is closed first, those that do not trade come last, and no more is closed
    than brings equity to 110 % of what the rest needs: for futures that is their initial margin, and for all a distance
    to the next call.

    Args:
        positions: What is held.
        equity: Equity now.
    """
    missing = sum(position.margin for position in positions) * _RESTORED - equity
    closed = {}
    for position in sorted(positions, key=lambda position: (not position.trades, -position.margin)):
        if missing <= 0 or not position.margin:
            break
        units = abs(position.quantity)
        by_unit = position.margin * _RESTORED / units
        wanted = missing / by_unit
        if not position.instrument.fractional:
            wanted = ceil(wanted - _NEAR)
        wanted = min(wanted, units)
        missing -= wanted * by_unit
        closed[position.symbol] = -wanted if position.quantity > 0 else wanted
    return closed


def borrow_cost(value: float, rate: float, days: int) -> float:
    """Return what it costs to borrow shares that were sold short.

    By calendar days of a year of 360, as Interactive Brokers charges it (https://www.interactivebrokers.com/en/pricing/
    short-sale-cost.php): a weekend is three days.

    Args:
        value: The value of the short positions, positive.
        rate: The yearly rate, as a fraction.
        days: Calendar days from the session's date to that of the next one.
    """
    return abs(value) * rate * days / _DAYS_OF_YEAR

"""Terms of trading of symbols, from the config, with checks of quantities and prices against them."""

from __future__ import annotations

from math import ceil, floor, isfinite
from typing import TYPE_CHECKING

import numpy as np

from openbell.execution.values_on_demand import ValuesOnDemand
from openbell.model.instrument import Instrument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from openbell.config import ExecutionConfig
    from openbell.model.order import Order

__all__ = [
    "InstrumentTable",
    "off_tick",
    "off_unit",
    "prices_off_tick",
    "to_tick",
    "to_tick_below",
    "whole_units",
    "without_noise",
]

# Prices and quantities are sums and products of floats: so near to a whole number of steps, they count as that.
_NEAR = 1e-6
_NEAR_UNIT = 1e-9
_FEWEST_FRACTION = 1e-9


class InstrumentTable:
    """The terms of trading of all symbols of a session.

    Args:
        config: The section ``execution`` of the config.
        futures: Whether the calendar is one of futures, where a symbol without an entry is not traded: its multiplier
            may be anything from 2 to 100,000, and a wrong one would go unnoticed.

    Attributes:
        get: Returns the terms of a symbol, which are those of a share unless the config has an entry for it.
        refusal: Returns why a symbol cannot be traded, with the lines to add to the config, or None.
    """

    def __init__(self, config: ExecutionConfig, *, futures: bool = False) -> None:
        self._currency = config.currency
        self._futures = futures
        self._entries = config.instruments
        self._made = ValuesOnDemand(self._make)
        self.get = self._made.__getitem__
        self._refusals = ValuesOnDemand(self._refusal)
        self.refusal = self._refusals.__getitem__

    def _refusal(self, symbol: str) -> str | None:
        entry = self._entries.get(symbol)
        if entry is None and self._futures:
            return (
                f"{symbol} has no entry in execution.instruments, and what a point of a future is worth differs. "
                f"Add its own terms to the config, such as those of the E-mini S&P 500:\n"
                f"execution:\n  instruments:\n    {symbol}: {{multiplier: 50, tick: 0.25, margin: 15000}}"
            )
        currency = entry.currency if entry else None
        if currency is not None and currency != self._currency:
            return (
                f"{symbol} is traded in {currency}, and the account is in {self._currency}. Money is not converted: "
                f"write execution.currency: {currency}, or trade it in a run of its own."
            )
        return None

    def rename(self, names: Mapping[str, str]) -> None:
        """Use the terms of symbols for their new names, unless those have terms of their own."""
        before = self._entries
        for new, entry in [(new, before[old]) for old, new in names.items() if old in before and new not in before]:
            self._entries = {**self._entries, new: entry}
            self._made.pop(new, None)
            self._refusals.pop(new, None)

    def _make(self, symbol: str) -> Instrument:
        entry = self._entries.get(symbol)
        if entry is None:
            # Any price: a stop at the low of a bar that was adjusted for a split lies on no grid of cents.
            return Instrument(symbol, tick=None, currency=self._currency)
        return Instrument(
            symbol,
            multiplier=entry.multiplier,
            tick=entry.tick,
            currency=entry.currency or self._currency,
            fractional=entry.fractional,
            margin=entry.margin,
        )


def whole_units(quantity: float, instrument: Instrument) -> float:
    """Cut a signed quantity towards zero to what can be traded."""
    if instrument.fractional:
        return quantity if abs(quantity) >= _FEWEST_FRACTION else 0.0
    if quantity and quantity % 1 == 0:
        return float(quantity)
    units = abs(quantity)
    nearest = round(units)
    whole = nearest if abs(units - nearest) <= _NEAR_UNIT else floor(units)
    return float(whole) if quantity > 0 else -float(whole) if whole else 0.0


def off_unit(quantity: float, instrument: Instrument) -> str | None:
    """Return why a quantity cannot be ordered, or None."""
    if not isfinite(quantity) or quantity == 0:
        return f"a quantity of {quantity:g} is no order. Give the units to buy, or to sell as a negative number."
    if not instrument.fractional and whole_units(quantity, instrument) != quantity:
        return (
            f"a quantity of {quantity:.10g} is not whole, and {instrument.symbol} is traded in whole units. Round it, "
            f"or write execution.instruments: {{{instrument.symbol}: {{fractional: true}}}}."
        )
    return None


def prices_off_tick(order: Order, instrument: Instrument) -> str | None:
    """Return why the limit or the stop of an order is invalid, or None."""
    if order.limit is not None and (refusal := off_tick(order.limit, instrument, "limit")):
        return refusal
    return None if order.stop is None else off_tick(order.stop, instrument, "stop")


def off_tick(price: float, instrument: Instrument, name: str) -> str | None:
    """Return why a price cannot be ordered, or None.

    Args:
        price: The price.
        instrument: The terms of its symbol.
        name: The kind of price, e.g. "limit".
    """
    if not isfinite(price):
        return f"a {name} of {price} is no price"
    if price <= 0:
        return f"a {name} of {price:.10g} is not above zero"
    tick = instrument.tick
    if tick is not None and abs(price / tick - round(price / tick)) > _NEAR:
        below, above = to_tick(price, tick, up=False), to_tick(price, tick, up=True)
        return (
            f"a {name} of {price:.10g} is off the tick of {instrument.symbol}, which is {tick:g}. "
            f"The nearest are {below:.10g} and {above:.10g}."
        )
    return None


def to_tick(price: float, tick: float | None, *, up: bool) -> float:
    """Move a price to the next tick above or below, unless it is on one."""
    if tick is None:
        return price
    steps = price / tick
    nearest = round(steps)
    if abs(steps - nearest) <= _NEAR:
        return without_noise(nearest * tick)
    return without_noise((ceil(steps) if up else floor(steps)) * tick)


def to_tick_below(prices: NDArray[np.float64], tick: float | None) -> NDArray[np.float64]:
    """Move prices to the next tick below, unless they are on one, keeping the noise of floats."""
    if tick is None:
        return prices
    steps = prices / tick
    nearest = np.round(steps)
    return np.where(np.abs(steps - nearest) <= _NEAR, nearest, np.floor(steps)) * tick


def without_noise(price: float) -> float:
    """Return a price without the noise of floats, such as 186.2868 for 186.28680000000003."""
    return float(f"{price:.14g}")

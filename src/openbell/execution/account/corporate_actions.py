"""Corporate actions on positions and open orders.

On an ex-date, before the session opens: dividends first, because they are paid on the shares held before a split of the
same day, then splits, then names.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from openbell.execution.orders.instruments import to_tick, whole_units
from openbell.model.order import DUST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openbell.actions.table import Action
    from openbell.model.instrument import Instrument
    from openbell.model.order import Order

__all__ = [
    "SplitUnits",
    "dividend_amount",
    "in_order",
    "merged_average",
    "profit_of_merging",
    "rename_order",
    "split_order",
    "split_units",
]

_ORDER = {kind: at for at, kind in enumerate(("dividend", "split", "rename"))}


def in_order(actions: Iterable[Action]) -> list[Action]:
    """Sort the actions of one ex-date by when they are applied."""
    return sorted(actions, key=lambda action: _ORDER[action.type])


class SplitUnits(NamedTuple):
    """A position after a split.

    Attributes:
        quantity: Units, signed.
        average_price: Their mean price, on the new basis.
        fraction: Units that cannot be held and are paid out, signed.
        cash: Money for them; negative for a short position, which pays.
    """

    quantity: float
    average_price: float
    fraction: float
    cash: float


def split_units(
    quantity: float, average_price: float, ratio: float, last_price: float, instrument: Instrument
) -> SplitUnits:
    """Return a position after a split.

    Its value stays the same: fractions that cannot be held are paid at the last price, on the new basis.

    Args:
        quantity: Units before, signed.
        average_price: Their mean price.
        ratio: New units for one old unit: 2.0, or 0.1 for a reverse split of 1 for 10.
        last_price: The last price before the split.
        instrument: The terms of trading.
    """
    exact = quantity * ratio
    units = whole_units(exact, instrument)
    fraction = exact - units if not instrument.fractional and abs(exact - units) > DUST else 0.0
    return SplitUnits(
        units if fraction or not instrument.fractional else exact,
        average_price / ratio,
        fraction,
        fraction * (last_price / ratio) * instrument.multiplier,
    )


def split_order(order: Order, ratio: float, instrument: Instrument) -> Order | None:
    """Return an open order after a split, or None where no whole unit of it is left.

    Prices are divided by the ratio, and moved off the market to the tick; units are multiplied by it, without
    fractions.
    """
    quantity, filled = order.quantity * ratio, order.filled_quantity * ratio
    remaining = whole_units(quantity - filled, instrument)
    if not remaining:
        return None
    buys, tick = order.quantity > 0, instrument.tick
    return replace(
        order,
        quantity=filled + remaining,
        filled_quantity=filled,
        average_fill_price=None if order.average_fill_price is None else order.average_fill_price / ratio,
        limit=None if order.limit is None else to_tick(order.limit / ratio, tick, up=not buys),
        stop=None if order.stop is None else to_tick(order.stop / ratio, tick, up=buys),
        trail=None if order.trail is None else order.trail / ratio,
    )


def rename_order(order: Order, symbol: str) -> Order:
    """Return an open order under the new name of its symbol."""
    return replace(order, symbol=symbol)


def dividend_amount(quantity: float, per_unit: float, instrument: Instrument) -> float:
    """Return the money that a position gets for a dividend.

    A short one pays it.
    """
    return quantity * per_unit * instrument.multiplier


def merged_average(quantity: float, average_price: float, other: float, other_average: float) -> float:
    """Return the mean price of two positions that become one.

    They do when a symbol gets the name of another. Where one is long and the other short, the rest has the mean price
    of the larger one.
    """
    if quantity * other > 0:
        return (quantity * average_price + other * other_average) / (quantity + other)
    return average_price if abs(quantity) >= abs(other) else other_average


def profit_of_merging(quantity: float, average_price: float, other: float, other_average: float) -> float:
    """Return the profit of the units of two positions that close each other, for a multiplier of 1."""
    if quantity * other >= 0:
        return 0.0
    units = min(abs(quantity), abs(other))
    return units * (other_average - average_price) * (1 if quantity > 0 else -1)

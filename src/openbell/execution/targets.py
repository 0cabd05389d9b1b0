"""Units that a target amounts to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.execution.instruments import whole_units

if TYPE_CHECKING:
    from openbell.execution.desk import TradingDesk

__all__ = ["units_of_value"]

_MOST_STEPS = 100


def units_of_value(desk: TradingDesk, symbol: str, value: float, held: float) -> float | None:
    """Return the units of a symbol that are worth at most a value together with the fee of getting there, or None.

    Args:
        desk: The desk.
        symbol: The symbol.
        value: Money; negative for a short position.
        held: The units that are held now.

    Returns:
        The units; None when the symbol has no price.
    """
    price = None if desk.markets.provide(symbol) else desk.last_price(symbol)
    if price is None or price <= 0:
        return None
    instrument = desk.markets.instrument(symbol)
    unit = price * instrument.multiplier
    side = 1 if value >= 0 else -1
    units, room = whole_units(value / unit, instrument), abs(value)
    for _ in range(_MOST_STEPS):
        change = units - held
        # A target that makes the position smaller frees money; its fee is paid from that.
        fee = desk.costs.estimate(change, price, instrument) if change * side > 0 else 0.0
        if not units or abs(units) * unit + fee <= room:
            break
        fewer = whole_units(side * max(room - fee, 0.0) / unit, instrument)
        units = fewer if abs(fewer) < abs(units) else whole_units(units - side * min(1.0, abs(units)), instrument)
    return units

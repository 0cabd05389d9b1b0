"""Targets of positions, and the units that they amount to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.execution.orders.instruments import whole_units

if TYPE_CHECKING:
    from openbell.execution.desk import TradingDesk

__all__ = ["Targets", "is_too_small", "units_of_value"]

_MOST_STEPS = 100


class Targets:
    """Targets that strategies have given in a run.

    Attributes:
        orders: The last order towards a target, by symbol.
        largest_percent: The largest target in percent, long or short; 0 when there was none.
    """

    def __init__(self) -> None:
        self.orders: dict[str, str] = {}
        self.largest_percent = 0.0

    @property
    def warnings(self) -> list[str]:
        """Warnings of probable mistakes."""
        largest = self.largest_percent
        if not 0 < largest <= 1:
            return []
        said = f"the largest percent target of this run was {largest:g}, which is {largest:g} % of equity."
        return [f"{said} If a fraction was meant, write {largest * 100:g}."]


def units_of_value(desk: TradingDesk, symbol: str, value: float, held: float) -> float | None:
    """Return the units of a symbol whose value and fee together are at most a value, or None.

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


def is_too_small(desk: TradingDesk, symbol: str, held: float, wanted: float) -> bool:
    """Return whether a change to a target is below ``min_target_change_percent``, so that the position stays.

    It never is for a position that is opened, closed or reversed.
    """
    if held * wanted <= 0:
        return False
    unit = (desk.last_price(symbol) or 0.0) * desk.markets.instrument(symbol).multiplier
    return abs(wanted - held) * unit < desk.equity * desk.config.min_target_change_percent / 100

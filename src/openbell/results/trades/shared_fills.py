"""Fills of a session by the strategies whose units they trade."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from openbell.model.fill import Fill

__all__ = ["fills_by_strategy"]


def fills_by_strategy(fills: Iterable[Fill], held: Mapping[str, Mapping[str, float]]) -> dict[str, list[Fill]]:
    """Return fills by strategy, those of the account's rules by the strategies whose units they close.

    A margin call closes what strategies have opened, and is not a strategy with an opposite position.

    Args:
        fills: The fills of a session, in order.
        held: The units that each strategy has opened before, by symbol.

    Returns:
        Fills by strategy; what the account's rules trade and no strategy holds is under "".
    """
    fills = list(fills)
    names = {fill.order.strategy for fill in fills}
    if len(names) == 1 and "" not in names and names.issuperset(held):
        return {names.pop(): fills}  # mostly one strategy trades
    units = {name: dict(of) for name, of in held.items()}
    found: dict[str, list[Fill]] = {name: [] for name in held}
    for fill in fills:
        strategy = fill.order.strategy
        for name, part in [(strategy, fill)] if strategy else list(_shares(fill, units)):
            found.setdefault(name, []).append(part)
            of = units.setdefault(name, {})
            of[fill.symbol] = of.get(fill.symbol, 0.0) + part.quantity
    return found


def _shares(fill: Fill, units: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[str, Fill]]:
    """Yield the parts of a fill that close units of strategies, and the rest."""
    left = fill.quantity
    for name, of in units.items():
        has = of.get(fill.symbol, 0.0)
        if not left or has * left >= 0:
            continue
        part = -has if abs(has) <= abs(left) else left
        left -= part
        yield name, _part(fill, part)
    if left:
        yield "", _part(fill, left)


def _part(fill: Fill, quantity: float) -> Fill:
    if quantity == fill.quantity:
        return fill
    share = quantity / fill.quantity
    return replace(fill, quantity=quantity, fee=fill.fee * share, slippage=fill.slippage * share)

"""Earnings by symbol, strategy and label."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openbell.model.trade import Trade

__all__ = ["Earnings", "earnings", "grouped"]


@dataclass(frozen=True, slots=True)
class Earnings:
    """Earnings of a symbol, a strategy or a label, in money.

    Attributes:
        trades: Trades that were closed.
        wins: Those that won after fees.
        realized: Their profit before fees.
        unrealized: Profit of open positions, at last prices.
        fees: Fees paid.
        flows: Dividends less costs of borrowing.
    """

    trades: int
    wins: int
    realized: float
    unrealized: float = 0.0
    fees: float = 0.0
    flows: float = 0.0

    @property
    def net(self) -> float:
        """Profit with open positions and flows, less fees."""
        return self.realized + self.unrealized - self.fees + self.flows


def earnings(
    trades: Iterable[Trade], *, unrealized: float = 0.0, fees: float | None = None, flows: float = 0.0
) -> Earnings:
    """Add up the earnings of trades, and other profits and costs.

    Fees are those of the trades unless given.
    """
    trades = list(trades)
    return Earnings(
        trades=len(trades),
        wins=sum([trade.net > 0 for trade in trades]),
        realized=fsum([trade.pnl for trade in trades]),
        unrealized=unrealized,
        fees=fsum([trade.fees for trade in trades]) if fees is None else fees,
        flows=flows,
    )


def grouped(trades: Iterable[Trade], key: Callable[[Trade], str]) -> dict[str, list[Trade]]:
    """Return trades by a key, in the order in which the keys came."""
    groups: dict[str, list[Trade]] = {}
    for trade in trades:
        groups.setdefault(key(trade), []).append(trade)
    return groups

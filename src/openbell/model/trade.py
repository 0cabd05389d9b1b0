"""Trades, from an entry to its exit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbell.model.frozen import quick_column_maker, quick_maker

if TYPE_CHECKING:
    from datetime import datetime, timedelta

__all__ = ["Trade", "new_trade", "trades_of_columns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """Units that a strategy bought and sold again, or sold short and bought back.

    Attributes:
        symbol: The symbol.
        strategy: The name of the strategy.
        quantity: Units, positive for a long trade and negative for a short one.
        entry_time: When it was entered, in exchange time.
        exit_time: When it was left, in exchange time.
        entry_price: The price of a unit at the entry.
        exit_price: The price of a unit at the exit.
        pnl: Profit before fees.
        return_: ``pnl`` as a share of the value at the entry.
        bars: How many bars of the finest interval that trading uses closed between entry and exit.
        held: Time between entry and exit.
        mae: The maximum adverse excursion, the largest loss on the way in money before fees; zero or less.
        mfe: The maximum favorable excursion, the largest profit on the way in money before fees; zero or more.
        fees: Fees of entry and exit.
        tag: The label of the entry order.
        entry_reason: Why it was entered.
        exit_reason: Why it was left.
    """

    symbol: str
    strategy: str
    quantity: float
    entry_time: datetime
    exit_time: datetime
    entry_price: float
    exit_price: float
    pnl: float
    return_: float
    bars: int
    held: timedelta
    mae: float = 0.0
    mfe: float = 0.0
    fees: float = 0.0
    tag: str = ""
    entry_reason: str = ""
    exit_reason: str = ""

    @property
    def net(self) -> float:
        """Profit after fees."""
        return self.pnl - self.fees


new_trade = quick_maker(Trade)
"""Return a trade as `Trade` does, but faster, because a run makes very many."""
trades_of_columns = quick_column_maker(Trade)
"""Return trades made of columns, one of each field by name and all of one length."""

"""The portfolio as a strategy sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.model.events import local_time
from openbell.model.position import Position

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openbell.execution.account.account import Holding
    from openbell.execution.desk import TradingDesk
    from openbell.model.order import Order

__all__ = ["Portfolio"]


class Portfolio:
    """Cash, positions and open orders of the account, as they are now.

    All strategies and sessions of a run share the account: a portfolio shows its present state even when the session
    that it came from is over. Prices are those of the last closed bars. Money is in the account's
    currency.

    Args:
        desk: The desk, whose account it shows.
    """

    def __init__(self, desk: TradingDesk) -> None:
        self._desk = desk

    def __repr__(self) -> str:
        return f"<Portfolio: equity {self.equity:,.2f}, cash {self.cash:,.2f}, {len(self.positions)} positions>"

    @property
    def cash(self) -> float:
        """Money, which is below zero when the account has borrowed."""
        return self._desk.account.cash

    @property
    def equity(self) -> float:
        """Cash and the value of all positions, which is below zero for short ones."""
        return self._desk.equity

    @property
    def buying_power(self) -> float:
        """Value that may be bought or sold short in addition to positions and open orders."""
        return self._desk.buying_power

    @property
    def positions(self) -> Mapping[str, Position]:
        """All positions by symbol, in the order in which they were opened."""
        self._desk.valuation.mark()
        return {symbol: self._position(holding) for symbol, holding in self._desk.account.holdings.items()}

    def position(self, symbol: str) -> Position:
        """Return the position in a symbol, whose quantity is 0 when there is none.

        Raises:
            DataError: The symbol is unknown.
        """
        holding = self._desk.account.holdings.get(symbol)
        if holding is not None:
            self._desk.valuation.mark_holding(holding)
            return self._position(holding)
        self._desk.markets.require_known(symbol)
        price = self._desk.markets.last_price(symbol, self._desk.clock.now_ns)
        return Position(symbol, last_price=price or 0.0, multiplier=self._desk.markets.instrument(symbol).multiplier)

    def open_orders(self, symbol: str | None = None) -> tuple[Order, ...]:
        """Return the open orders of one symbol or of all, in the order in which they were placed.

        Raises:
            DataError: The symbol is unknown.
        """
        open_orders = self._desk.open_orders
        if symbol is None:
            return tuple(open_orders.by_id.values())
        orders = tuple(open_orders.of_symbol(symbol))
        if not orders:
            self._desk.markets.require_known(symbol)
        return orders

    @property
    def realized(self) -> float:
        """Profit of all units that were closed in this run, before fees."""
        return self._desk.account.realized

    @property
    def unrealized(self) -> float:
        """Profit if all positions were closed at their last prices, before fees."""
        return sum(position.unrealized for position in self.positions.values())

    @property
    def day_pnl(self) -> float:
        """Change of the equity since the account's current session began."""
        return self.equity - self._desk.start_equity

    def _position(self, holding: Holding) -> Position:
        return Position(
            holding.symbol,
            holding.quantity,
            holding.average_price,
            holding.last_price,
            holding.multiplier,
            holding.realized,
            local_time(holding.opened_ns, self._desk.time_manager.timezone),
        )

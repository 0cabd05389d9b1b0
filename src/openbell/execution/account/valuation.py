"""Last prices of what an account holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openbell.execution.account.account import Account, Holding
    from openbell.execution.simulated.markets import Markets
    from openbell.timing.clock import SimulatedClock

__all__ = ["Valuation"]


class Valuation:
    """Gives holdings the last prices that are known.

    Args:
        account: The account.
        markets: The bars of a session.
        clock: The session clock.
    """

    def __init__(self, account: Account, markets: Markets, clock: SimulatedClock) -> None:
        self._account = account
        self._market_of = markets.of
        self._clock = clock

    def mark(self) -> None:
        """Give every holding the last price that is known now."""
        for holding in self._account.holdings.values():
            self.mark_holding(holding)

    def mark_holding(self, holding: Holding) -> None:
        """Give a holding the last price that is known now."""
        # Prices of earlier sessions may be on another basis, to which the holding's own has been adjusted.
        market = self._market_of(holding.symbol)
        if market is not None and (price := market.last_price_today(self._clock.now_ns)) is not None:
            holding.last_price = price

    def last_price(self, symbol: str) -> float | None:
        """Return the last price of a symbol that is known now, or None."""
        market = self._market_of(symbol)
        price = None if market is None else market.last_price_today(self._clock.now_ns)
        holding = self._account.holdings.get(symbol)
        if holding is None:
            return market.close_before if price is None and market is not None else price
        if price is not None:
            holding.last_price = price
        return holding.last_price

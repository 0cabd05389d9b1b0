"""Symbols that the portfolio needs, provisioned and locked like any other need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.errors import OpenbellError
from openbell.execution.orders.order_terms import MARKET
from openbell.execution.simulated.simulated_broker import SimulatedBroker
from openbell.model.interval import parse_interval
from openbell.provisioning import Addition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openbell.execution.desk import TradingDesk
    from openbell.provisioning import Provisioner

__all__ = ["PATIENCE", "SOURCE", "HeldSymbols", "provision"]

SOURCE = "portfolio"
"""Source and owner of what the portfolio needs."""

PATIENCE = 5
"""Sessions without bars after which a held symbol is a warning."""


def provision(symbols: Sequence[str], provisioner: Provisioner) -> dict[str, str]:
    """Provision bars of symbols for the portfolio, in the base interval of the finest stream.

    Returns:
        By symbol that could not be provisioned, the reason.
    """
    context = provisioner.context
    finest = min(context.config.session_data_config.streams, key=parse_interval)
    additions, refused = [], {}
    context.refresh()
    for symbol in symbols:
        try:
            interval = str(context.base_of(symbol, finest))
        except OpenbellError as error:
            refused[symbol] = f"no bars of {symbol}: {error}"
        else:
            additions.append(Addition("bar", symbol, SOURCE, SOURCE, {"interval": interval}))
    for record in provisioner.add(additions):
        if not record.ok:
            refused[record.symbol] = f"no bars of {record.symbol}: {' '.join(record.errors)}"
    return refused


class HeldSymbols:
    """Symbols with positions or open orders, which stay in the session until they have neither.

    Args:
        desk: The desk.

    Attributes:
        without_bars: Held symbols that the session has no bars of, with the reasons.
        warnings: Warnings about them, of the whole run.
    """

    def __init__(self, desk: TradingDesk) -> None:
        self._desk = desk
        self._locked: set[str] = set()
        self._provisioner: Provisioner
        self._empty_sessions: dict[str, int] = {}
        self.without_bars: dict[str, str] = {}
        self.warnings: list[str] = []

    def begin_session(self, provisioner: Provisioner) -> None:
        """Provision and lock the symbols with positions or open orders."""
        self._provisioner = provisioner
        self._locked = set()
        self.without_bars = {}
        account, open_orders = self._desk.account, self._desk.open_orders
        if concerned := list(dict.fromkeys((*account.holdings, *open_orders.symbols))):
            self.without_bars = provision(concerned, provisioner)
        for symbol in concerned:
            if symbol not in self.without_bars:
                reason = "open position" if symbol in account.holdings else "open order"
                provisioner.lock_symbol(symbol, reason=reason, source=SOURCE, owner=SOURCE)
                self._locked.add(symbol)
        provisioner.holds = self.reason_to_stay

    def reason_to_stay(self, symbol: str) -> str:
        """Return why a symbol may not leave the session (empty when it may)."""
        if symbol in self._desk.account.holdings:
            return "there is an open position in it"
        return "there is an open order of it" if self._desk.open_orders.of_symbol(symbol) else ""

    def release(self, symbol: str) -> None:
        """Unlock a symbol if it is flat now, and no order of it is open."""
        if symbol in self._locked and not self.reason_to_stay(symbol):
            self._locked.remove(symbol)
            self._provisioner.unlock_symbol(symbol, source=SOURCE, owner=SOURCE)

    def end_session(self) -> None:
        """Count the sessions without bars, and close the positions that the config wants closed by now."""
        self._locked = set()  # the session is over: nothing can be unlocked in it any more
        today = self._desk.markets.today
        stale = []
        for symbol in self._desk.account.holdings:
            if symbol in today:
                self._empty_sessions.pop(symbol, None)
                continue
            count = self._empty_sessions[symbol] = self._empty_sessions.get(symbol, 0) + 1
            if count == PATIENCE:
                self.warnings.append(self._warning(symbol))
            if count >= PATIENCE:
                stale.append(symbol)
        if (broker := self._closer) is not None:
            for symbol in stale:
                self._close_at_last(symbol, broker)

    @property
    def _closer(self) -> SimulatedBroker | None:
        """The simulated broker if the config closes positions without bars at their last price, else None."""
        broker = self._desk.broker if self._desk.config.no_bars == "close_at_last" else None
        return broker if isinstance(broker, SimulatedBroker) else None

    def _close_at_last(self, symbol: str, broker: SimulatedBroker) -> None:
        """Close a position whose symbol no longer trades, at its last price."""
        desk, holding = self._desk, self._desk.account.holdings[symbol]
        for order in desk.open_orders.of_symbol(symbol):
            broker.cancel(order.id, "its symbol no longer trades")
        reason = f"no bars for {PATIENCE} sessions; closed at its last price"
        order = desk.place("", symbol, -holding.quantity, MARKET, reason=reason)
        desk.requests.clear()
        broker.fill_at(order, holding.last_price)

    def _warning(self, symbol: str) -> str:
        holding, equity = self._desk.account.holdings[symbol], self._desk.account.equity
        share = f", {abs(holding.value) / equity:.1%} of equity" if equity > 0 else ""
        units, price = f"{holding.quantity:,.10g} units", f"{holding.last_price:,.10g}"
        is_closed = self._closer is not None
        becomes = "are closed" if is_closed else "count"
        instead = "execution.no_bars: keep" if is_closed else "execution.no_bars: close_at_last"
        return (
            f"{symbol} is held and has had no bars for {PATIENCE} sessions up to {self._desk.session.day}: "
            f"{units} {becomes} at their last price of {price}{share}. Import its bars, or write {instead}."
        )

"""Orders and positions that a live run leaves at its broker when it stops before its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.brokers.link import BrokerLink
    from openbell.execution.desk import TradingDesk

__all__ = ["leave"]


def leave(link: BrokerLink, desk: TradingDesk, say: Callable[[str], None]) -> None:
    """Cancel open orders if the config says so, and report what stays at the broker."""
    orders = {key: order for key, order in desk.open_orders.by_id.items() if key not in desk.held_back.orders}
    holdings = desk.account.holdings
    if orders and desk.config.at_stop == "cancel":
        try:
            for done in link.close_out(()):
                say(done)
        except BrokerError as error:
            say(str(error))
    elif orders:
        say(f"orders stay open at the broker: {', '.join(order.words for order in orders.values())}")
    if holdings:
        held = [f"{holding.quantity:,.10g} {symbol}" for symbol, holding in holdings.items()]
        say(f"positions stay open at the broker: {', '.join(held)}")

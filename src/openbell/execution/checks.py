"""Checks of an order before it goes to a broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.execution.exchange_rules import on_close_cutoff_minutes
from openbell.execution.instruments import off_tick, off_unit
from openbell.model.events import local_time
from openbell.model.order import OrderType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.execution.desk import TradingDesk
    from openbell.model.order import Order

__all__ = ["Checks"]

_MINUTE_NS = 60_000_000_000


class Checks:
    """Everything that an order is checked for, the same in backtests and live.

    Args:
        desk: The desk, with account, book and markets.
    """

    def __init__(self, desk: TradingDesk) -> None:
        self._desk = desk
        self._cutoff_ns = on_close_cutoff_minutes(desk.time_manager.exchange) * _MINUTE_NS

    def refusal(self, order: Order, *, instead_of: Order | None = None) -> str:
        """Return why an order cannot be taken (empty when it can).

        Args:
            order: The order as it should be.
            instead_of: The open order that it replaces, or None.
        """
        if instead_of is None and (reason := self._desk.markets.provide(order.symbol)):
            return reason
        return next(filter(None, self._reasons(order, instead_of)), "")

    def _reasons(self, order: Order, instead_of: Order | None) -> Iterator[str | None]:
        desk, instrument = self._desk, self._desk.markets.instrument(order.symbol)
        yield desk.markets.instruments.refusal(order.symbol)
        yield off_unit(order.quantity, instrument)
        for name in ("limit", "stop"):
            price = getattr(order, name)
            if price is not None:
                yield off_tick(price, instrument, name)
        if order.until is not None and order.until < desk.session.day:
            yield f"its last day, {order.until}, is before the session of {desk.session.day}"
        if instead_of is None:
            yield self._too_late(order)

    def _too_late(self, order: Order) -> str | None:
        close_ns = self._desk.session.close_ns
        if order.type is not OrderType.MARKET_ON_CLOSE or not close_ns - self._cutoff_ns < order.created_ns < close_ns:
            return None
        cutoff = local_time(close_ns - self._cutoff_ns, order.zone)
        return (
            f"market-on-close orders are taken until {cutoff:%H:%M}, {self._cutoff_ns // _MINUTE_NS} minutes before "
            f"the close, and this one was placed at {order.created:%H:%M}"
        )

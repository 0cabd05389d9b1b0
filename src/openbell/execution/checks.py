"""Checks of an order before it goes to a broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openbell.execution.exchange_rules import on_close_cutoff_minutes
from openbell.execution.instruments import off_tick, off_unit
from openbell.execution.leg_sides import wrong_sides
from openbell.execution.margin import additional_margin, buying_power_refusal, initial_margin, short_refusal
from openbell.execution.risk import OrderRate, RiskState, risk_refusal
from openbell.model.events import local_time
from openbell.model.order import OrderType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.execution.desk import TradingDesk
    from openbell.model.order import Order

__all__ = ["NO_PRICE", "AccountNow", "Checks", "reckoned_price"]

NO_PRICE = "a target needs a price, and no bar of the symbol has closed"
"""Reason of an order to a target whose units cannot be known."""

_MINUTE_NS = 60_000_000_000
_CENT = 0.005
_SOLD_LATER = "what an open order buys is there to sell when that has filled (on_fill, bracket)"
_FREED_LATER = "what orders that make positions smaller free is there when they have filled (on_fill)"


class AccountNow(NamedTuple):
    """The account at one time.

    Attributes:
        equity: Cash and positions.
        tied_up: Money that positions tie up.
        gross: Worth of all positions, longs and shorts added up.
    """

    equity: float
    tied_up: float
    gross: float


class Checks:
    """Everything that an order is checked for, the same in backtests and live.

    Args:
        desk: The desk, with account, book and markets.
    """

    def __init__(self, desk: TradingDesk) -> None:
        self._desk = desk
        self._leverage = desk.config.leverage
        self._cutoff_ns = on_close_cutoff_minutes(desk.time_manager) * _MINUTE_NS
        risk = desk.config.risk
        self._has_limits = any(value is not None for value in risk.model_dump().values())
        self._rate = OrderRate(risk.max_orders_per_minute)
        self._memo: tuple[tuple[int, int], AccountNow] | None = None

    def refusal(self, order: Order, *, instead_of: Order | None = None) -> str:
        """Return why an order cannot be taken (empty when it can).

        Args:
            order: The order as it should be.
            instead_of: The open order that it replaces, or None.
        """
        if instead_of is None and (reason := self._desk.markets.provide(order.symbol)):
            return reason
        return next(filter(None, self._reasons(order, instead_of)), "")

    def refusal_at_fill(self, order: Order, quantity: float, price: float, fee: float) -> str:
        """Return why a fill cannot be (empty when it can), because the price or the position is another one by now.

        Args:
            order: The order.
            quantity: Units that would fill, signed.
            price: Their price.
            fee: Their fee.
        """
        desk, instrument = self._desk, self._desk.markets.instrument(order.symbol)
        if refusal := short_refusal(desk.account.quantity(order.symbol), quantity, shorting=desk.config.shorting):
            return refusal
        if desk.reserved.counts_nothing(order.id):
            now, held = self.account_now(), desk.account.quantity(order.symbol)
            needed = additional_margin(held, quantity, price, instrument, self._leverage)
            return buying_power_refusal(needed, fee, now.equity - now.tied_up, self._leverage) or ""
        cost, cash = quantity * price * instrument.multiplier + fee, desk.account.cash
        if desk.config.account == "margin" or instrument.margin is not None or quantity < 0 or cost <= cash + _CENT:
            return ""
        return f"at its price of {price:.10g} it costs {cost:,.2f}, and there is cash of {cash:,.2f}"

    def account_now(self) -> AccountNow:
        """Return the account as it is now."""
        key = (self._desk.clock.now_ns, self._desk.changes)
        if self._memo is None or self._memo[0] != key:
            self._memo = (key, self._look())
        return self._memo[1]

    def _look(self) -> AccountNow:
        desk, tied_up, gross = self._desk, 0.0, 0.0
        equity = desk.equity
        for holding in desk.account.holdings.values():
            instrument = desk.markets.instrument(holding.symbol)
            tied_up += initial_margin(holding.quantity, holding.last_price, instrument, self._leverage)
            gross += abs(holding.value)
        return AccountNow(equity, tied_up, gross)

    def free(self) -> float:
        """Return the money that neither positions nor open orders tie up."""
        now = self.account_now()
        return now.equity - now.tied_up - self._desk.reserved.total(self._desk.account.quantity)

    def _reasons(self, order: Order, instead_of: Order | None) -> Iterator[str | None]:
        desk, instrument = self._desk, self._desk.markets.instrument(order.symbol)
        if desk.watch.has_ended and order.strategy:
            yield "equity is at or below zero: trading has ended"
        yield desk.markets.instruments.refusal(order.symbol)
        yield NO_PRICE if order.reason == NO_PRICE else off_unit(order.quantity, instrument)
        for name in ("limit", "stop"):
            price = getattr(order, name)
            if price is not None:
                yield off_tick(price, instrument, name)
        if order.until is not None and order.until < desk.session.day:
            yield f"its last day, {order.until}, is before the session of {desk.session.day}"
        if instead_of is None:
            yield self._too_late(order)
        yield from wrong_sides(order, desk.book, desk.last_price(order.symbol))
        if order.parent is not None or not order.strategy:
            return  # a leg ends what its entry begins, and the account's own orders make positions smaller
        if self._has_limits:
            yield from self._beyond_limits(order, instead_of)
        yield from self._beyond_account(order, instead_of)

    def _too_late(self, order: Order) -> str | None:
        close_ns = self._desk.session.close_ns
        if order.type is not OrderType.MARKET_ON_CLOSE or not close_ns - self._cutoff_ns < order.created_ns < close_ns:
            return None
        cutoff = local_time(close_ns - self._cutoff_ns, order.zone)
        return (
            f"market-on-close orders are taken until {cutoff:%H:%M}, {self._cutoff_ns // _MINUTE_NS} minutes before "
            f"the close, and this one was placed at {order.created:%H:%M}"
        )

    def _beyond_limits(self, order: Order, instead_of: Order | None) -> Iterator[str | None]:
        desk, now = self._desk, self.account_now()
        state = RiskState(
            equity=now.equity,
            start_equity=desk.start_equity,
            gross=now.gross,
            held=desk.account.quantity(order.symbol),
            price=desk.last_price(order.symbol) or 0.0,
            multiplier=desk.markets.instrument(order.symbol).multiplier,
            halted=desk.watch.is_halted,
        )
        yield risk_refusal(desk.config.risk, order, state)
        if instead_of is None:
            yield self._rate.refusal(desk.clock.now_ns)

    def _beyond_account(self, order: Order, instead_of: Order | None) -> Iterator[str | None]:
        """Yield why cash, margin or shares do not suffice, together with what is ordered already."""
        desk, instrument = self._desk, self._desk.markets.instrument(order.symbol)
        if instead_of is not None:
            desk.reserved.remove(order.id)  # what it becomes is counted when the broker has replaced it
        held, price = desk.account.quantity(order.symbol), reckoned_price(order, desk.last_price(order.symbol))
        before = desk.reserved.of(order.symbol, buys=order.quantity > 0)
        others = desk.reserved.of(order.symbol, buys=order.quantity < 0)
        refusal = short_refusal(held + min(before.units, 0.0), order.remaining, shorting=desk.config.shorting)
        yield f"{refusal}; {_SOLD_LATER}" if refusal and others.units > 0 else refusal
        after = before.plus(order.remaining, price)
        needed = desk.reserved.increase(order.symbol, held, before, after, others)
        if needed > 0:  # else it makes the position no larger, and what is free need not be looked up
            fee = desk.costs.estimate(order.remaining, price, instrument)
            refusal = buying_power_refusal(needed, fee, self.free(), self._leverage)
            yield f"{refusal}; {_FREED_LATER}" if refusal and desk.reserved.frees(desk.account.quantity) else refusal


def reckoned_price(order: Order, last_price: float | None) -> float:
    """Return the price that an order is reckoned at, which is its own one where it has one."""
    return next((price for price in (order.limit, order.stop, last_price) if price is not None), 0.0)

"""Checks of an order before it goes to a broker."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from openbell.execution.account.margin import (
    additional_margin,
    buying_power_refusal,
    initial_margin,
    makes_smaller,
    short_refusal,
)
from openbell.execution.orders.exchange_rules import on_close_cutoff_minutes
from openbell.execution.orders.instruments import off_unit, prices_off_tick
from openbell.execution.orders.risk_limits import OrderRate, Repeats, RiskState, collar_refusal, risk_refusal
from openbell.model.events import local_time
from openbell.model.order import OrderType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openbell.execution.desk import TradingDesk
    from openbell.execution.orders.open_orders import OpenOrders
    from openbell.model.order import Order

__all__ = ["NO_PRICE", "AccountNow", "Checks", "valuation_price"]

NO_PRICE = "a target needs a price, and no bar of the symbol has closed"
"""Reason of an order to a target whose units cannot be known."""

_MINUTE_NS = 60_000_000_000
_HALF_CENT = 0.005
_SOLD_LATER = "units of an open buy order can be sold only after it has filled (on_fill, bracket)"
_FREED_LATER = "what closing orders free can be used only after they have filled (on_fill)"


class AccountNow(NamedTuple):
    """The account at one time.

    Attributes:
        equity: Cash and positions.
        tied_up: Money that positions tie up.
        gross: Value of all positions, longs and shorts added up.
    """

    equity: float
    tied_up: float
    gross: float


class Checks:
    """Checks of orders, the same in backtests and live.

    Args:
        desk: The desk, with account, open orders and markets.
    """

    def __init__(self, desk: TradingDesk) -> None:
        self._desk = desk
        self._instrument_of, self._untraded = desk.markets.instrument, desk.markets.instruments.refusal
        self._leverage, self._shorting = desk.config.leverage, desk.config.shorting
        self._is_margin = desk.config.account == "margin"
        self._cutoff_ns = on_close_cutoff_minutes(desk.time_manager) * _MINUTE_NS
        risk = desk.config.risk
        self._has_limits = any(value is not None for value in risk.model_dump().values())
        self._collar = risk.price_collar_percent
        self._rate = OrderRate(risk.max_orders_per_minute)
        self._repeats = Repeats(risk.duplicate_seconds)
        self._uncompared: set[str] = set()  # orders and legs of before the first price, which the collar waits for
        self._memo: tuple[tuple[int, int], AccountNow] | None = None

    def refusal(self, order: Order, *, instead_of: Order | None = None) -> str:
        """Return why an order cannot be taken (empty when it can).

        Args:
            order: The order as it should be.
            instead_of: The open order that it replaces, or None.
        """
        desk, symbol = self._desk, order.symbol
        if instead_of is None and order.strategy and (reason := self._closed_to(order)):
            return reason
        if instead_of is None and (reason := desk.markets.provide(symbol)):
            return reason
        if refusal := self._against_terms(order, instead_of):
            return refusal
        if not order.strategy:
            return ""  # the account's own orders make positions smaller
        beyond = self._beyond_collar(order)
        if order.parent is not None or beyond:
            return beyond or ""  # a leg ends what its entry begins
        if self._has_limits and (beyond := self._beyond_limits(order, instead_of)):
            return beyond
        return self._beyond_account(order, instead_of) or ""

    def _closed_to(self, order: Order) -> str:
        """Return why a new order is not taken, whatever its terms (empty when it is)."""
        desk = self._desk
        if reason := desk.broker.refusal:
            return reason  # not even an exit is sent, for a position that the broker may not have
        reason = desk.gate() or desk.broker.gate
        if not reason or makes_smaller(desk.account.quantity(order.symbol), order.quantity):
            return ""
        return reason

    def refusal_at_fill(self, order: Order, quantity: float, price: float, fee: float) -> str:
        """Return why a fill is not possible, as price or position have changed since (empty when it is).

        Args:
            order: The order.
            quantity: Units that would fill, signed.
            price: Their price.
            fee: Their fee.
        """
        desk, symbol = self._desk, order.symbol
        if self._uncompared and (beyond := self._beyond_collar_at_fill(order, price)):
            return beyond
        if self._is_margin and self._shorting and not desk.reserved.counts_nothing(order.id):
            return ""  # it was checked when it was placed, at its price then
        if not self._shorting and (refusal := short_refusal(desk.account.quantity(symbol), quantity, shorting=False)):
            return refusal
        instrument = desk.markets.instrument(symbol)
        if desk.reserved.counts_nothing(order.id):
            now, held = self.account_now(), desk.account.quantity(symbol)
            needed = additional_margin(held, quantity, price, instrument, self._leverage)
            refusal = buying_power_refusal(needed, fee, now.equity - now.tied_up, self._leverage)
            return refusal or (
                risk_refusal(desk.config.risk, order, self._state(order, price)) or "" if self._has_limits else ""
            )
        if self._is_margin or instrument.margin is not None or quantity < 0:
            return ""
        cost, cash = quantity * price * instrument.multiplier + fee, desk.account.cash
        if cost <= cash + _HALF_CENT:
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

    def _against_terms(self, order: Order, instead_of: Order | None) -> str | None:
        """Return why an order is invalid, whatever the account has, or None."""
        desk, symbol, quantity = self._desk, order.symbol, order.quantity
        if desk.watch.has_ended and order.strategy:
            return "equity is at or below zero: trading has ended"
        if refusal := self._untraded(symbol):
            return refusal
        if order.reason == NO_PRICE:
            return NO_PRICE
        instrument = self._instrument_of(symbol)
        if (not quantity or quantity % 1) and (refusal := off_unit(quantity, instrument)):
            return refusal
        if refusal := prices_off_tick(order, instrument):
            return refusal
        if order.until is not None and order.until < desk.session.day:
            return f"its last day, {order.until}, is before the session of {desk.session.day}"
        if instead_of is None and order.type is OrderType.MARKET_ON_CLOSE and (refusal := self._too_late(order)):
            return refusal
        if order.parent is None and not desk.open_orders.has_legs(order.id):
            return None
        # An entry is refused with its legs, because without its stop it is not wanted.
        legs = desk.open_orders.legs_of(order.id) if instead_of is None else ()
        refusals = (prices_off_tick(leg, instrument) or self._beyond_collar(leg) for leg in legs)
        sides = _wrong_sides(order, desk.open_orders, desk.last_price(symbol))
        return next((refusal for refusal in chain(refusals, sides) if refusal), None)

    def _too_late(self, order: Order) -> str | None:
        close_ns = self._desk.session.close_ns
        if not close_ns - self._cutoff_ns < order.created_ns < close_ns:
            return None
        cutoff = local_time(close_ns - self._cutoff_ns, order.zone)
        return (
            f"market-on-close orders are taken until {cutoff:%H:%M}, {self._cutoff_ns // _MINUTE_NS} minutes before "
            f"the close, and this one was placed at {order.created:%H:%M}"
        )

    def _beyond_collar(self, order: Order) -> str | None:
        if self._collar is None or (order.limit is None and order.stop is None):
            return None
        self._uncompared.discard(order.id)
        price = self._desk.last_price(order.symbol)
        if price is not None:
            return collar_refusal(self._desk.config.risk, order, price)
        if self._desk.is_real:
            return (
                f"no price of {order.symbol} is known that its {order.price_words} could be compared with, and "
                f"risk.price_collar_percent is {self._collar:g}. Ask for its history, or order when a bar has closed"
            )
        self._uncompared.add(order.id)
        return None

    def _beyond_collar_at_fill(self, order: Order, price: float) -> str:
        """Return why an order or one of its legs lies too far from its first price (empty when none does)."""
        orders = [one for one in (order, *self._desk.open_orders.legs_of(order.id)) if one.id in self._uncompared]
        self._uncompared.difference_update(one.id for one in orders)
        return next(filter(None, (collar_refusal(self._desk.config.risk, one, price) for one in orders)), "")

    def _beyond_limits(self, order: Order, instead_of: Order | None) -> str | None:
        desk = self._desk
        ordered = desk.reserved.of(order.symbol, buys=order.quantity > 0).units
        state = self._state(
            order,
            desk.last_price(order.symbol) or 0.0,
            ordered=ordered - (instead_of.remaining if instead_of is not None else 0.0),
            growth=desk.reserved.growth(desk.account.quantity, besides=order.symbol),
        )
        if refusal := risk_refusal(desk.config.risk, order, state):
            return refusal
        if instead_of is not None:
            return None
        now_ns = desk.clock.now_ns
        return self._repeats.refusal(order, now_ns) or self._rate.refusal(now_ns)

    def _state(self, order: Order, price: float, *, ordered: float = 0.0, growth: float = 0.0) -> RiskState:
        desk, now = self._desk, self.account_now()
        return RiskState(
            equity=now.equity,
            start_equity=desk.start_equity,
            gross=now.gross,
            growth=growth,
            held=desk.account.quantity(order.symbol),
            ordered=ordered,
            price=price,
            multiplier=desk.markets.instrument(order.symbol).multiplier,
            halted=desk.watch.is_halted,
            price_age_ns=self._price_age_ns(order.symbol),
        )

    def _price_age_ns(self, symbol: str) -> int | None:
        market, now_ns = self._desk.markets.of(symbol), self._desk.clock.now_ns
        rows = 0 if market is None else market.closed_rows(now_ns)
        return now_ns - market.end.item(rows - 1) if market is not None and rows else None

    def _beyond_account(self, order: Order, instead_of: Order | None) -> str | None:
        """Return why cash, margin or shares do not suffice for an order and the open ones, or None."""
        desk, reserved, symbol = self._desk, self._desk.reserved, order.symbol
        held, units = desk.account.quantity(symbol), order.quantity - order.filled_quantity
        if instead_of is not None:
            reserved.remove(order.id)  # what it becomes is counted when the broker has replaced it
        elif self._shorting and abs(held + units) <= abs(held) and desk.open_orders.is_only(order):
            return None  # it makes the position no larger, at whatever price
        buys = order.quantity > 0
        before, others = reserved.of(symbol, buys=buys), reserved.of(symbol, buys=not buys)
        short = None if self._shorting else short_refusal(held + min(before.units, 0.0), units, shorting=False)
        if short is not None:
            return f"{short}; {_SOLD_LATER}" if others.units > 0 else short
        if not before.units and abs(held + units) <= abs(held):
            return None  # alone it makes the position no larger, at whatever price
        price = valuation_price(order, desk.last_price)
        needed = reserved.increase(symbol, held, before, before.plus(units, price), others)
        if needed <= 0:
            return None  # it makes the position no larger, whatever money is free
        fee = desk.costs.estimate(units, price, desk.markets.instrument(symbol))
        refusal = buying_power_refusal(needed, fee, self.free(), self._leverage)
        return f"{refusal}; {_FREED_LATER}" if refusal and reserved.frees(desk.account.quantity) else refusal


def valuation_price(order: Order, last_price: Callable[[str], float | None]) -> float:
    """Return the price at which an order is valued, its limit or stop, or else the last price."""
    if order.limit is not None:
        return order.limit
    return order.stop if order.stop is not None else last_price(order.symbol) or 0.0


def _wrong_sides(order: Order, open_orders: OpenOrders, last_price: float | None) -> Iterator[str]:
    """Yield why a leg would fill as soon as its entry has.

    Once the entry has filled, a leg is an order like any other.

    Args:
        order: An entry or a leg, as it should be.
        open_orders: The open orders, with its legs or its entry.
        last_price: The last price of the symbol; None when there is none.
    """
    entry = order if order.parent is None else open_orders.by_id.get(order.parent)
    if entry is None or entry.filled_quantity:
        return
    price = _price_of_entry(entry, last_price)
    if price is None:
        return
    for leg in (order,) if order.parent is not None else open_orders.legs_of(order.id):
        for name, own, is_below in (("stop", leg.stop, leg.quantity < 0), ("target", leg.limit, leg.quantity > 0)):
            if own is not None and (own >= price if is_below else own <= price):
                side = "below" if is_below else "above"
                yield f"its {name} of {own:.10g} is not {side} {price:.10g}, the expected entry price"


def _price_of_entry(entry: Order, last_price: float | None) -> float | None:
    """Return the price at which an entry should fill, the better of its limit and the last price."""
    if entry.limit is None or last_price is None:
        return last_price
    return min(entry.limit, last_price) if entry.quantity > 0 else max(entry.limit, last_price)

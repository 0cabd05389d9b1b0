"""Comparison of the run's account with the books of its broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openbell.execution.account.overnight import Split
from openbell.execution.networked.outbox import AskBooks
from openbell.model.broker_events import AccountChange, BrokerFill, BrokerOrder
from openbell.model.cash_flow import CashFlow, CashFlowKind
from openbell.model.order import DUST, OrderStatus, OrderType, TimeInForce

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from openbell.execution.desk import TradingDesk
    from openbell.execution.networked.orders_at_broker import OrdersAtBroker
    from openbell.model.broker_events import AccountSnapshot, BrokerPosition

__all__ = ["Reconciliation"]

CASH = "cash"
_ROUNDING = "rounding"
_CENT = 0.01
_KINDS = {
    "dividend": CashFlowKind.DIVIDEND,
    "fee": CashFlowKind.FEE,
    "interest": CashFlowKind.INTEREST,
    "transfer": CashFlowKind.TRANSFER,
}


class Difference(NamedTuple):
    """Units of a symbol, or cash, that differ between the run and its broker."""

    ours: float
    theirs: float


class Reconciliation:
    """Updates the account by the books of the broker, and notifies of what differs.

    Fills, foreign orders, payments and splits are taken over and notified with their reasons. What then still differs,
    twice in a row while no order is in flight, is a mismatch: from then on no order is sent.

    Args:
        desk: The desk, with account and open orders.
        orders: The orders at the broker.
        is_settled: Returns whether the broker has reported every order, so that its books can be compared.

    Attributes:
        refusal: Why no order is sent (empty when they are).
    """

    def __init__(self, desk: TradingDesk, orders: OrdersAtBroker, is_settled: Callable[[], bool]) -> None:
        self._desk = desk
        self._orders = orders
        self._is_settled = is_settled
        self._has_opened = False
        self._paid: set[str] = set()
        self._fills = 0
        self._seen: dict[str, Difference] = {}
        self._mismatch = ""
        self._blocked = ""

    @property
    def refusal(self) -> str:
        """Why no order is sent (empty when they are)."""
        return self._mismatch or self._blocked if self._has_opened else "the broker has not reported the account yet"

    def take(self, books: AccountSnapshot) -> None:
        """Apply the books of the broker."""
        if books.error:
            self._orders.notify(f"the broker's account could not be read: {books.error}")
            return
        self._blocked = books.blocked and f"the broker takes no orders: {books.blocked}"
        if not self._has_opened:
            self._open(books)
            return
        self._fills += len(books.fills)
        self._orders.take_up(books.orders, books.fills)
        self._withdraw_ended(books.orders)
        self._pay(books)
        self._ask_for_lost(books.orders)
        if books.adopts or (self._is_settled() and not self._orders.outgoing):
            self._judge(books)

    # The first look

    def _open(self, books: AccountSnapshot) -> None:
        """Begin with the account as the broker has it."""
        desk, self._has_opened = self._desk, True
        self._paid.update(payment.payment_id for payment in books.payments)
        worth = sum(p.quantity * p.price for p in books.positions) if books.adopts else 0.0
        desk.account.cash = desk.first_equity = books.cash + worth
        for reported in books.orders:
            self._orders.take_over(reported, filled=reported.filled)
        if books.adopts:
            self._adopt(books)
        elif differences := self._differences(books):
            self._report_mismatch(differences)

    # What the broker did by itself

    def _ask_for_lost(self, open_orders: Iterable[BrokerOrder]) -> None:
        """Request the status of orders that the broker no longer has among its open ones."""
        there = {reported.order_id for reported in open_orders}
        for order_id in list(self._desk.open_orders.by_id):
            if order_id not in there and self._orders.knows(order_id):
                self._orders.ask(order_id)

    def _withdraw_ended(self, open_orders: Iterable[BrokerOrder]) -> None:
        """Cancel the orders that have ended for the run and that the broker still has."""
        for reported in open_orders:
            if reported.is_own and reported.order_id not in self._desk.open_orders.by_id:
                self._orders.withdraw(reported.order_id)

    def _pay(self, books: AccountSnapshot) -> None:
        """Take over new payments and splits."""
        new = [payment for payment in books.payments if payment.payment_id not in self._paid]
        self._paid.update(payment.payment_id for payment in new)
        for payment in new:
            if payment.amount:
                self._pay_one(payment)
        positions = {position.symbol: position for position in books.positions}
        for symbol in dict.fromkeys(payment.symbol for payment in new if payment.kind == "split"):
            units = sum(p.quantity for p in new if p.kind == "split" and p.symbol == symbol)
            self._split(symbol, units, positions.get(symbol))

    def _pay_one(self, payment: AccountChange) -> None:
        desk, kind = self._desk, _KINDS.get(payment.kind, CashFlowKind.OTHER)
        of = f" of {payment.symbol}" if payment.symbol else ""
        more = " It is part of the net profit." if kind is CashFlowKind.TRANSFER else ""
        if payment.kind != _ROUNDING:
            self._orders.notify(f"the broker booked {payment.amount:,.2f}, {payment.text or payment.kind}{of}.{more}")
        desk.paid(
            CashFlow(
                kind=kind,
                symbol=payment.symbol,
                quantity=desk.account.quantity(payment.symbol),
                amount=payment.amount,
                time_ns=payment.time_ns,
                zone=desk.time_manager.timezone,
                session_date=desk.session.day,
            )
        )

    def _split(self, symbol: str, units: float, position: BrokerPosition | None) -> None:
        """Take over a split that changed the position at the broker by ``units``."""
        desk, holding = self._desk, self._desk.account.holdings.get(symbol)
        if holding is None or position is None or abs(holding.quantity + units - position.quantity) > DUST:
            return  # any difference is then a mismatch
        ratio = position.quantity / holding.quantity
        price = holding.last_price / ratio
        desk.account.split(symbol, position.quantity, holding.average_price / ratio, price, 0.0)
        desk.recorder.adjustments.append(Split(symbol, ratio, position.quantity, price, desk.clock.now_ns))
        desk.position_changed(symbol)
        self._orders.notify(f"{symbol} was split {ratio:g} for 1 at the broker, which leaves {position.quantity:,.10g}")

    # What differs

    def _judge(self, books: AccountSnapshot) -> None:
        """Compare positions and cash."""
        before, self._seen = self._seen, self._differences(books)
        if not self._seen:
            if self._mismatch:
                self._orders.notify("the run and its broker agree again: orders are accepted")
            self._mismatch, self._fills = "", 0
            self._settle_cents(books)
        elif books.adopts:
            self._adopt(books)
        elif self._seen != before:
            self._orders.outgoing.append(AskBooks())  # parts of the books may be of different times
        elif not self._mismatch:
            self._report_mismatch(self._seen)

    def _differences(self, books: AccountSnapshot) -> dict[str, Difference]:
        """Return what differs between the run and its broker, by symbol and for cash."""
        account, theirs = self._desk.account, {position.symbol: position.quantity for position in books.positions}
        found = {
            symbol: Difference(account.quantity(symbol), theirs.get(symbol, 0.0))
            for symbol in sorted({*account.holdings, *theirs})
            if abs(account.quantity(symbol) - theirs.get(symbol, 0.0)) > DUST
        }
        # Each fill may be rounded to a cent at the broker.
        if abs(account.cash - books.cash) > _CENT * (self._fills + 1):
            found[CASH] = Difference(round(account.cash, 2), round(books.cash, 2))
        return found

    def _settle_cents(self, books: AccountSnapshot) -> None:
        """Take over the difference that rounding leaves, so that it does not add up."""
        amount = round(books.cash - self._desk.account.cash, 4)
        if abs(amount) >= _CENT / 2:
            self._pay_one(AccountChange("", _ROUNDING, "", 0.0, amount, self._desk.clock.now_ns))

    def _report_mismatch(self, differences: Mapping[str, Difference]) -> None:
        words = [f"{name}: the run has {d.ours:,.10g}, the broker {d.theirs:,.10g}" for name, d in differences.items()]
        self._mismatch = (
            f"the broker's account is not that of the run ({'; '.join(words)}). Orders are refused until both are the "
            "same; --adopt takes over what the broker has when a run begins or continues"
        )
        self._orders.notify(self._mismatch)

    def _adopt(self, books: AccountSnapshot) -> None:
        """Take over positions, as if traded at their present prices, and then the cash."""
        desk, prices = self._desk, {position.symbol: position.price for position in books.positions}
        for symbol, difference in self._differences(books).items():
            if symbol != CASH:
                holding = desk.account.holdings.get(symbol)
                price = prices.get(symbol, 0.0 if holding is None else holding.last_price)
                self._take_over(symbol, difference.theirs - difference.ours, price)
        if abs(books.cash - desk.account.cash) > _CENT / 2:
            amount = books.cash - desk.account.cash
            self._pay_one(AccountChange("", "adopted", "", 0.0, amount, desk.clock.now_ns, "missing in the run"))
        self._mismatch, self._seen = "", {}

    def _take_over(self, symbol: str, quantity: float, price: float) -> None:
        """Take over a difference in units, as a fill of an order that the run did not give."""
        number = len(self._paid)
        self._paid.add(f"adopted {number}")
        now_ns = self._desk.clock.now_ns
        order_id = f"adopted-{symbol}-{number}"
        self._orders.take_up(
            [
                BrokerOrder(
                    order_id,
                    symbol,
                    OrderStatus.FILLED,
                    quantity,
                    quantity,
                    price,
                    OrderType.MARKET,
                    TimeInForce.DAY,
                    time_ns=now_ns,
                )
            ],
            [BrokerFill(order_id, order_id, symbol, quantity, price, quantity, now_ns)],
        )

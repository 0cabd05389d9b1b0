"""Simulated broker, which fills orders in the bars of the store.

An order is matched when it comes, when it is replaced and when a session begins: its first fill is found in the columns
of the day, and waits in a heap until the clock reaches it. Nothing is done per bar.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, TypeAlias

from openbell.execution.fill_records import fill_of, why_not_filled
from openbell.execution.simulated.fill_prices import RestingState
from openbell.execution.simulated.first_touched import fitting_part
from openbell.execution.simulated.linked_orders import LinkedOrders
from openbell.execution.simulated.matching import Match, at_this_close, first_match
from openbell.execution.simulated.resting_orders import RestingOrder, RestingOrders
from openbell.model.order import DUST, OrderStatus, OrderType, TimeInForce, order_with_fill, order_with_status

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from openbell.execution.broker import BrokerListener
    from openbell.execution.orders.open_orders import OpenOrders
    from openbell.execution.simulated.fill_costs import FillCosts
    from openbell.execution.simulated.fill_rules import FillContext, FillRules
    from openbell.execution.simulated.symbol_market import SymbolMarket
    from openbell.model.order import Order
    from openbell.timing.trading_session import TradingSession

__all__ = ["NEVER", "SimulatedBroker"]

NEVER = 2**62
"""A time after all others, nanoseconds since 1970 UTC."""

_FILL, _CLOSE = 0, 1

_Event: TypeAlias = tuple[int, int, int, int, str, int]
"""Event that becomes known at a time, a fill or the end of the hours of trading.

Its fields are the time, the kind, when it happened, the turn among equal ones, the order's id and its version.
"""


class SimulatedBroker:
    """Fills orders in the bars of a session.

    Args:
        rules: How orders fill.
        costs: Fees and slippage.
        context: Market, terms and clock.
        open_orders: The open orders, which the listener keeps.
        listener: Receives what happens.

    Attributes:
        session: The times of the session.
        refusal: Why it takes no orders at all; always empty.
        gate: Why it lets no position grow; always empty.
    """

    refusal = gate = ""

    def __init__(
        self,
        rules: FillRules,
        costs: FillCosts,
        context: FillContext,
        open_orders: OpenOrders,
        listener: BrokerListener,
    ) -> None:
        self._rules = rules
        self._costs = costs
        self._context = context
        self._clock = context.clock
        self._market_of, self._instrument_of = context.market_of, context.instrument_of
        self._this_close, self._share = rules.this_close, rules.max_volume_share
        self._listener = listener
        self._orders = RestingOrders()
        self._resting = self._orders.by_id
        self._linked = LinkedOrders(self._resting, open_orders, context, rules.both_touched)
        self._heap: list[_Event] = []
        self._next_ns: int | None = None  # None when it has to be found again
        self._number = self._number_before = 0
        # Units by symbol, interval and start of a bar, because a market that grows is another object each time.
        self._taken: dict[tuple[str, str, int], float] = {}
        self.session: TradingSession

    @property
    def next_ns(self) -> int:
        """Time of the next event, `NEVER` when there is none."""
        if self._next_ns is None:
            self._next_ns = self._find_next()
        return self._next_ns

    def _find_next(self) -> int:
        heap = self._heap
        while heap:
            time_ns, kind, _, _, order_id, version = heap[0]
            if kind == _CLOSE:
                return time_ns
            resting = self._resting.get(order_id)
            if resting is not None and resting.version == version:
                return time_ns
            heappop(heap)  # the order is gone, or was matched again
        return NEVER

    # Sessions

    def begin_session(self, session: TradingSession) -> None:
        """Match orders in the bars of a new session, and expire those whose last day is over."""
        self.session = session
        self._costs.begin_session(session.day)
        self._number_before = self._number
        self._heap.clear()
        self._next_ns = None
        self._taken.clear()
        for end_ns in {session.close_ns, session.last_ns}:
            heappush(self._heap, (end_ns, _CLOSE, end_ns, 0, "", 0))
        for resting in self._orders.begin_session(self._market_of):
            until = resting.order.until
            if until is not None and until < session.day:
                self._end(resting, OrderStatus.EXPIRED, f"its last day, {until}, is over")
            else:
                self._match(resting, in_turn=resting.place)

    def end_session(self) -> None:
        """Take the state of the remaining orders over into the next session."""
        for resting in self._orders.others.values():
            resting.state, resting.seen_ns = resting.state_after, 0

    def rematch(self, symbol: str, before: SymbolMarket | None) -> None:
        """Match the orders of a symbol again, whose bars have been replaced.

        They go on where the last of the bars before has closed: of one that runs they have seen nothing.

        Args:
            symbol: The symbol.
            before: The bars that it had, or None.
        """
        now_ns, seen_ns = self._clock.now_ns, 0
        if before is None:
            seen_ns = now_ns
        elif rows := before.closed_rows(now_ns):
            seen_ns = before.end.item(rows - 1)
        for resting in list(self._resting.values()):
            if resting.order.symbol == symbol:
                self._note_seen(resting, before, seen_ns)
                self._match(resting)

    def markets_grew(self, from_ns: Mapping[str, int], late: Container[str]) -> None:
        """Match orders in new bars, in the same turn as before.

        Their state after earlier bars stays as it was, even if these have been corrected since.

        Args:
            from_ns: When the first of these bars begins, by symbol; nanoseconds since 1970 UTC.
            late: The symbols of which a bar is among them that came late.
        """
        for resting in list(self._resting.values()):
            symbol = resting.order.symbol
            begin_ns = from_ns.get(symbol)
            if begin_ns is not None and not self._has_filled(resting):
                resting.go_on(begin_ns, is_late=symbol in late)
                looked_at = resting.turn > self._number_before
                self._match(resting, in_turn=resting.turn if looked_at else resting.place)

    def _note_seen(self, resting: RestingOrder, market: SymbolMarket | None, seen_ns: int) -> None:
        """Update the state of an order by the bars of a market that have closed, and let it fill from a time on."""
        if market is not None and not resting.waits and not resting.next_session:
            now_ns, close_ns, (from_ns, state) = self._clock.now_ns, self.session.close_ns, resting.seen
            _, resting.state = first_match(resting.order, market, from_ns, close_ns, state, until_ns=now_ns)
        resting.from_ns, resting.seen_ns = max(resting.from_ns, seen_ns), 0

    # Requests

    def submit(self, order: Order) -> None:
        """Accept an order, which fills in bars that begin when it was placed or later."""
        resting = RestingOrder(order, order.created_ns, order.quantity, order.quantity, waits=order.parent is not None)
        session = self.session
        if order.type is OrderType.MARKET_ON_OPEN:
            resting.next_session = order.created_ns > session.open_ns
        else:
            resting.next_session = order.created_ns >= (session.last_ns if order.extended else session.close_ns)
        if order.type is OrderType.TRAILING_STOP:
            resting.state = RestingState(best=self._price_before(order))
        self._orders.add(resting)
        resting.order = order = order_with_status(order, OrderStatus.ACCEPTED, self._clock.now_ns, session.day)
        self._listener.order_changed(order)
        self._match(resting)

    def _price_before(self, order: Order) -> float | None:
        """Return the last price before an order, or None when nobody knows any."""
        market = self._market_of(order.symbol)
        price = None if market is None else market.last_price_today(order.created_ns)
        return self._context.last_price(order.symbol) if price is None else price

    def cancel(self, order_id: str, reason: str) -> None:
        """Cancel an order, unless it has filled at the open of a bar that has not closed yet."""
        resting = self._resting.get(order_id)
        if resting is not None and not self._has_filled(resting):
            self._cancel(resting, reason)

    def _cancel(self, resting: RestingOrder, reason: str) -> None:
        self._end(resting, OrderStatus.CANCELLED, reason)

    def replace(self, order: Order) -> None:
        """Change an order, unless it has filled at the open of a bar that has not closed yet."""
        resting = self._resting.get(order.id)
        if resting is None or self._has_filled(resting):
            return
        self._note_seen(resting, self._market_of(order.symbol), self._clock.now_ns)
        more = order.quantity - resting.order.quantity
        resting.planned += more
        self._orders.amend(resting, order)
        if abs(order.filled_quantity) >= abs(order.quantity):
            self._end(resting, OrderStatus.CANCELLED, "its new quantity had filled before")
            return
        self._change(resting)
        for leg in self._linked.legs_of(order) if more else ():
            leg.follow_entry(more)
            if leg.waits:
                leg.order = leg.order.changed(quantity=leg.planned)
                self._change(leg)
        self._match(resting)

    def restate(self, order: Order, ratio: float = 1.0) -> None:
        """Replace an order after a corporate action, which multiplied prices by ``ratio``."""
        resting = self._resting[order.id]
        resting.scale(order.quantity / resting.order.quantity)
        self._orders.amend(resting, order)
        if resting.state.best is not None:
            resting.state = resting.state._replace(best=resting.state.best * ratio)
        self._change(resting)

    def _has_filled(self, resting: RestingOrder) -> bool:
        """Return whether an order has filled at the open of a bar that has not closed yet."""
        match = resting.match
        return match is not None and match.point.at_open and match.time_ns < self._clock.now_ns

    # Matching

    def _match(self, resting: RestingOrder, *, in_turn: int | None = None) -> None:
        """Find the next fill of an order, and put it into the heap.

        With ``in_turn``, the order has that turn among those that fill in the same bar, else the last.
        """
        self._number += 1
        resting.turn = self._number if in_turn is None else in_turn
        resting.version += 1
        if resting.match is not None:
            self._next_ns = resting.match = None
        order, market = resting.order, self._market_of(resting.order.symbol)
        from_ns, resting.state_after = resting.seen
        if market is None or resting.waits:
            return
        match = None
        at_close = self._this_close and order.type is OrderType.MARKET and bool(order.strategy)
        if at_close and in_turn is None and from_ns == self._clock.now_ns:
            match = at_this_close(market, from_ns)
        if match is None:
            if resting.next_session:
                return
            match, resting.state_after = first_match(order, market, from_ns, self.session.close_ns, resting.state_after)
        if match is not None:
            resting.match = match
            if resting.is_plain:
                self._orders.note_match(resting)
            # A bar that came late is known when it comes.
            known_ns = max(match.known_ns, self._clock.now_ns)
            if self._next_ns is not None and known_ns < self._next_ns:
                self._next_ns = known_ns
            heappush(self._heap, (known_ns, _FILL, match.time_ns, resting.turn, order.id, resting.version))

    # Events

    def deliver_next(self) -> None:
        """Carry out the event that is due at `next_ns`."""
        time_ns, kind, _, _, order_id, version = heappop(self._heap)
        self._next_ns = None
        if kind == _CLOSE:
            self._close(time_ns)
            return
        due = self._resting[order_id]
        if due.order.oco is None and due.match is not None:
            self._fill(due, due.match, ambiguous=False)
            return
        winner, ambiguous = self._linked.first_touched(due)
        if winner.match is not None:
            self._fill(winner, winner.match, ambiguous=ambiguous)
        if winner is not due and self._resting.get(order_id) is due and due.version == version:
            self._match(due)  # the other one found no volume, so that this one is still there

    def fill_at(self, order: Order, price: float) -> None:
        """Fill an order of the account's rules at once and without costs, because its symbol no longer trades."""
        self._listener.order_changed(order.changed(status=OrderStatus.ACCEPTED))
        filled = order.changed(
            filled_quantity=order.quantity,
            average_fill_price=price,
            status=OrderStatus.FILLED,
            updated_ns=self._clock.now_ns,
            session_date=self.session.day,
        )
        self._listener.filled(fill_of(filled, 1, order.quantity, price, self._clock.now_ns))

    def _close(self, time_ns: int) -> None:
        """Expire the orders whose last day is over."""
        session = self.session
        for resting in list(self._orders.others.values()):  # plain ones last until they are cancelled
            order = resting.order
            ends_ns = session.last_ns if order.extended else session.close_ns
            lasts = order.tif is TimeInForce.GTC or (order.until is not None and order.until > session.day)
            if resting.next_session or lasts or ends_ns != time_ns or (resting.waits and order.parent in self._resting):
                continue
            self._end(resting, OrderStatus.EXPIRED, why_not_filled(resting, self._market_of(order.symbol), self._share))

    def _fill(self, resting: RestingOrder, match: Match, *, ambiguous: bool) -> None:
        order, market, (row, price, _) = resting.order, match.market, match.point
        instrument, before = self._instrument_of(order.symbol), order.filled_quantity
        share, volume, taken, lost = self._share, 0.0, 0.0, 0.0
        if share is not None:
            bar = order.symbol, str(market.interval), market.start.item(row)
            volume, taken = market.volume.item(row), self._taken.get(bar, 0.0)
        quantity = fitting_part(order.quantity - before, volume, share, instrument, taken)
        if not quantity:
            resting.found_too_little = True
            self._continue(resting, match)
            return
        if match.slips and self._costs.slips:
            price, lost = self._costs.slipped(quantity, price, market, row, instrument)
        fee = self._costs.fee(resting, quantity, price, instrument, maker=match.maker)
        if refusal := self._listener.refusal_at_fill(order, quantity, price, fee):
            self._cancel(resting, refusal)
            return
        if share is not None:
            self._taken[bar] = taken + abs(quantity)
        filled = before + quantity
        whole = abs(order.quantity - filled) < DUST
        resting.fees += fee
        resting.fills += 1
        if whole:
            self._next_ns = None
            self._orders.remove(resting)
        else:
            resting.note_part(quantity, price, self._costs.month_volume)
        resting.order = order = order_with_fill(
            order,
            filled,
            (before * (order.average_fill_price or 0.0) + quantity * price) / filled,
            OrderStatus.FILLED if whole else OrderStatus.PARTIALLY_FILLED,
            self._clock.now_ns,
            self.session.day,
        )
        self._costs.count(quantity)
        fill = fill_of(order, resting.fills, quantity, price, match.time_ns, fee, lost, ambiguous=ambiguous)
        self._listener.filled(fill)
        if not whole:
            self._continue(resting, match)
        if not self._linked.is_alone(order):
            self._follow(resting, match, quantity)

    def _continue(self, resting: RestingOrder, match: Match) -> None:
        """Look for the next fill after the bar of the last one."""
        resting.from_ns = match.market.start.item(match.point.row) + 1
        resting.state = resting.state_after  # the rest of a stop that was reached is a market order
        if resting.order.type in (OrderType.MARKET_ON_OPEN, OrderType.MARKET_ON_CLOSE):
            self._end(resting, OrderStatus.EXPIRED, "the volume of the auction was too small for all of it")
        else:
            self._match(resting)

    def _follow(self, filled: RestingOrder, match: Match, units: float) -> None:
        """Start, resize or cancel the orders that are linked to one that has filled ``units``."""
        if (parent := self._resting.get(filled.order.parent or "")) is not None:
            parent.left += units
        for other in self._linked.to_cancel(filled, units):
            self._cancel(other, f"{filled.order.id} of the same group has filled")
        entry = self._linked.rest_of_entry(filled)
        if entry is not None:
            self._cancel(entry, f"{filled.order.id}, which leaves its position, has filled")
        for leg, quantity in self._linked.to_resize(filled, units):
            if leg.waits:
                leg.waits = False
                # After a fill at the open the whole bar is still to come; within a bar nobody knows what came first.
                leg.from_ns = match.time_ns if match.point.at_open else match.known_ns
            if leg.order.quantity != quantity:
                leg.order = leg.order.changed(quantity=quantity)
                self._change(leg)
            self._match(leg)

    def _end(self, resting: RestingOrder, status: OrderStatus, reason: str) -> None:
        self._next_ns = None
        self._orders.remove(resting)
        self._change(resting, status=status, reason=reason)
        for leg in self._linked.orphans_of(resting.order):
            self._cancel(leg, f"its entry order {resting.order.id} is {status}")

    def _change(self, resting: RestingOrder, **changes: object) -> None:
        resting.order = order = resting.order.changed(
            updated_ns=self._clock.now_ns, session_date=self.session.day, **changes
        )
        self._listener.order_changed(order)

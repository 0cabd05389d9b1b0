"""An account at Alpaca whose orders fill as a test says how the market trades.

Everything follows from the calls and from the time that they are made at.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from live.alpaca_book import OrderBook
from live.alpaca_holdings import ZERO
from live.alpaca_matching import closes, price_for
from live.alpaca_orders import NOT_FOUND, RefusedError

if TYPE_CHECKING:
    from live.alpaca_orders import BrokerOrder
    from openbell.model.feed_events import FeedBar


class AlpacaAccount(OrderBook):
    """An account, and the market that it trades in.

    Attributes:
        fills_at_once: Whether an order may fill at the last price when it comes, and not only at the next trade.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fills_at_once = False
        self._opened: set[tuple[str, str]] = set()

    def submit(self, body: dict[str, Any]) -> dict[str, Any]:
        """Take an order, and return what is answered."""
        answer = super().submit(body)
        order, last = self.orders[answer["id"]], self.last.get(body["symbol"])
        if self.fills_at_once and last is not None and order.is_live and order.time_in_force not in ("opg", "cls"):
            self._match(order.symbol, last, [order], None, None)
        return answer

    def trade(self, symbol: str, price: float, qty: float | None = None, *, moves: bool = False) -> None:
        """Let a symbol trade.

        Args:
            symbol: The symbol.
            price: The price.
            qty: How much of each side can be had, None for all.
            moves: Whether the price came there step by step, so that orders in between fill at their own prices.
        """
        at, before = Decimal(str(price)), self.last.get(symbol)
        self.last[symbol] = at
        if self.is_trading:
            for order in self.live(symbol):
                if order.status == "accepted":
                    self.begin(order)
        waiting = [o for o in self.orders.values() if o.symbol == symbol and o.is_open and (o.is_live or closes(o))]
        self._match(symbol, at, waiting, None if qty is None else Decimal(str(qty)), before if moves else None)
        if self.is_trading:
            self._open(symbol)

    def _match(
        self, symbol: str, price: Decimal, orders: list[BrokerOrder], room: Decimal | None, before: Decimal | None
    ) -> None:
        auction = "" if (f"{self.local:%Y%m%d}", symbol) in self._opened else "opg"
        for order in orders:
            filled = price_for(order, price, before, auction) if self._may_fill(order) else None
            wanted = order.rest if room is None else min(order.rest, room)
            if order.time_in_force == "fok" and wanted < order.rest:
                wanted = ZERO
            if order.status == "held" and order.is_triggered:
                self._release(order)
            if filled is not None and wanted:
                room = None if room is None else room - wanted
                self.fill(order, filled, wanted)
            if order.is_live and order.time_in_force in ("ioc", "fok"):
                self.end(order, "canceled", "canceled_at")

    def _open(self, symbol: str) -> None:
        day = f"{self.local:%Y%m%d}"
        if (day, symbol) not in self._opened:
            self._opened.add((day, symbol))
            for order in self.live(symbol):
                if order.time_in_force == "opg":
                    self.end(order, "canceled", "canceled_at")

    def _may_fill(self, order: BrokerOrder) -> bool:
        return order.is_open and (self.is_trading or order.extended_hours)

    def _release(self, order: BrokerOrder) -> None:
        """Put a stop of a group to work, in place of the limit."""
        others = [other for other in order.family if other.is_live]
        order.status = "new"
        for other in others:
            other.status, other.at["canceled_at"] = "canceled", self.now_ns
            self._say("canceled", other)
        self._say("new", order)

    def liquidate(self, symbol: str) -> None:
        """Close a position as the broker does that wants its money back."""
        for order in self.live(symbol):
            self.end(order, "canceled", "canceled_at")
        with_it, self.fills_at_once = self.fills_at_once, False
        order = self.orders[self.close(symbol)["id"]]
        self.fills_at_once = with_it
        self.fill(order, self.last[symbol], order.rest)

    def close(self, symbol: str, quantity: str | None = None) -> dict[str, Any]:
        """Order what closes a position, or so much of it."""
        if symbol not in self.positions:
            raise RefusedError(NOT_FOUND, "position does not exist")
        side = "sell" if self.quantity(symbol) > 0 else "buy"
        facts = {"symbol": symbol, "qty": quantity or abs(self.quantity(symbol)), "side": side, "type": "market"}
        return self.submit({**facts, "time_in_force": "day"})

    def lose(self, client_order_id: str) -> None:
        """Know nothing of an order any more."""
        order = self.find(client_order_id=client_order_id)
        del self.orders[order.id]

    def fill_now(self, own_id: str) -> None:
        """Fill an order that works, at its own price or the last one."""
        order = self.find(id=own_id)
        if order.is_live:
            self.fill(order, order.limit_price or self.last[order.symbol], order.rest)

    def bar(self, bar: FeedBar, *, high_first: bool = False) -> None:
        """Let a symbol trade as a bar says, from its open to its close."""
        self.trade(bar.symbol, bar.open)
        self.move_through(bar, high_first=high_first)

    def move_through(self, bar: FeedBar, *, high_first: bool = False) -> None:
        """Let a symbol trade as a bar says that has opened."""
        extremes = (bar.high, bar.low) if high_first else (bar.low, bar.high)
        for price in (*extremes, bar.close):
            self.trade(bar.symbol, price, moves=True)

    def end_session(self) -> None:
        """Hold the closing auction at the last prices, and end what was for the day."""
        for order in list(self.orders.values()):
            if order.is_live and order.time_in_force == "cls" and order.symbol in self.last:
                price = price_for(order, self.last[order.symbol], None, "cls")
                if price is not None:
                    self.fill(order, price, order.rest)
        for order in list(self.orders.values()):
            if order.is_open and order.time_in_force != "gtc":
                self.end(order, "expired", "expired_at")

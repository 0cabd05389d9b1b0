"""The link to Alpaca's broker while everything goes wrong at random, after which both sides agree."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from live.alpaca_trading_server import AlpacaTradingServer, Trouble
from live.test_alpaca_link import NOW_NS, Run, order
from live.virtual_time import VirtualArrivals
from openbell.model.broker_events import BrokerMissing, BrokerRefusal
from openbell.model.order import OPEN_STATUSES, Order, OrderType, TimeInForce

if TYPE_CHECKING:
    from openbell.model.broker_events import BrokerFill, BrokerOrder

SYMBOLS = ("SPY", "QQQ")


class Trader:
    """Gives orders at random, and keeps account of what it is told."""

    def __init__(self, broker: AlpacaTradingServer, seed: int) -> None:
        self.broker, self.random = broker, random.Random(seed)
        self.run = Run(broker).listens()
        self.groups: list[tuple[Order, ...]] = []
        self.fills: dict[str, BrokerFill] = {}
        self.orders: dict[str, BrokerOrder] = {}
        self.gone: set[str] = set()
        self.versions: dict[str, int] = {}
        self.prices = dict.fromkeys(SYMBOLS, 100.0)

    def hear(self) -> Any:
        """Note what was told, and return the last event."""
        events = self.run.told()
        for event in events:
            for fill in getattr(event, "fills", ()):
                self.fills.setdefault(fill.execution_id, fill)
            for each in getattr(event, "orders", ()):
                before = self.orders.get(each.order_id)
                if before is not None and before.is_own and before.status not in OPEN_STATUSES:
                    assert each.status not in OPEN_STATUSES, f"{before} was over, and now {each}"
                self.orders[each.order_id] = each
            if isinstance(event, BrokerMissing) or (isinstance(event, BrokerRefusal) and event.request == "submit"):
                self.gone.add(event.order_id)
        return events[-1] if events else None

    def step(self) -> None:
        choose = self.random.choice
        choose(
            (self.submit, self.submit, self.trade, self.trade, self.trade, self.cancel, self.replace, self.trouble)
        )()
        if self.random.random() < 0.5:
            self.hear()

    def submit(self) -> None:
        number, symbol = 3 * len(self.groups), self.random.choice(SYMBOLS)
        price, held = self.prices[symbol], float(self.broker.account.quantity(symbol))
        units = float(self.random.randint(1, 20))
        kind = self.random.choice(("market", "limit", "exit", "bracket"))
        if kind == "exit" and held > 0:
            group: tuple[Order, ...] = (order(f"T-{number}", -min(units, held), symbol=symbol),)
        elif kind == "bracket":
            legs: dict[str, Any] = {"symbol": symbol, "tif": TimeInForce.GTC, "parent": f"T-{number}"}
            group = (
                order(f"T-{number}", units, symbol=symbol),
                order(f"T-{number + 1}", -units, OrderType.STOP, stop=round(price - 3, 2), **legs),
                order(f"T-{number + 2}", -units, OrderType.LIMIT, limit=round(price + 3, 2), **legs),
            )
        elif kind == "limit":
            limit = round(price - self.random.random() * 2, 2)
            group = (order(f"T-{number}", units, OrderType.LIMIT, symbol=symbol, limit=limit),)
        else:
            group = (order(f"T-{number}", units, symbol=symbol),)
        self.groups.append(group)
        self.run.link.submit(group)

    def trade(self) -> None:
        symbol = self.random.choice(SYMBOLS)
        self.prices[symbol] = round(self.prices[symbol] + self.random.uniform(-1.5, 1.5), 2)
        self.broker.trade(symbol, self.prices[symbol], self.random.choice((None, None, 3, 7)))

    def some(self) -> Order | None:
        own = [each for group in self.groups for each in group if self.is_open(each)]
        return self.random.choice(own) if own else None

    def is_open(self, each: Order) -> bool:
        known = self.orders.get(each.id)
        return known is not None and known.status in OPEN_STATUSES

    def cancel(self) -> None:
        if (one := self.some()) is not None:
            self.broker.late_fills = self.random.random() < 0.3
            self.run.link.cancel(one)
            self.broker.settle()
            self.broker.late_fills = False

    def replace(self) -> None:
        if (one := self.some()) is not None and one.limit is not None:
            version = self.versions[one.id] = self.versions.get(one.id, 0) + 1
            changed = one.changed(limit=round(one.limit + self.random.uniform(-0.5, 0.5), 2))
            self.run.link.replace(changed, version)

    def trouble(self) -> None:
        what = self.random.randrange(6)
        if what < 4:
            method = self.random.choice(("POST", "POST", "GET", "DELETE", "PATCH"))
            is_done = self.random.random() < 0.5
            status = self.random.choice((0, 500, 503, 504)) if what else 429
            headers = {"Retry-After": "0.01"}
            trouble = Trouble(status, method=method, is_done=is_done and status != 429, headers=headers)
            self.broker.troubles.append(trouble)
        elif what == 4:
            self.broker.events_first = not self.broker.events_first
            self.broker.doubled ^= {"partial_fill"}
        else:
            self.broker.stream.cut()
            while self.run.link.state != "closed":
                self.broker.settle()
            self.trade()
            self.run.listens()
            self.run.link.ask_books(NOW_NS)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 3, 5])
def test_both_sides_agree_after_everything_went_wrong(seed: int) -> None:
    with AlpacaTradingServer(VirtualArrivals(NOW_NS), SYMBOLS, cash=1_000_000) as broker:
        trader = Trader(broker, seed)
        for symbol in SYMBOLS:
            broker.trade(symbol, 100.0)
        for _ in range(120):
            trader.step()
        broker.troubles.clear()
        trader.hear()
        for group in trader.groups:
            trader.run.link.ask(group, 9)
            trader.hear()
        trader.run.link.ask_books(NOW_NS)
        books = trader.hear()
        assert not books.error
        assert trader.orders
        for symbol in SYMBOLS:
            told = sum(fill.quantity for fill in trader.fills.values() if fill.symbol == symbol)
            assert told == float(broker.account.quantity(symbol))
        own = {each.id for group in trader.groups for each in group}
        assert {fill.order_id for fill in trader.fills.values()} <= own
        newest = {row.id: row for row in broker.account.orders.values() if row.status != "replaced"}
        opens = {row.client_order_id for row in newest.values() if row.is_open}
        assert len(opens) == len(books.orders)
        assert {each.order_id for each in books.orders} <= own
        for group in trader.groups:
            is_there = any(row.client_order_id == f"run/{group[0].id}/0" for row in broker.account.orders.values())
            assert is_there is (group[0].id in trader.orders), group[0]
        still_open = {own_id for own_id, each in trader.orders.items() if each.status in OPEN_STATUSES}
        assert still_open == {each.order_id for each in books.orders}

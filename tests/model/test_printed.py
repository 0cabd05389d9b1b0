"""What events of trading look like when they are printed."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from openbell.model.cash_flow import CashFlow, CashFlowKind
from openbell.model.events import SignalEvent
from openbell.model.fill import Fill
from openbell.model.order import Order, OrderStatus, OrderType, TimeInForce

ZONE = ZoneInfo("America/New_York")
TEN_NS = int(datetime(2024, 7, 2, 10, 0, tzinfo=ZONE).timestamp()) * 10**9
DAY = date(2024, 7, 2)
ORDER = Order(
    id="Dips-1",
    strategy="Dips",
    symbol="SPY",
    quantity=10.0,
    type=OrderType.MARKET,
    created_ns=TEN_NS,
    updated_ns=TEN_NS,
    zone=ZONE,
    session_date=DAY,
)


def test_an_order_says_what_it_is_and_when_in_the_time_of_the_exchange() -> None:
    assert repr(ORDER) == "<Order Dips-1: buy 10 SPY market day, submitted 2024-07-02 10:00:00-04:00>"


def test_an_order_says_its_prices_what_has_filled_and_why() -> None:
    order = ORDER.changed(
        quantity=-1500.0,
        type=OrderType.STOP_LIMIT,
        stop=99.5,
        limit=99.0,
        tif=TimeInForce.GTD,
        until=date(2024, 7, 5),
        status=OrderStatus.CANCELLED,
        filled_quantity=-500.0,
        reason="Dips cancelled it",
    )
    assert str(order) == (
        "<Order Dips-1: sell 1,500 SPY stop_limit limit=99 stop=99.5 gtd until 2024-07-05, 500 filled, "
        "cancelled 2024-07-02 10:00:00-04:00: Dips cancelled it>"
    )


def test_a_fill_says_what_it_was_and_what_it_cost() -> None:
    fill = Fill(
        id="Dips-1.1",
        order=ORDER,
        symbol="SPY",
        quantity=-0.5,
        price=100.25,
        fee=1.0,
        time_ns=TEN_NS,
        zone=ZONE,
        session_date=DAY,
    )
    assert repr(fill) == "<Fill Dips-1.1: sold 0.5 SPY at 100.25, fee 1.00, 2024-07-02 10:00:00-04:00>"


def test_so_do_money_and_signals() -> None:
    flow = CashFlow(
        kind=CashFlowKind.DIVIDEND,
        symbol="SPY",
        quantity=10.0,
        amount=-12.5,
        time_ns=TEN_NS,
        zone=ZONE,
        session_date=DAY,
    )
    signal = SignalEvent(
        time_ns=TEN_NS,
        zone=ZONE,
        session_date=DAY,
        symbol="SPY",
        action="BUY",
        reason="up",
        strategy="Dips",
        numbers={"percent": 10},
    )
    assert repr(flow) == "<CashFlow: dividend of SPY, -12.50, 2024-07-02 10:00:00-04:00>"
    assert repr(signal) == "<SignalEvent: BUY SPY percent=10 by Dips, 2024-07-02 10:00:00-04:00: up>"

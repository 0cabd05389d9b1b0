"""Orders, fills, positions and instruments."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import UTC, date, datetime

import pytest

from openbell.model.cash_flow import CashFlow, CashFlowKind
from openbell.model.fill import Fill
from openbell.model.instrument import Instrument
from openbell.model.order import Order, OrderStatus, OrderType, TimeInForce
from openbell.model.position import Position
from openbell.timing import TimeManager

NEW_YORK = TimeManager("XNYS").timezone
OPEN_NS = int(datetime(2013, 10, 7, 13, 30, tzinfo=UTC).timestamp()) * 10**9
ORDER = Order(
    id="Algo-1",
    strategy="Algo",
    symbol="SPY",
    quantity=-10.0,
    type=OrderType.LIMIT,
    limit=160.0,
    created_ns=OPEN_NS,
    updated_ns=OPEN_NS,
    zone=NEW_YORK,
    session_date=date(2013, 10, 7),
)


def test_an_order_knows_what_is_left_and_when_it_was_placed() -> None:
    partial = replace(ORDER, filled_quantity=-4.0, status=OrderStatus.PARTIALLY_FILLED)

    assert (ORDER.remaining, partial.remaining) == (-10.0, -6.0)
    assert ORDER.created.isoformat() == "2013-10-07T09:30:00-04:00"
    assert ORDER.time == ORDER.created


@pytest.mark.parametrize("status", OrderStatus)
def test_an_order_is_open_until_its_status_is_final(status: OrderStatus) -> None:
    final = status in ("filled", "cancelled", "expired", "rejected")

    assert replace(ORDER, status=status).is_open is not final


def test_types_read_as_the_words_that_users_write() -> None:
    assert OrderType("market_on_close") is OrderType.MARKET_ON_CLOSE
    assert f"{TimeInForce.GTC} {OrderStatus.PARTIALLY_FILLED}" == "gtc partially_filled"
    with pytest.raises(FrozenInstanceError):
        ORDER.quantity = 5.0  # type: ignore[misc]


def test_a_fill_knows_its_time_in_the_exchange() -> None:
    fill = Fill(
        id="Algo-1.1",
        order=ORDER,
        symbol="SPY",
        quantity=-10.0,
        price=160.0,
        time_ns=OPEN_NS,
        zone=NEW_YORK,
        session_date=date(2013, 10, 7),
    )

    assert fill.time.isoformat() == "2013-10-07T09:30:00-04:00"


def test_a_position_is_worth_its_units_times_price_and_multiplier() -> None:
    short = Position("ES", -2.0, average_price=4000.0, last_price=3990.0, multiplier=50.0)

    assert short.value == -399_000.0
    assert short.unrealized == 1000.0
    assert Position("SPY").value == Position("SPY").unrealized == 0.0


def test_an_instrument_is_a_share_in_dollars_unless_something_else_is_given() -> None:
    assert Instrument("SPY") == Instrument("SPY", 1.0, 0.01, "USD", fractional=False, margin=None)


def test_a_cash_flow_names_its_reason_and_time() -> None:
    paid = CashFlow(
        kind=CashFlowKind("dividend"),
        symbol="SPY",
        quantity=-10.0,
        amount=-8.38,
        time_ns=OPEN_NS,
        zone=NEW_YORK,
        session_date=date(2013, 10, 7),
    )

    assert f"{paid.kind} {paid.time:%H:%M}" == "dividend 09:30"

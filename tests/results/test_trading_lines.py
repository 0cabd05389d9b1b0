"""Lines of orders and fills are those of their JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.model.fill import Fill
from openbell.model.order import Order, OrderStatus, OrderType, TimeInForce
from openbell.results.folder.trading_json import fill_json, order_json
from openbell.results.folder.trading_lines import fill_line, order_line

ORDER = Order(
    id="Algo-1",
    strategy="Algo",
    symbol="SPY",
    quantity=-10.0,
    type=OrderType.MARKET,
    created_ns=1_381_152_600_000_000_000,
    updated_ns=1_381_152_660_123_456_789,
    zone=ZoneInfo("America/New_York"),
    session_date=date(2013, 10, 7),
)
prices = st.none() | st.floats(min_value=1e-9, max_value=1e12)
texts = st.text(max_size=20)


@given(
    texts,
    prices,
    prices,
    st.floats(-1e9, 1e9),
    st.sampled_from(OrderStatus),
    st.sampled_from(OrderType),
    st.sampled_from(TimeInForce),
    st.none() | st.dates(),
    st.booleans(),
)
def test_an_order(
    text: str,
    price: float | None,
    other: float | None,
    units: float,
    status: OrderStatus,
    kind: OrderType,
    tif: TimeInForce,
    until: date | None,
    extended: bool,
) -> None:
    order = replace(
        ORDER,
        symbol=text,
        tag=text,
        reason=text,
        parent=text or None,
        oco=text or None,
        limit=price,
        stop=other,
        trail=price,
        trail_percent=other,
        average_fill_price=price,
        quantity=units,
        filled_quantity=units,
        status=status,
        type=kind,
        tif=tif,
        until=until,
        extended=extended,
    )

    assert order_line(order) == json.dumps(order_json(order))


@pytest.mark.parametrize("ambiguous", [True, False])
def test_a_fill(*, ambiguous: bool) -> None:
    fill = Fill(
        id="Algo-1.1",
        order=replace(ORDER, tag='a "tag"\n'),
        symbol="Ünï",
        quantity=-10.0,
        price=144.78125,
        fee=1e-7,
        slippage=0.0,
        time_ns=1_381_152_600_000_000_000,
        zone=ORDER.zone,
        session_date=date(2013, 10, 7),
        ambiguous=ambiguous,
    )

    assert fill_line(fill) == json.dumps(fill_json(fill))

"""What the quick makers of frozen objects make is what their classes and `dataclasses.replace` make."""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, fields, replace
from datetime import UTC, date

import pytest

from made_trading import made_order, made_trade
from openbell.model.events import SignalEvent
from openbell.model.frozen import quick_change, quick_maker
from openbell.model.order import Order, OrderStatus, order_of_fields, order_with_fill, order_with_status
from openbell.model.trade import Trade, new_trade, trades_of_columns

TRADE_NEEDS = [field.name for field in fields(Trade) if field.default is MISSING]


def test_a_changed_order_is_what_replace_makes_and_leaves_the_old_one() -> None:
    order = made_order("ALFA", 10, tag="gap", limit=9.5)
    changes = {"status": OrderStatus.CANCELLED, "reason": "no longer wanted", "session_date": date(2024, 7, 3)}

    changed = order.changed(**changes)

    assert changed == replace(order, **changes)
    assert hash(changed) == hash(replace(order, **changes))
    assert order.status is OrderStatus.FILLED
    assert order.changed() == order


def test_it_is_frozen_as_well_and_knows_its_fields() -> None:
    changed = made_order("ALFA", 10).changed(quantity=5.0)

    with pytest.raises(FrozenInstanceError):
        changed.quantity = 6.0  # type: ignore[misc]
    with pytest.raises(TypeError, match="Order has no field 'quantitty'"):
        changed.changed(quantitty=5.0)


def test_a_state_made_in_one_step_is_what_replace_makes() -> None:
    order, day = made_order("ALFA", 10, tag="gap", limit=9.5), date(2024, 7, 3)
    stamp = {"updated_ns": 7, "session_date": day}
    filled = {"filled_quantity": 4.0, "average_fill_price": 9.25, "status": OrderStatus.PARTIALLY_FILLED}

    accepted = order_with_status(order, OrderStatus.ACCEPTED, 7, day)
    made = order_with_fill(order, 4.0, 9.25, OrderStatus.PARTIALLY_FILLED, 7, day)

    assert accepted == replace(order, status=OrderStatus.ACCEPTED, **stamp)
    assert made == replace(order, **filled, **stamp)
    assert type(made) is Order
    with pytest.raises(FrozenInstanceError):
        made.quantity = 6.0  # type: ignore[misc]
    with pytest.raises(TypeError, match="Order has no field quantitty"):
        quick_change(Order, "quantitty")


def test_an_order_of_its_fields_is_one_as_its_class_makes_it() -> None:
    order = made_order("ALFA", 10, tag="gap", limit=9.5)
    values = [getattr(order, field.name) for field in fields(Order)]

    made = order_of_fields(*values)

    assert type(made) is Order
    assert made == order
    assert [getattr(made, field.name) for field in fields(Order)] == values
    with pytest.raises(FrozenInstanceError):
        made.quantity = 6.0  # type: ignore[misc]
    with pytest.raises(TypeError, match="oco"):
        order_of_fields(*values[:-1])


def test_a_quickly_made_trade_is_one_with_the_same_defaults() -> None:
    trade = made_trade(12.0)
    given = {name: getattr(trade, name) for name in TRADE_NEEDS}

    made = new_trade(**given)

    assert type(made) is Trade
    assert made == Trade(**given)
    with pytest.raises(FrozenInstanceError):
        made.quantity = 6.0  # type: ignore[misc]
    with pytest.raises(TypeError, match="symbol"):
        new_trade(**{name: value for name, value in given.items() if name != "symbol"})
    with pytest.raises(TypeError, match="quantitty"):
        new_trade(**given, quantitty=5.0)


def test_trades_of_columns_are_those_of_their_rows() -> None:
    trades = [made_trade(12.0, tag="gap"), made_trade(-3.0, fees=1.0)]
    columns = {field.name: [getattr(trade, field.name) for trade in trades] for field in fields(Trade)}

    assert trades_of_columns(**columns) == trades
    assert trades_of_columns(**{name: [] for name in columns}) == []


def test_what_has_fields_of_a_base_class_is_made_quickly_as_well() -> None:
    given = {
        "time_ns": 5, "zone": UTC, "session_date": date(2024, 7, 3), "symbol": "ALFA", "action": "BUY", "reason": "",
        "strategy": "Gap", "numbers": {},
    }  # fmt: skip

    made = quick_maker(SignalEvent)(**given)

    assert type(made) is SignalEvent
    assert made == SignalEvent(**given)
    with pytest.raises(FrozenInstanceError):
        made.time_ns = 6

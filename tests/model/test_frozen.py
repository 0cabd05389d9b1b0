"""What the quick makers of frozen objects make is what their classes and `dataclasses.replace` make."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from datetime import date

import pytest

from made_trading import made_order
from openbell.model.frozen import quick_change
from openbell.model.order import Order, OrderStatus, OrderType, new_order, order_with_fill, order_with_status


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


def test_a_quickly_made_order_is_one_with_the_same_defaults() -> None:
    order = made_order("ALFA", 10)
    given = {name: getattr(order, name) for name in ("id", "strategy", "symbol", "quantity", "zone", "session_date")}
    given |= {"type": OrderType.MARKET, "created_ns": 1, "updated_ns": 2}

    made = new_order(**given)

    assert type(made) is Order
    assert made == Order(**given)
    assert [getattr(made, f.name) for f in fields(Order)] == [getattr(Order(**given), f.name) for f in fields(Order)]
    with pytest.raises(FrozenInstanceError):
        made.quantity = 6.0  # type: ignore[misc]
    with pytest.raises(TypeError, match="symbol"):
        new_order(**{name: value for name, value in given.items() if name != "symbol"})
    with pytest.raises(TypeError, match="quantitty"):
        new_order(**given, quantitty=5.0)

"""A frozen object with other values in some fields is what `dataclasses.replace` makes of it."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import date

import pytest

from made_trading import made_order
from openbell.model.order import OrderStatus


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

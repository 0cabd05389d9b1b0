"""Splits, dividends and names change positions and open orders, and no worth is made or lost."""

from __future__ import annotations

from datetime import UTC, date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.actions.table import KINDS, Action
from openbell.execution.account.corporate_actions import (
    dividend_amount,
    in_order,
    merged_average,
    rename_order,
    split_order,
    split_units,
)
from openbell.execution.simulated.first_touched import fitting_part
from openbell.model.instrument import Instrument
from openbell.model.order import Order, OrderType

SHARE = Instrument("AAPL", tick=None)
TICKED = Instrument("AAPL", tick=0.01)
COIN = Instrument("BTC", tick=None, fractional=True)


def order(quantity: float, **keys: Any) -> Order:
    return Order(
        id="x-1",
        strategy="x",
        symbol="AAPL",
        quantity=quantity,
        type=keys.pop("type", OrderType.LIMIT),
        created_ns=0,
        updated_ns=0,
        zone=UTC,
        session_date=date(2014, 6, 9),
        **keys,
    )


@pytest.mark.parametrize(
    ("quantity", "ratio", "instrument", "expected"),
    [
        # units, average price (50 before), fraction, cash (last price 60 before)
        (100, 2, SHARE, (200, 25, 0, 0)),
        (-100, 2, SHARE, (-200, 25, 0, 0)),
        (100, 0.1, SHARE, (10, 500, 0, 0)),
        (105, 0.1, SHARE, (10, 500, 0.5, 300)),
        (-105, 0.1, SHARE, (-10, 500, -0.5, -300)),
        (5, 0.1, SHARE, (0, 500, 0.5, 300)),
        (101, 1.5, SHARE, (151, 50 / 1.5, 0.5, 20)),
        (105, 0.1, COIN, (10.5, 500, 0, 0)),
        (3, 1 / 3, SHARE, (1, 150, 0, 0)),
        (700, 7, SHARE, (4_900, 50 / 7, 0, 0)),
    ],
)
def test_a_split_changes_units_and_average_and_pays_fractions(
    quantity: float, ratio: float, instrument: Instrument, expected: tuple[float, ...]
) -> None:
    assert split_units(quantity, 50.0, ratio, 60.0, instrument) == pytest.approx(expected)


RATIOS = st.sampled_from([2.0, 3.0, 7.0, 1.5, 0.5, 0.1, 0.05, 1 / 3, 20 / 7])


@given(st.integers(-10_000, 10_000), st.floats(1, 500), RATIOS, st.floats(1, 500), st.sampled_from([SHARE, COIN]))
def test_a_split_leaves_the_worth_and_the_cost_of_a_position_as_they_were(
    quantity: int, average: float, ratio: float, last: float, instrument: Instrument
) -> None:
    after = split_units(quantity, average, ratio, last, instrument)

    assert after.quantity * last / ratio + after.cash == pytest.approx(quantity * last)
    assert (after.quantity + after.fraction) * after.average_price == pytest.approx(quantity * average)
    assert after.quantity == int(after.quantity) or instrument is COIN
    assert after.quantity * quantity >= 0


@given(st.integers(1, 10_000), st.integers(2, 20))
def test_a_split_and_its_reverse_leave_a_position_as_it_was(quantity: int, ratio: int) -> None:
    there = split_units(quantity, 50.0, ratio, 60.0, SHARE)

    back = split_units(there.quantity, there.average_price, 1 / ratio, 60.0 / ratio, SHARE)

    assert back == pytest.approx((quantity, 50.0, 0.0, 0.0))


class TestOrdersAfterASplit:
    def test_units_and_prices_are_on_the_new_basis(self) -> None:
        before = order(-100, type=OrderType.STOP_LIMIT, stop=90.0, limit=88.0, tag="exit")

        after = split_order(before, 2.0, SHARE)

        assert after is not None
        assert (after.quantity, after.stop, after.limit) == (-200, 45.0, 44.0)
        assert (after.id, after.tag, after.status) == (before.id, "exit", before.status)

    def test_the_rest_of_an_order_that_had_filled_in_part_fills_in_whole_units(self) -> None:
        for filled in range(1, 100):
            after = split_order(order(filled + 30, filled_quantity=float(filled)), 0.1, SHARE)

            assert after is not None
            assert fitting_part(after.remaining, 1000.0, None, SHARE) == 3.0

    def test_a_trailing_stop_follows_at_the_new_distance(self) -> None:
        money = split_order(order(-100, type=OrderType.TRAILING_STOP, trail=4.0), 2.0, SHARE)
        percent = split_order(order(-100, type=OrderType.TRAILING_STOP, trail_percent=4.0), 2.0, SHARE)

        assert money is not None
        assert percent is not None
        assert (money.trail, percent.trail_percent) == (2.0, 4.0)

    def test_what_has_filled_is_on_the_new_basis_too(self) -> None:
        after = split_order(order(100, limit=50.0, filled_quantity=30.0, average_fill_price=49.0), 2.0, SHARE)

        assert after is not None
        assert (after.quantity, after.filled_quantity, after.average_fill_price, after.remaining) == (
            200,
            60,
            24.5,
            140,
        )

    def test_fractions_of_units_are_cut(self) -> None:
        after = split_order(order(15, limit=50.0), 0.1, SHARE)

        assert after is not None
        assert (after.quantity, after.limit) == (1, 500.0)

    def test_an_order_of_which_no_unit_is_left_is_gone(self) -> None:
        assert split_order(order(5, limit=50.0), 0.1, SHARE) is None
        assert split_order(order(5, limit=50.0), 0.1, COIN) is not None

    @pytest.mark.parametrize(
        ("quantity", "kind", "limit", "stop"),
        [
            (1, OrderType.LIMIT, 33.33, None),
            (-1, OrderType.LIMIT, 33.34, None),
            (1, OrderType.STOP, None, 33.34),
            (-1, OrderType.STOP, None, 33.33),
        ],
    )
    def test_prices_off_the_tick_move_away_from_the_market(
        self, quantity: float, kind: OrderType, limit: float | None, stop: float | None
    ) -> None:
        prices = {"limit": 100.0} if kind is OrderType.LIMIT else {"stop": 100.0}

        after = split_order(order(quantity, type=kind, **prices), 3.0, TICKED)

        assert after is not None
        assert (after.limit, after.stop) == (pytest.approx(limit), pytest.approx(stop))


def test_a_dividend_is_credited_to_longs_and_debited_from_shorts() -> None:
    assert dividend_amount(100, 0.25, SHARE) == 25
    assert dividend_amount(-100, 0.25, SHARE) == -25


def test_an_order_keeps_everything_but_its_name() -> None:
    before = order(100, limit=50.0)

    after = rename_order(before, "META")

    assert after.symbol == "META"
    assert (after.id, after.limit, after.quantity) == (before.id, before.limit, before.quantity)


def test_dividends_come_before_splits_and_names_last() -> None:
    day = date(2014, 6, 9)
    actions = [Action("A", day, kind, 2.0, "B") for kind in ("rename", "split", "dividend")]

    assert [action.type for action in in_order(actions)] == ["dividend", "split", "rename"]
    assert len(in_order([Action("A", day, kind) for kind in KINDS])) == len(KINDS)


@pytest.mark.parametrize(
    ("quantity", "average", "other", "other_average", "expected"),
    [(100, 10, 300, 20, 17.5), (-100, 10, -100, 20, 15), (100, 10, -40, 20, 10), (40, 10, -100, 20, 20)],
)
def test_two_positions_that_become_one_have_one_average(
    quantity: float, average: float, other: float, other_average: float, expected: float
) -> None:
    assert merged_average(quantity, average, other, other_average) == expected

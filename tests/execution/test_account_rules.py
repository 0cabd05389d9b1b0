"""Buying power, shorts, margin calls and limits, each refusal with both of its numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.config.execution import MaintenanceConfig, RiskConfig
from openbell.execution.account.margin import (
    HeldMargin,
    additional_margin,
    borrow_cost,
    buying_power,
    buying_power_refusal,
    first_margin_call,
    initial_margin,
    maintenance_margin,
    short_refusal,
    units_to_close,
)
from openbell.execution.orders.risk_limits import OrderRate, RiskState, daily_loss_floor, risk_refusal
from openbell.model.instrument import Instrument
from openbell.model.order import Order, OrderType

SHARE = Instrument("SPY", tick=None)
ES = Instrument("ES", multiplier=50, tick=0.25, margin=15_000)
SECOND_NS = 1_000_000_000


class TestBuyingPower:
    @pytest.mark.parametrize(
        ("held", "quantity", "instrument", "expected"),
        [
            (0, 100, SHARE, 5_000),
            (0, -100, SHARE, 5_000),
            (100, 50, SHARE, 2_500),
            (100, -50, SHARE, 0),
            (100, -100, SHARE, 0),
            (100, -200, SHARE, 0),
            (100, -300, SHARE, 5_000),
            (-100, 100, SHARE, 0),
            (0, 2, ES, 30_000),
            (2, -1, ES, 0),
            (1, -3, ES, 15_000),
        ],
    )
    def test_an_order_ties_up_what_its_position_grows_by(
        self, held: float, quantity: float, instrument: Instrument, expected: float
    ) -> None:
        assert additional_margin(held, quantity, 100.0, instrument, leverage=2.0) == expected

    def test_a_cash_account_ties_up_the_whole_value(self) -> None:
        assert initial_margin(100, 50.0, SHARE, leverage=1.0) == 5_000

    def test_an_order_beyond_it_is_refused_with_both_numbers(self) -> None:
        refusal = buying_power_refusal(75_000.0, 1.0, 50_000.0, leverage=2.0)

        assert refusal == "it needs buying power of 150,002.00, and there is 100,000.00"

    def test_an_order_of_all_of_it_is_taken(self) -> None:
        assert buying_power_refusal(49_999.0, 1.0, 50_000.0, leverage=2.0) is None

    def test_the_fee_counts(self) -> None:
        assert buying_power_refusal(50_000.0, 1.0, 50_000.0, leverage=1.0) is not None

    def test_an_order_that_makes_a_position_smaller_is_always_taken(self) -> None:
        assert buying_power_refusal(0.0, 5.0, -10_000.0, leverage=2.0) is None

    def test_there_is_none_where_nothing_is_free(self) -> None:
        assert buying_power(-10.0, 2.0) == 0
        assert buying_power(10.0, 2.0) == 20


@pytest.mark.parametrize(
    ("held", "quantity", "shorting", "refused"),
    [
        (100, -100, False, False),
        (100, -101, False, True),
        (0, -1, False, True),
        (0, -1, True, False),
        (-5, 5, False, False),
    ],
)
def test_an_account_without_shorting_sells_what_it_has(
    held: float, quantity: float, shorting: bool, refused: bool
) -> None:
    assert (short_refusal(held, quantity, shorting=shorting) is not None) is refused


def test_a_refused_short_sale_is_told_with_both_numbers() -> None:
    assert short_refusal(100, -150, shorting=False) == "it sells 150 and 100 are held; execution.shorting is false"


class TestMarginCalls:
    PRICES = np.array([100.0, 90.0, 80.0])

    @pytest.mark.parametrize(
        ("quantity", "instrument", "expected"),
        [
            (100, SHARE, [2_500, 2_250, 2_000]),
            (-100, SHARE, [3_000, 2_700, 2_400]),
            (2, ES, [30_000 / 1.1] * 3),
        ],
    )
    def test_a_position_needs_equity_to_be_held(
        self, quantity: float, instrument: Instrument, expected: list[float]
    ) -> None:
        margin = maintenance_margin(quantity, self.PRICES, instrument, MaintenanceConfig())

        assert margin == pytest.approx(expected)

    def test_it_is_called_at_the_first_time_at_which_equity_is_less(self) -> None:
        # 200 shares bought at 100 with 10,000 borrowed: called below 10,000 / 0.75 / 200 = 66.67.
        prices = np.array([100.0, 80.0, 67.0, 66.0, 90.0])
        equity, margin = 200 * prices - 10_000, maintenance_margin(200, prices, SHARE, MaintenanceConfig())

        assert first_margin_call(equity, margin) == 3

    def test_a_squeezed_short_is_called(self) -> None:
        # 100 shares sold short at 100 with 10,000 of equity: called above 20,000 / 1.3 / 100 = 153.85.
        prices = np.array([100.0, 150.0, 153.0, 154.0])
        equity, margin = 20_000 - 100 * prices, maintenance_margin(-100, prices, SHARE, MaintenanceConfig())

        assert first_margin_call(equity, margin) == 3

    @pytest.mark.parametrize(
        ("equity", "expected"),
        [
            (10_900.0, {"BIG": 5}),  # 110 % of 10,000 less 20 a unit
            (5_000.0, {"BIG": 273}),
            (4_400.0, {"BIG": 300}),  # 110 % of 4,000
            (4_000.0, {"BIG": 300, "SMALL": 19}),
            (0.0, {"BIG": 300, "SMALL": 200}),
        ],
    )
    def test_as_much_is_closed_as_brings_equity_above_the_margin(self, equity: float, expected: dict[str, int]) -> None:
        big = HeldMargin("BIG", 300, 6_000.0, SHARE)
        small = HeldMargin("SMALL", -200, 4_000.0, SHARE)

        closed = units_to_close([small, big], equity)

        assert closed == {symbol: units * (-1 if symbol == "BIG" else 1) for symbol, units in expected.items()}

    @given(
        st.lists(st.tuples(st.integers(1, 1_000), st.floats(1, 1_000)), min_size=1, max_size=5),
        st.floats(0, 1, exclude_max=True),
    )
    def test_no_unit_more_than_needed_is_closed(self, held: list[tuple[int, float]], share: float) -> None:
        positions = [HeldMargin(f"S{n}", q, q * unit, SHARE) for n, (q, unit) in enumerate(held)]
        total = sum(position.margin for position in positions)
        equity = share * total

        closed = units_to_close(positions, equity)

        left = {p.symbol: p.margin / p.quantity * (p.quantity + closed.get(p.symbol, 0)) for p in positions}
        assert sum(left.values()) * 1.1 <= equity + 1e-6 * total
        last = list(closed)[-1]
        unit = next(p.margin / p.quantity for p in positions if p.symbol == last)
        assert (sum(left.values()) + unit) * 1.1 >= equity - 1e-6 * total

    def test_without_maintenance_equity_of_zero_is_called(self) -> None:
        none = MaintenanceConfig(long_percent=0, short_percent=0)
        prices = np.array([60.0, 50.0])
        margin = maintenance_margin(200, prices, SHARE, none)

        assert first_margin_call(200 * prices - 10_000, margin) == 1

    def test_equity_at_the_margin_is_enough(self) -> None:
        assert first_margin_call(np.array([100.0, 50.0]), np.array([100.0, 50.0])) == -1
        assert first_margin_call(np.empty(0), np.empty(0)) == -1


def test_borrowed_shares_cost_by_calendar_days() -> None:
    assert borrow_cost(36_000.0, 0.03, 1) == pytest.approx(3.0)
    assert borrow_cost(36_000.0, 0.03, 3) == pytest.approx(9.0)
    assert borrow_cost(36_000.0, 0.0, 3) == 0


# Limits


def order(quantity: float, **keys: Any) -> Order:
    kind = OrderType.MARKET
    if "stop" in keys:
        kind = OrderType.STOP
    if "limit" in keys:
        kind = OrderType.LIMIT
    return Order(
        id="x-1", strategy="x", symbol="SPY", quantity=quantity, type=kind, created_ns=0, updated_ns=0, zone=UTC,
        session_date=date(2014, 6, 9), **keys,
    )  # fmt: skip


STATE = RiskState(equity=100_000, start_equity=100_000, gross=0, held=0, price=100)


class TestLimits:
    @pytest.mark.parametrize(
        ("risk", "placed", "state", "told"),
        [
            (
                {"max_position_percent": 25},
                order(260),
                STATE,
                "the position would be worth 26,000.00, 26.0% of equity, and risk.max_position_percent is 25",
            ),
            (
                {"max_position_percent": 25},
                order(-100),
                replace(STATE, held=-200, gross=20_000),
                "the position would be worth 30,000.00, 30.0% of equity, and risk.max_position_percent is 25",
            ),
            (
                {"max_gross_leverage": 1.5},
                order(600),
                replace(STATE, gross=100_000),
                "all positions would be worth 160,000.00, 1.60 times equity, and risk.max_gross_leverage is 1.5",
            ),
            (
                {"max_position_percent": 25},
                order(100),
                replace(STATE, ordered=200),
                "the position would be worth 30,000.00 with 200 units that are ordered, 30.0% of equity, and risk.",
            ),
            (
                {"max_gross_leverage": 1.5},
                order(600),
                replace(STATE, gross=50_000, growth=50_000),
                "all positions with open orders would be worth 160,000.00, 1.60 times equity, and risk.",
            ),
            (
                {"price_collar_percent": 5},
                order(1, limit=94.0),
                STATE,
                "its limit of 94 is 6.0% from the last price of 100, and risk.price_collar_percent is 5",
            ),
            (
                {"price_collar_percent": 5},
                order(1, stop=106.0),
                STATE,
                "its stop of 106 is 6.0% from the last price of 100, and risk.price_collar_percent is 5",
            ),
            (
                {"max_daily_loss_percent": 3},
                order(1),
                replace(STATE, equity=96_500, halted=True),
                "the largest daily loss is reached: 3,500.00 of 100,000.00, and risk.max_daily_loss_percent is 3.",
            ),
        ],
    )
    def test_an_order_beyond_a_limit_is_refused_with_both_numbers(
        self, risk: dict[str, float], placed: Order, state: RiskState, told: str
    ) -> None:
        assert (risk_refusal(RiskConfig.model_validate(risk), placed, state) or "").startswith(told)

    @pytest.mark.parametrize(
        ("risk", "placed", "state"),
        [
            ({}, order(1e9), STATE),
            ({"max_position_percent": 25}, order(250), STATE),
            ({"max_position_percent": 25}, order(-100), replace(STATE, held=400, gross=40_000)),
            ({"max_position_percent": 25}, order(-400), replace(STATE, held=400, gross=40_000, ordered=-400)),
            ({"max_gross_leverage": 1.5}, order(500), replace(STATE, gross=100_000)),
            ({"max_gross_leverage": 0.5}, order(-100), replace(STATE, held=900, gross=90_000)),
            ({"price_collar_percent": 5}, order(1, limit=105.0), STATE),
            ({"max_daily_loss_percent": 3}, order(-100), replace(STATE, held=100, gross=10_000, halted=True)),
        ],
    )
    def test_an_order_within_the_limits_is_taken(self, risk: dict[str, float], placed: Order, state: RiskState) -> None:
        assert risk_refusal(RiskConfig.model_validate(risk), placed, state) is None

    def test_an_order_that_turns_a_position_over_is_new_risk(self) -> None:
        state = replace(STATE, held=100, gross=10_000, halted=True)

        assert risk_refusal(RiskConfig(max_daily_loss_percent=3), order(-150), state) is not None

    def test_a_limit_order_is_reckoned_at_its_limit(self) -> None:
        risk = RiskConfig(max_position_percent=25)

        assert risk_refusal(risk, order(260, limit=90.0), STATE) is None
        assert risk_refusal(risk, order(245, limit=110.0), STATE) is not None

    def test_the_rest_of_an_order_counts_and_not_what_has_filled(self) -> None:
        risk = RiskConfig(max_position_percent=25)
        partly = order(250, filled_quantity=100.0, average_fill_price=100.0)

        assert risk_refusal(risk, partly, replace(STATE, held=100, gross=10_000)) is None

    def test_the_floor_of_a_day_is_of_the_equity_that_it_began_with(self) -> None:
        assert daily_loss_floor(RiskConfig(max_daily_loss_percent=3), 200_000) == pytest.approx(194_000)
        assert daily_loss_floor(RiskConfig(), 200_000) is None


class TestOrdersPerMinute:
    def test_one_too_many_is_refused_until_a_minute_has_passed(self) -> None:
        rate = OrderRate(2)
        told = "it would be order 3 in 60 seconds, and risk.max_orders_per_minute is 2"

        assert [rate.refusal(second * SECOND_NS) for second in (0, 10, 20, 59)] == [None, None, told, told]
        assert [rate.refusal(second * SECOND_NS) for second in (60, 69, 70)] == [None, told, None]

    def test_without_a_limit_none_is_refused(self) -> None:
        rate = OrderRate(None)

        assert {rate.refusal(0) for _ in range(1_000)} == {None}

    @given(st.lists(st.integers(0, 200), max_size=60).map(sorted), st.integers(1, 5))
    def test_no_minute_ever_has_more(self, seconds: list[int], most: int) -> None:
        rate = OrderRate(most)
        taken = [second for second in seconds if rate.refusal(second * SECOND_NS) is None]

        assert all(sum(begin <= t < begin + 60 for t in taken) <= most for begin in taken)

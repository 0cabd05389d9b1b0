"""Quantities and prices fit the terms of trading, or the refusal says what would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.config import ExecutionConfig
from openbell.execution.orders.instruments import InstrumentTable, off_tick, off_unit, to_tick, whole_units
from openbell.model.instrument import Instrument

SHARE = Instrument("SPY", tick=None)
COIN = Instrument("BTC", tick=None, fractional=True)
ES = Instrument("ES", multiplier=50, tick=0.25, margin=15_000)


def table(*, futures: bool = False, **keys: object) -> InstrumentTable:
    return InstrumentTable(ExecutionConfig.model_validate(keys), futures=futures)


class TestTable:
    def test_a_symbol_without_an_entry_is_a_share(self) -> None:
        assert table(currency="EUR").get("SAP") == Instrument("SAP", tick=None, currency="EUR")

    def test_an_entry_has_the_terms_of_its_symbol(self) -> None:
        entries = {"ES": {"multiplier": 50, "tick": 0.25, "margin": 15_000}}

        assert table(instruments=entries).get("ES") == ES

    def test_a_future_without_an_entry_is_refused_with_the_lines_to_add(self) -> None:
        refusal = table(futures=True).refusal("NQ")

        assert refusal is not None
        assert refusal.startswith("NQ has no entry in execution.instruments")
        assert "execution:\n  instruments:\n    NQ: {multiplier: 50, tick: 0.25, margin: 15000}" in refusal

    def test_a_future_with_an_entry_is_traded(self) -> None:
        assert table(futures=True, instruments={"ES": {"multiplier": 50}}).refusal("ES") is None

    def test_another_currency_than_the_accounts_is_refused_by_name(self) -> None:
        refusal = table(instruments={"SAP": {"currency": "EUR"}}).refusal("SAP")

        assert refusal is not None
        assert refusal.startswith("SAP is traded in EUR, and the account is in USD.")

    def test_a_share_in_the_accounts_currency_is_traded(self) -> None:
        assert table(currency="EUR", instruments={"SAP": {"currency": "EUR"}}).refusal("SAP") is None

    def test_a_renamed_symbol_is_traded_on_the_same_terms(self) -> None:
        terms = table(instruments={"OLD": {"multiplier": 10}})
        assert terms.get("NEW").multiplier == 1

        terms.rename({"OLD": "NEW"})

        assert terms.get("NEW") == Instrument("NEW", multiplier=10, tick=None)


@pytest.mark.parametrize(
    ("quantity", "instrument", "expected"),
    [
        (698.9, SHARE, 698.0),
        (-698.9, SHARE, -698.0),
        (0.9, SHARE, 0.0),
        (-0.9, SHARE, 0.0),
        (3 * (0.1 + 0.2) / 0.3, SHARE, 3.0),
        (2.9999999999, SHARE, 3.0),
        (0.25, COIN, 0.25),
        (1e-12, COIN, 0.0),
    ],
)
def test_quantities_are_cut_to_what_can_be_traded(quantity: float, instrument: Instrument, expected: float) -> None:
    assert whole_units(quantity, instrument) == expected


@given(st.floats(-1e12, 1e12))
def test_a_cut_quantity_is_never_larger_and_is_accepted(quantity: float) -> None:
    units = whole_units(quantity, SHARE)

    assert abs(units) <= abs(quantity) + 1e-9
    assert units == 0 or off_unit(units, SHARE) is None


@pytest.mark.parametrize(
    ("quantity", "instrument", "told"),
    [
        (0, SHARE, "a quantity of 0 is no order."),
        (float("nan"), SHARE, "a quantity of nan is no order."),
        (float("inf"), COIN, "a quantity of inf is no order."),
        (1.5, SHARE, "a quantity of 1.5 is not whole, and SPY is traded in whole units."),
    ],
)
def test_a_quantity_that_cannot_be_is_told(quantity: float, instrument: Instrument, told: str) -> None:
    assert (off_unit(quantity, instrument) or "").startswith(told)


@pytest.mark.parametrize(("quantity", "instrument"), [(1, SHARE), (-100, SHARE), (0.5, COIN), (-2, ES)])
def test_a_quantity_that_can_be_is_accepted(quantity: float, instrument: Instrument) -> None:
    assert off_unit(quantity, instrument) is None


@pytest.mark.parametrize(
    ("price", "told"),
    [
        (4000.10, "a limit of 4000.1 is off the tick of ES, which is 0.25. The nearest are 4000 and 4000.25."),
        (0.0, "a limit of 0 is not above zero"),
        (-1.0, "a limit of -1 is not above zero"),
        (float("nan"), "a limit of nan is no price"),
        (float("inf"), "a limit of inf is no price"),
        (4000.25, None),
        (4000.5, None),
    ],
)
def test_a_price_off_the_tick_is_told_with_the_nearest(price: float, told: str | None) -> None:
    assert off_tick(price, ES, "limit") == told


def test_any_price_above_zero_is_good_where_there_is_no_tick() -> None:
    assert off_tick(145.98 * 0.9971, SHARE, "stop") is None


@given(st.integers(1, 10_000_000), st.sampled_from([0.01, 0.05, 0.1, 0.25, 1.0, 0.0001, 0.015625]))
def test_every_multiple_of_the_tick_is_on_it_whatever_floats_make_of_it(steps: int, tick: float) -> None:
    price = steps * tick

    assert off_tick(price, Instrument("X", tick=tick), "limit") is None
    assert to_tick(price, tick, up=True) == to_tick(price, tick, up=False) == pytest.approx(price, rel=1e-12)


@given(st.floats(0.01, 1e6), st.sampled_from([0.01, 0.25, 0.0001]))
def test_prices_move_to_the_tick_on_the_side_that_is_asked_for(price: float, tick: float) -> None:
    below, above = to_tick(price, tick, up=False), to_tick(price, tick, up=True)

    assert below - 1e-6 * tick <= price * (1 + 1e-12)
    assert price <= above * (1 + 1e-12) + 1e-6 * tick
    assert above - below == pytest.approx(tick, rel=1e-3) or above == below

"""Numbers on pages are as precise as what they tell."""

from __future__ import annotations

import numpy as np
import pytest

from openbell.results.number_text import decimals_of, money, number, percent, price, units


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (61.75, "61.75"), (61.754321, "61.7543"), (0.00001989512, "0.0000198951"), (1234.5, "1,234.50"),
        (64_321.123456, "64,321.12"), (-0.25, "-0.25"), (0.0, "0.00"), (100.0, "100.00"), (1e-9, "0.000000001"),
        (None, "–"), (float("nan"), "–"),  # noqa: RUF001 -- what is not there is a dash
    ],
)  # fmt: skip
def test_a_price_has_six_digits_and_never_an_exponent(value: float | None, text: str) -> None:
    assert price(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "+1,234.50"), (-0.004, "-0.004"), (0.0000044, "+0.0000044"), (0.0, "0.00"), (-12.345, "-12.35")],
)
def test_money_has_cents_or_what_is_less_than_a_cent(value: float, text: str) -> None:
    assert money(value, signed=True) == text


def test_shares_units_and_the_forms_of_performance() -> None:
    assert (percent(0.01234), percent(-0.5, signed=True), percent(2500.0)) == ("1.23%", "-50.00%", "2.5e+03 x")
    assert (units(-100.0), units(0.125), units(12_000.0)) == ("-100", "0.125", "12,000")
    assert [number(1.0, form) for form in ("days", "count", "ratio", "percent")] == ["1 day", "1", "1.00", "100.00%"]


@pytest.mark.parametrize(
    ("prices", "decimals"),
    [
        ([61.75, 61.7], 2), ([1.12345, 1.1], 5), ([0.00001234, 0.00001], 8), ([61.123456789, 62.987654321], 4),
        ([36_000.123456], 2), ([], 2), ([float("nan"), 5.0], 2), ([0.0], 2),
    ],
)  # fmt: skip
def test_a_chart_has_the_decimals_that_its_prices_have(prices: list[float], decimals: int) -> None:
    assert decimals_of(np.array(prices, dtype=float)) == decimals

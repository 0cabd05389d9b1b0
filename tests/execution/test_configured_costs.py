"""Fees and slippage are those that brokers publish, and models are named with their parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.config.costs import FeesConfig, SlippageConfig
from openbell.errors import ConfigError
from openbell.execution.fees import FEE_MODELS, IbkrFixedFees, IbkrTieredFees, NoFees, fee_of_part
from openbell.execution.simulated.configured_costs import make_fees, make_slippage
from openbell.execution.slippage import SLIPPAGE_MODELS
from openbell.model.instrument import Instrument

SHARE = Instrument("SPY")
ES = Instrument("ES", multiplier=50, tick=0.25, margin=15_000)


class FilledBar(NamedTuple):
    """A bar as slippage models see it."""

    open: float = 100.0
    high: float = 101.0
    low: float = 99.0
    close: float = 100.5
    volume: float = 10_000.0


def fees(model: str, **params: float) -> FeesConfig:
    return FeesConfig.model_validate({"model": model, **params})


def slippage(model: str, **params: float) -> SlippageConfig:
    return SlippageConfig.model_validate({"model": model, **params})


@pytest.mark.parametrize(
    ("config", "quantity", "price", "expected"),
    [
        (fees("none"), 100, 50.0, 0.0),
        (fees("per_share", per_share=0.01), -300, 50.0, 3.0),
        (fees("per_share", per_share=0.01, minimum=5), 300, 50.0, 5.0),
        (fees("per_share", per_share=0.01, minimum=5, maximum_percent=1), 300, 1.0, 3.0),
        (fees("percent", percent=0.1), 10, 1_000.0, 10.0),
        (fees("percent", percent=0.1, minimum=2), -1, 1_000.0, 2.0),
        # Interactive Brokers' own examples of fixed pricing.
        (fees("ibkr_fixed"), 100, 25.0, 1.00),
        (fees("ibkr_fixed"), 1_000, 25.0, 5.00),
        (fees("ibkr_fixed"), 1_000, 0.25, 2.50),
        (fees("ibkr_fixed"), -10, 0.20, 0.02),
        # Lean's: 698, 512 and 2 shares of SPY.
        (fees("ibkr_fixed"), 698, 143.0, 3.49),
        (fees("ibkr_fixed"), 512, 97.5, 2.56),
        (fees("ibkr_fixed"), 2, 145.0, 1.00),
        (fees("alpaca"), 1_000, 100.0, 0.053),
        # 100,000 dollars x 27.80 / million + 1,000 x 0.000166 + 1,000 x 0.000053.
        (fees("alpaca"), -1_000, 100.0, 2.78 + 0.166 + 0.053),
        # The trading activity fee ends at 8.30.
        (fees("alpaca"), -100_000, 1.0, 2.78 + 8.30 + 5.3),
        (fees("alpaca"), 0.5, 100.0, 0.000053),
        (fees("alpaca", sec_per_million=0, cat_per_share=0), -1_000, 100.0, 0.166),
    ],
)
def test_an_order_costs_what_is_published(config: FeesConfig, quantity: float, price: float, expected: float) -> None:
    assert make_fees(config).fee(quantity, price, SHARE) == pytest.approx(expected, abs=1e-9)


class TestTieredPricing:
    # The examples of Interactive Brokers' comparison of fixed and tiered pricing, without the regulators' fees.
    @pytest.mark.parametrize(
        ("quantity", "maker", "expected"),
        [
            (30_000_000, False, 1_050 + 5_400 + 25_500 + 10_000 + 90_000 + 6_000 + 41_950 * (0.00056 + 0.000175)),
            (30_000_000, True, 1_050 + 5_400 + 25_500 + 10_000 - 63_000 + 6_000 + 41_950 * (0.00056 + 0.000175)),
            (200_000, False, 700 + 600 + 40 + 700 * (0.00056 + 0.000175)),
        ],
    )
    def test_it_agrees_with_the_published_examples(self, quantity: float, maker: bool, expected: float) -> None:
        model = IbkrTieredFees(regulatory=False)

        assert model.fee(-quantity, 5.0, SHARE, maker=maker) == pytest.approx(expected)

    def test_a_tier_is_reached_by_the_volume_of_the_month(self) -> None:
        model = IbkrTieredFees(remove_per_share=0, clearing_per_share=0, regulatory=False)
        passed_on = 1 + 0.00056 + 0.000175

        first = model.fee(1_000, 50.0, SHARE, month_volume=299_500)

        assert first == pytest.approx((500 * 0.0035 + 500 * 0.0020) * passed_on)

    def test_the_least_and_the_most_hold_for_the_commission(self) -> None:
        model = IbkrTieredFees(remove_per_share=0, clearing_per_share=0, regulatory=False)
        passed_on = 1 + 0.00056 + 0.000175

        assert model.fee(1, 500.0, SHARE) == pytest.approx(0.35 * passed_on)
        assert model.fee(1, 5.0, SHARE) == pytest.approx(0.05 * passed_on)


def test_makers_and_takers_pay_differently() -> None:
    model = make_fees(fees("maker_taker", maker_percent=-0.01, taker_percent=0.1))

    assert model.fee(2, 30_000.0, SHARE, maker=False) == pytest.approx(60.0)
    assert model.fee(2, 30_000.0, SHARE, maker=True) == pytest.approx(-6.0)


def test_the_value_of_a_future_is_by_its_multiplier() -> None:
    assert make_fees(fees("percent", percent=0.01)).fee(1, 4_000.0, ES) == pytest.approx(20.0)
    assert make_fees(fees("per_share", per_share=2.25)).fee(-3, 4_000.0, ES) == pytest.approx(6.75)


PARTS = st.lists(st.tuples(st.integers(1, 5_000), st.floats(1, 500)), min_size=1, max_size=6)


@given(PARTS, st.sampled_from([1, -1]), st.sampled_from([IbkrFixedFees(), IbkrTieredFees(), NoFees()]))
def test_an_order_that_fills_in_parts_costs_what_it_costs_at_once(
    parts: list[tuple[int, float]], side: int, model: IbkrFixedFees
) -> None:
    filled = paid = value = 0.0
    for units, price in parts:
        quantity = float(side * units)
        paid += fee_of_part(
            model, quantity, price, SHARE, filled=filled, filled_price=value / filled if filled else 0.0, charged=paid
        )
        filled += quantity
        value += quantity * price

    assert paid == pytest.approx(model.fee(filled, value / filled, SHARE))


@pytest.mark.parametrize(
    ("config", "quantity", "expected"),
    [
        (slippage("none"), 100, 100.0),
        (slippage("bps", bps=5), 100, 100.05),
        (slippage("bps", bps=5), -100, 99.95),
        (slippage("spread", spread=0.02), 100, 100.01),
        (slippage("spread", spread=0.02), -100, 99.99),
        # 2.5 % of the volume: 0.025 squared times 0.1 of the price.
        (slippage("volume_share"), 250, 100.00625),
        (slippage("volume_share"), -100, 100 * (1 - 0.01**2 * 0.1)),
        (slippage("volume_share"), 5_000, 100.00625),
        (slippage("volume_share", volume_limit=1, price_impact=0.2), 5_000, 105.0),
        (slippage("spread", spread=500), -1, 0.0),
    ],
)
def test_a_price_slips_against_the_order(config: SlippageConfig, quantity: float, expected: float) -> None:
    assert make_slippage(config).price(quantity, 100.0, FilledBar(), SHARE) == pytest.approx(expected, abs=1e-9)


def test_of_a_bar_without_volume_the_largest_share_is_assumed() -> None:
    price = make_slippage(slippage("volume_share")).price(1, 100.0, FilledBar(volume=0), SHARE)

    assert price == pytest.approx(100.00625)


@given(
    st.floats(-1e6, 1e6).filter(bool),
    st.floats(-500, 1e5),
    st.floats(0, 1e9),
    st.sampled_from([slippage("bps", bps=20), slippage("spread", spread=0.5), slippage("volume_share")]),
)
def test_no_order_gains_by_slippage(quantity: float, price: float, volume: float, config: SlippageConfig) -> None:
    slipped = make_slippage(config).price(quantity, price, FilledBar(volume=volume), SHARE)

    assert (slipped - price) * quantity >= 0


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (fees("ibkr_fixd"), "unknown fee model 'ibkr_fixd'. Did you mean 'ibkr_fixed'"),
        (fees("free"), "unknown fee model 'free'. Known: none, per_share, percent"),
        (fees("per_share", pershare=1), "the fee model per_share has no parameter 'pershare'. Did you mean 'per_sh"),
        (fees("none", per_share=1), "the fee model none has no parameter 'per_share'. It has none."),
        (fees("per_share"), "the fee model per_share needs per_share. Write {model: per_share, per_share: ...}."),
        (fees("maker_taker"), "the fee model maker_taker needs maker_percent and taker_percent."),
        (fees("per_share", per_share=-1), "per_share must be zero or more, not -1"),
        (fees("ibkr_fixed", regulatory=1), "regulatory of the fee model ibkr_fixed must be true or false, not 1"),
        (fees("ibkr_fixed", minimum=True), "minimum of the fee model ibkr_fixed must be a number, not True"),
    ],
)
def test_a_mistake_in_fees_is_told(config: FeesConfig, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_fees(config)

    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (slippage("basis_points"), "unknown slippage model 'basis_points'. Known: none, bps, spread, volume_share."),
        (slippage("bps"), "the slippage model bps needs bps. Write {model: bps, bps: ...}."),
        (slippage("bps", bps=10_000), "bps must be from 0 to below 10,000, not 10000"),
        (slippage("bps", bps=-1), "bps must be from 0 to below 10,000, not -1"),
        (slippage("spread", spread=-1), "spread must be zero or more, not -1"),
        (slippage("volume_share", volume_limit=2), "volume_limit must be above 0 and at most 1, not 2"),
        (slippage("volume_share", price_impact=-2), "price_impact must be zero or more, not -2"),
    ],
)
def test_a_mistake_in_slippage_is_told(config: SlippageConfig, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_slippage(config)

    assert str(caught.value).startswith(told)


@dataclass(frozen=True)
class TicketFees:
    """Fees of a user's own: so much an order."""

    ticket: float

    def fee(
        self, quantity: float, price: float, instrument: Instrument, *, maker: bool = False, month_volume: float = 0.0
    ) -> float:
        return self.ticket


def test_a_model_of_ones_own_is_named_as_any_other() -> None:
    with FEE_MODELS.temporarily("ticket", TicketFees):
        assert make_fees(fees("ticket", ticket=7)).fee(1, 1.0, SHARE) == 7


def test_every_model_says_where_its_numbers_are_from() -> None:
    published = [FEE_MODELS.get(name) for name in ("ibkr_fixed", "ibkr_tiered", "alpaca")]

    assert all("https://" in (model.__doc__ or "") for model in published)
    assert all(model.__doc__ for model in [*FEE_MODELS, *SLIPPAGE_MODELS])

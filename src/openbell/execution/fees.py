"""Fee models, by name.

The ``fee`` of a model, which is a frozen object, is the cost of an order that filled in one go. An order that fills in
parts costs the same in total: `fee_of_part` charges each fill the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Protocol

from openbell.errors import ConfigError
from openbell.registry import Registry

if TYPE_CHECKING:
    from openbell.model.instrument import Instrument

__all__ = [
    "FEE_MODELS",
    "AlpacaFees",
    "FeeModel",
    "IbkrFixedFees",
    "IbkrTieredFees",
    "MakerTakerFees",
    "NoFees",
    "PerShareFees",
    "PercentFees",
    "RegulatoryFees",
    "fee_of_part",
]


class FeeModel(Protocol):
    """Costs of orders."""

    def fee(
        self, quantity: float, price: float, instrument: Instrument, *, maker: bool = False, month_volume: float = 0.0
    ) -> float:
        """Return the costs of an order that filled.

        Args:
            quantity: Units, negative when sold.
            price: The mean price of a unit.
            instrument: The terms of trading.
            maker: Whether it rested in the book and added liquidity, as a limit order does that did not fill at once.
            month_volume: Units that the account has traded before in the calendar month.

        Returns:
            Money, in the currency of the account; negative for a rebate.
        """
        ...


FEE_MODELS: Registry[type[FeeModel]] = Registry("fee model")
"""All fee models; users add their own with ``FEE_MODELS.add("name", TheModel)``."""


def fee_of_part(
    model: FeeModel,
    quantity: float,
    price: float,
    instrument: Instrument,
    *,
    filled: float = 0.0,
    filled_price: float = 0.0,
    charged: float = 0.0,
    maker: bool = False,
    month_volume: float = 0.0,
) -> float:
    """Return the costs of one fill of an order.

    Minima and maxima hold for the order as a whole.

    Args:
        model: The fee model.
        quantity: Units of this fill, signed.
        price: Their price.
        instrument: The terms of trading.
        filled: Units of the order that filled before, signed.
        filled_price: Their mean price.
        charged: Fees charged for them.
        maker: As for a fee model.
        month_volume: As for a fee model, before the first fill of the order.
    """
    if not filled:
        return model.fee(quantity, price, instrument, maker=maker, month_volume=month_volume)
    total = quantity + filled
    mean = (quantity * price + filled * filled_price) / total
    return model.fee(total, mean, instrument, maker=maker, month_volume=month_volume) - charged


def _require_amounts(model: object, *names: str) -> None:
    """Raise ConfigError unless the named attributes are zero or more, or None."""
    for name in names:
        if (value := getattr(model, name)) is not None and value < 0:
            raise ConfigError(f"{name} must be zero or more, not {value:g}")


def _bounded(amount: float, value: float, minimum: float, maximum_percent: float | None) -> float:
    """Raise an amount to a minimum, then cut it to a percentage of the value."""
    amount = max(amount, minimum)
    return amount if maximum_percent is None else min(amount, value * maximum_percent / 100)


@dataclass(frozen=True, slots=True)
class NoFees:
    """Trading without costs."""

    def fee(
        self, quantity: float, price: float, instrument: Instrument, *, maker: bool = False, month_volume: float = 0.0
    ) -> float:
        """Return zero."""
        del quantity, price, instrument, maker, month_volume
        return 0.0


@dataclass(frozen=True, slots=True)
class PerShareFees:
    """Costs by units, such as a commission of futures per contract.

    Attributes:
        per_share: Money per unit.
        minimum: The least that an order costs.
        maximum_percent: The most that it costs, as a percentage of its value; None for no bound.
    """

    per_share: float
    minimum: float = 0.0
    maximum_percent: float | None = None

    def __post_init__(self) -> None:
        _require_amounts(self, "per_share", "minimum", "maximum_percent")

    def fee(
        self, quantity: float, price: float, instrument: Instrument, *, maker: bool = False, month_volume: float = 0.0
    ) -> float:
        """Return the costs by units."""
        del maker, month_volume
        units = abs(quantity)
        return _bounded(
            units * self.per_share, units * abs(price) * instrument.multiplier, self.minimum, self.maximum_percent
        )


@dataclass(frozen=True, slots=True)
class PercentFees:
    """Costs by value.

    Attributes:
        percent: The percentage of the value.
        minimum: The least that an order costs.
    """

    percent: float
    minimum: float = 0.0

    def __post_init__(self) -> None:
        _require_amounts(self, "percent", "minimum")

    def fee(
        self, quantity: float, price: float, instrument: Instrument, *, maker: bool = False, month_volume: float = 0.0
    ) -> float:
        """Return the costs by value."""
        del maker, month_volume
        return max(abs(quantity * price) * instrument.multiplier * self.percent / 100, self.minimum)


@dataclass(frozen=True, slots=True)
class MakerTakerFees:
    """Costs by value for orders that add and orders that take liquidity, as on crypto exchanges.

    Attributes:
        maker_percent: The percentage of a maker; negative for a rebate.
        taker_percent: The percentage of a taker.
    """

    maker_percent: float
    taker_percent: float

    def fee(
        self, quantity: float, price: float, instrument: Instrument, *, maker: bool = False, month_volume: float = 0.0
    ) -> float:
        """Return the costs by value."""
        del month_volume
        percent = self.maker_percent if maker else self.taker_percent
        return abs(quantity * price) * instrument.multiplier * percent / 100


@dataclass(frozen=True, slots=True)
class RegulatoryFees:
    """Fees that brokers in the United States pass on.

    The rates change about twice a year, and these are those of early 2025, as published by Alpaca (see `AlpacaFees`).
    The SEC's was 27.80 dollars per million from 2024-05-22 and is 0 since 2025-05-14.

    Attributes:
        sec_per_million: The SEC's fee (section 31) per million dollars, of sales.
        taf_per_share: FINRA's trading activity fee per share, of sales.
        taf_maximum: The most of the trading activity fee per order.
        cat_per_share: The fee of the consolidated audit trail per share, of purchases and sales.
    """

    sec_per_million: float = 27.80
    taf_per_share: float = 0.000166
    taf_maximum: float = 8.30
    cat_per_share: float = 0.000053

    def __post_init__(self) -> None:
        _require_amounts(self, "sec_per_million", "taf_per_share", "taf_maximum", "cat_per_share")

    def regulatory_fee(self, quantity: float, value: float) -> float:
        """Return the fees of a fill.

        Args:
            quantity: Units, negative when sold.
            value: Their value, positive.
        """
        units = abs(quantity)
        # Parts of a share count as a whole one for the audit trail.
        trail = ceil(units) * self.cat_per_share
        if quantity > 0:
            return trail
        return trail + value * self.sec_per_million / 1e6 + min(units * self.taf_per_share, self.taf_maximum)


@dataclass(frozen=True, slots=True)
class AlpacaFees(RegulatoryFees):
    """Alpaca's costs of US shares, which are no commission but the regulators' fees.

    Source: https://alpaca.markets/support/regulatory-fees and https://docs.alpaca.markets/docs/regulatory-fees, as of
    the first months of 2025. Alpaca adds the fees of a day up and rounds the sum up to a cent; here they are not
    rounded, which is less than a cent a day of each kind.
    """

    def fee(
        self, quantity: float, price: float, instrument: Instrument, *, maker: bool = False, month_volume: float = 0.0
    ) -> float:
        """Return the regulators' fees."""
        del maker, month_volume
        return self.regulatory_fee(quantity, abs(quantity * price) * instrument.multiplier)


@dataclass(frozen=True, slots=True)
class IbkrFixedFees:
    """Interactive Brokers' fixed pricing of US shares, without the regulators' fees.

    0.005 dollars a share, at least 1 dollar and at most 1 % of the value per order; where the maximum is below the
    minimum, the maximum holds. Source: https://www.interactivebrokers.com/en/pricing/commissions-stocks.php, as of
    early 2025, where 1,000 shares at 25 dollars cost 5.00 and 1,000 at 0.25 cost 2.50.

    Attributes:
        per_share: Dollars per share.
        minimum: The least per order.
        maximum_percent: The most per order, as a percentage of its value.
        regulatory: Whether the regulators' fees are added, by the rates of `RegulatoryFees`.
    """

    per_share: float = 0.005
    minimum: float = 1.0
    maximum_percent: float = 1.0
    regulatory: bool = False

    def __post_init__(self) -> None:
        _require_amounts(self, "per_share", "minimum", "maximum_percent")

    def fee(
        self, quantity: float, price: float, instrument: Instrument, *, maker: bool = False, month_volume: float = 0.0
    ) -> float:
        """Return the commission."""
        del maker, month_volume
        units = abs(quantity)
        value = units * abs(price) * instrument.multiplier
        commission = _bounded(units * self.per_share, value, self.minimum, self.maximum_percent)
        return commission + (_REGULATORY.regulatory_fee(quantity, value) if self.regulatory else 0.0)


_TIERS = ((300_000, 0.0035), (3_000_000, 0.0020), (20_000_000, 0.0015), (100_000_000, 0.0010), (float("inf"), 0.0005))
"""Monthly volumes in shares up to which a commission per share holds, in ascending order."""


@dataclass(frozen=True, slots=True)
class IbkrTieredFees:
    """Interactive Brokers' tiered pricing of US shares, a commission by monthly volume plus costs.

    0.0035 dollars a share up to 300,000 shares a month, 0.0020 up to 3 million, 0.0015 up to 20 million, 0.0010 up to
    100 million, 0.0005 beyond, each of the shares in its tier; at least 0.35 dollars and at most 1 % of the value per
    order. Clearing costs 0.0002 a share (at most 0.5 % of the value), NYSE and FINRA 0.000175 and 0.00056 of the
    commission, the regulators' fees are those of `RegulatoryFees`. Exchanges' fees differ; those here are Nasdaq's in
    IBKR's own examples. Source: https://www.interactivebrokers.com/en/pricing/commissions-stocks.php and its comparison
    of fixed and tiered pricing, as of early 2025.

    Attributes:
        minimum: The least commission per order.
        maximum_percent: The most, as a percentage of the value.
        remove_per_share: The exchange's fee per share of an order that takes liquidity.
        add_per_share: The exchange's fee per share of an order that adds liquidity; negative for a rebate.
        clearing_per_share: The clearing house's fee per share.
        regulatory: Whether the regulators' fees are added.
    """

    minimum: float = 0.35
    maximum_percent: float = 1.0
    remove_per_share: float = 0.0030
    add_per_share: float = -0.0021
    clearing_per_share: float = 0.0002
    regulatory: bool = True

    def __post_init__(self) -> None:
        _require_amounts(self, "minimum", "maximum_percent", "remove_per_share", "clearing_per_share")

    def fee(
        self, quantity: float, price: float, instrument: Instrument, *, maker: bool = False, month_volume: float = 0.0
    ) -> float:
        """Return commission and costs."""
        units = abs(quantity)
        value = units * abs(price) * instrument.multiplier
        commission = _bounded(_tiered_commission(units, month_volume), value, self.minimum, self.maximum_percent)
        exchange = units * (self.add_per_share if maker else self.remove_per_share)
        clearing = min(units * self.clearing_per_share, value * _MOST_OF_CLEARING)
        passed_on = commission * (_NYSE_PASS_THROUGH + _FINRA_PASS_THROUGH)
        regulators = _REGULATORY.regulatory_fee(quantity, value) if self.regulatory else 0.0
        return commission + exchange + clearing + passed_on + regulators


_MOST_OF_CLEARING = 0.005
_NYSE_PASS_THROUGH = 0.000175
_FINRA_PASS_THROUGH = 0.00056
_REGULATORY = RegulatoryFees()


def _tiered_commission(units: float, before: float) -> float:
    """Add up the commission of units, each in the tier that the month's volume has reached."""
    total, reached, left = 0.0, before, units
    for most, rate in _TIERS:
        within = min(left, max(most - reached, 0.0))
        total += within * rate
        reached += within
        left -= within
    return total


for _name, _model in (
    ("none", NoFees),
    ("per_share", PerShareFees),
    ("percent", PercentFees),
    ("ibkr_fixed", IbkrFixedFees),
    ("ibkr_tiered", IbkrTieredFees),
    ("alpaca", AlpacaFees),
    ("maker_taker", MakerTakerFees),
):
    FEE_MODELS.add(_name, _model)

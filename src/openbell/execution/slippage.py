"""Slippage models, by name.

They move the price of orders that take what the market offers: market orders, stops once they are triggered, orders on
the open and on the close. A limit order fills at its limit or better, and never slips.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from openbell.errors import ConfigError
from openbell.registry import Registry

if TYPE_CHECKING:
    from openbell.model.instrument import Instrument

__all__ = [
    "SLIPPAGE_MODELS",
    "BarPrices",
    "BpsSlippage",
    "NoSlippage",
    "SlippageModel",
    "SpreadSlippage",
    "VolumeShareSlippage",
]

_MOST_BPS = 10_000


class BarPrices(Protocol):
    """The bar in which an order fills."""

    @property
    def open(self) -> float:
        """Its first price."""
        ...

    @property
    def high(self) -> float:
        """Its highest price."""
        ...

    @property
    def low(self) -> float:
        """Its lowest price."""
        ...

    @property
    def close(self) -> float:
        """Its last price."""
        ...

    @property
    def volume(self) -> float:
        """Units traded in it."""
        ...


class SlippageModel(Protocol):
    """Slippage of fills."""

    def price(self, quantity: float, price: float, bar: BarPrices, instrument: Instrument) -> float:
        """Return the price at which a fill happens, at or to the worse side of a price without slippage.

        Args:
            quantity: Units, negative when sold.
            price: The price without slippage.
            bar: The bar in which it fills.
            instrument: The terms of trading.
        """
        ...


SLIPPAGE_MODELS: Registry[type[SlippageModel]] = Registry("slippage model")
"""All slippage models; users add their own with ``SLIPPAGE_MODELS.add("name", TheModel)``."""


def _worse(quantity: float, price: float, by: float) -> float:
    """Move a price against the order by an amount, a positive price not below zero."""
    if quantity > 0:
        return price + by
    return max(price - by, 0.0) if price > 0 else price - by


@dataclass(frozen=True, slots=True)
class NoSlippage:
    """Fills at the price of the bar."""

    def price(self, quantity: float, price: float, bar: BarPrices, instrument: Instrument) -> float:
        """Return the price."""
        del quantity, bar, instrument
        return price


@dataclass(frozen=True, slots=True)
class BpsSlippage:
    """Slippage by hundredths of a percent of the price.

    Attributes:
        bps: Hundredths of a percent.
    """

    bps: float

    def __post_init__(self) -> None:
        if not 0 <= self.bps < _MOST_BPS:
            raise ConfigError(f"bps must be from 0 to below {_MOST_BPS:,}, not {self.bps:g}")

    def price(self, quantity: float, price: float, bar: BarPrices, instrument: Instrument) -> float:
        """Return the price, worse by ``bps`` hundredths of a percent."""
        del bar, instrument
        return _worse(quantity, price, abs(price) * self.bps / 10_000)


@dataclass(frozen=True, slots=True)
class SpreadSlippage:
    """Slippage by half of a fixed spread, because prices of trades lie between bid and ask.

    Attributes:
        spread: The difference of ask and bid, in the price's units.
    """

    spread: float

    def __post_init__(self) -> None:
        if self.spread < 0:
            raise ConfigError(f"spread must be zero or more, not {self.spread:g}")

    def price(self, quantity: float, price: float, bar: BarPrices, instrument: Instrument) -> float:
        """Return the price, worse by half of the spread."""
        del bar, instrument
        return _worse(quantity, price, self.spread / 2)


@dataclass(frozen=True, slots=True)
class VolumeShareSlippage:
    """Slippage by the square of the share of the bar's volume that the order takes.

    The share times itself times ``price_impact`` is the part of the price that is lost: an order for 2.5 % of a bar's
    volume loses 0.00625 % by default. This is zipline's VolumeShareSlippage, with its default numbers
    (zipline/finance/slippage.py), which Lean's VolumeShareSlippageModel has as well. Of a bar without volume, the
    largest share is assumed.

    Attributes:
        price_impact: The part of the price that an order for all of a bar's volume would lose.
        volume_limit: The largest share that counts.
    """

    price_impact: float = 0.1
    volume_limit: float = 0.025

    def __post_init__(self) -> None:
        if self.price_impact < 0:
            raise ConfigError(f"price_impact must be zero or more, not {self.price_impact:g}")
        if not 0 < self.volume_limit <= 1:
            raise ConfigError(f"volume_limit must be above 0 and at most 1, not {self.volume_limit:g}")

    def price(self, quantity: float, price: float, bar: BarPrices, instrument: Instrument) -> float:
        """Return the price with the order's impact."""
        del instrument
        units = abs(quantity)
        share = self.volume_limit if units >= bar.volume * self.volume_limit else units / bar.volume
        return _worse(quantity, price, abs(price) * share * share * self.price_impact)


for _name, _model in (
    ("none", NoSlippage),
    ("bps", BpsSlippage),
    ("spread", SpreadSlippage),
    ("volume_share", VolumeShareSlippage),
):
    SLIPPAGE_MODELS.add(_name, _model)

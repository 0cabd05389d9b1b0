"""Fees and slippage of a run's fills."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openbell.execution.fees import fee_of_part
from openbell.execution.simulated.configured_costs import make_fees, make_slippage
from openbell.execution.slippage import NoSlippage

if TYPE_CHECKING:
    from datetime import date

    from openbell.config.execution import ExecutionConfig
    from openbell.execution.simulated.resting_orders import RestingOrder
    from openbell.execution.simulated.symbol_market import SymbolMarket
    from openbell.model.instrument import Instrument

__all__ = ["FillCosts"]


class _Prices(NamedTuple):
    open: float
    high: float
    low: float
    close: float
    volume: float


class FillCosts:
    """Costs of fills by the models of a config.

    Args:
        config: Names the models and their parameters.

    Attributes:
        slips: Whether prices slip at all.
        month_volume: Units that were traded in the calendar month, by which tiers go.

    Raises:
        ConfigError: There is no such model or parameter.
    """

    def __init__(self, config: ExecutionConfig) -> None:
        self._fees = make_fees(config.fees)
        self._slippage = make_slippage(config.slippage)
        self.slips = not isinstance(self._slippage, NoSlippage)
        self._month = (0, 0)
        self.month_volume = 0.0

    def slipped(
        self, quantity: float, price: float, market: SymbolMarket, row: int, instrument: Instrument
    ) -> tuple[float, float]:
        """Return the price of units after slippage in a bar, and the money lost to it."""
        bar = _Prices(*(column.item(row) for column in market.columns[:5]))
        slipped = self._slippage.price(quantity, price, bar, instrument)
        return slipped, max(0.0, (slipped - price) * quantity * instrument.multiplier)

    def begin_session(self, day: date) -> None:
        """Begin a session, perhaps the first one of its month."""
        if self._month != (month := (day.year, day.month)):
            self._month, self.month_volume = month, 0.0

    def fee(
        self, resting: RestingOrder, quantity: float, price: float, instrument: Instrument, *, maker: bool
    ) -> float:
        """Return the fee of one fill of an order."""
        if not resting.traded:
            return self._fees.fee(quantity, price, instrument, maker=maker, month_volume=self.month_volume)
        return fee_of_part(
            self._fees,
            quantity,
            price,
            instrument,
            filled=resting.traded,
            filled_price=resting.traded_price,
            charged=resting.fees,
            maker=maker,
            month_volume=resting.month_volume,
        )

    def estimate(self, quantity: float, price: float, instrument: Instrument) -> float:
        """Return the fee of an order that would fill at a price, all at once."""
        return self._fees.fee(quantity, price, instrument, month_volume=self.month_volume)

    def count(self, quantity: float) -> None:
        """Count filled units towards the volume of the month."""
        self.month_volume += abs(quantity)

"""Rules by which orders fill at the simulated broker, and its access to markets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from openbell.config.execution import FillsConfig
    from openbell.execution.simulated.symbol_market import SymbolMarket
    from openbell.model.instrument import Instrument
    from openbell.timing.clock import SimulatedClock

__all__ = ["FillContext", "FillRules"]


@dataclass(frozen=True, slots=True)
class FillRules:
    """Rules of the config by which orders fill.

    Attributes:
        this_close: Whether market orders fill at the close that was just seen.
        both_touched: Which price is taken when one bar touches two.
        max_volume_share: The share of a bar's volume that an order may take; None without a bound.
    """

    this_close: bool = False
    both_touched: Literal["worse", "better"] = "worse"
    max_volume_share: float | None = None

    @staticmethod
    def of(fills: FillsConfig) -> FillRules:
        """Return the rules of a config."""
        return FillRules(fills.market == "this_close", fills.both_touched, fills.max_volume_share)


@dataclass(frozen=True, slots=True)
class FillContext:
    """Market, terms and clock of a simulated broker.

    Attributes:
        market_of: Returns the market of a symbol today, or None.
        finer_of: Returns the market of a symbol within one of its bars, by the next finer bars; or None.
        last_price: Returns the last price of a symbol that is known now, or None.
        instrument_of: Returns the terms of a symbol.
        clock: The session clock.
        zone: The time zone.
    """

    market_of: Callable[[str], SymbolMarket | None]
    finer_of: Callable[[SymbolMarket, int], SymbolMarket | None]
    last_price: Callable[[str], float | None]
    instrument_of: Callable[[str], Instrument]
    clock: SimulatedClock
    zone: tzinfo

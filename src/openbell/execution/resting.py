"""Orders that rest at the simulated broker, and what they fill by."""

from __future__ import annotations

from dataclasses import dataclass
from math import copysign
from typing import TYPE_CHECKING, Literal

from openbell.execution.fill_prices import UNTOUCHED, RestingState

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from openbell.config.execution import FillsConfig
    from openbell.execution.matching import Match
    from openbell.execution.symbol_market import SymbolMarket
    from openbell.model.instrument import Instrument
    from openbell.model.order import Order
    from openbell.timing.clock import SimulatedClock

__all__ = ["Exchange", "FillRules", "Resting"]


@dataclass(frozen=True, slots=True)
class FillRules:
    """Rules of the config by which orders fill.

    Attributes:
        this_close: Whether market orders fill at the close that was just seen.
        both_touched: Which of two prices is taken that one bar has touched.
        max_volume_share: The share of a bar's volume that an order may take; None without a bound.
    """

    this_close: bool = False
    both_touched: Literal["worse", "better"] = "worse"
    max_volume_share: float | None = None

    @staticmethod
    def of(fills: FillsConfig) -> FillRules:
        """Return those of a config."""
        return FillRules(fills.market == "this_close", fills.both_touched, fills.max_volume_share)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Market, terms and clock of a simulated broker.

    Attributes:
        market_of: Returns the market of a symbol today, or None.
        finer_of: Returns the market of a symbol within one of its bars, by the next finer bars; or None.
        instrument_of: Returns the terms of a symbol.
        clock: The session clock.
        zone: The time zone.
    """

    market_of: Callable[[str], SymbolMarket | None]
    finer_of: Callable[[SymbolMarket, int], SymbolMarket | None]
    instrument_of: Callable[[str], Instrument]
    clock: SimulatedClock
    zone: tzinfo


@dataclass(slots=True)
class Resting:
    """An order at the broker.

    Attributes:
        order: The order as it is now.
        from_ns: It fills in bars that begin then or later.
        version: Goes up with every new match, so that events of older ones in the heap are passed over.
        next_session: Whether it was placed too late for the session, and is the next one's.
        planned: Its quantity when its entry has filled as a whole.
        position: The quantity that ends the position that its entry leads to.
        left: Units that its legs have filled, also those that are gone.
        waits: Whether it waits for another order to fill.
        match: Its next fill, or None.
        state: What it had seen of the bars when it was looked at last.
        state_after: What it will have seen at the end of the session, unless it fills.
        fees: What its fills have cost so far.
        fills: How many fills it has had.
        place: Its place among all orders, by which those that fill at one time come in turn.
        seen_ns: Of a market that grows, where the bars begin that it has not been looked at in.
        turn: Its place among those that fill in one bar, by when it was looked at by itself in the session; those of
            earlier sessions are before them, in the order in which they came.
        found_too_little: Whether it was reached in a bar of which the volume had no unit for it.
        is_plain: Whether it is a limit order like many others, of which most sessions touch none.
    """

    order: Order
    from_ns: int
    planned: float
    position: float
    version: int = 0
    left: float = 0.0
    next_session: bool = False
    waits: bool = False
    match: Match | None = None
    state: RestingState = UNTOUCHED
    state_after: RestingState = UNTOUCHED
    fees: float = 0.0
    fills: int = 0
    place: int = 0
    seen_ns: int = 0
    turn: int = 0
    found_too_little: bool = False
    is_plain: bool = False

    def follow_entry(self, more: float) -> None:
        """Be for the position that an entry leads to which is larger by some units."""
        is_whole, self.position = self.planned == self.position, self.position - more
        self.planned = self.position if is_whole else copysign(min(abs(self.planned), abs(self.position)), self.planned)

    def scale(self, ratio: float) -> None:
        """Multiply units, as a split does."""
        self.planned *= ratio
        self.left *= ratio
        self.position *= ratio

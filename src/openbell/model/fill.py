"""Fills of orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbell.model.events import local_time
from openbell.model.frozen import quick_row_maker

if TYPE_CHECKING:
    from datetime import date, datetime, tzinfo

    from openbell.model.order import Order

__all__ = ["Fill", "fill_of_fields"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Fill:
    """One execution of an order, or of part of it.

    Attributes:
        id: Unique in the run.
        order: The order as it stands after this fill.
        symbol: The symbol.
        quantity: Units, positive when bought and negative when sold.
        price: The price of a unit.
        fee: Its fee, in the account's currency.
        slippage: Money lost to slippage, already in ``price``; zero or more.
        time_ns: When it happened, nanoseconds since 1970 UTC: the start of the bar for a fill at its open, the end of
            the bar for a fill within it or at its close.
        zone: The time zone of the exchange.
        session_date: The session.
        ambiguous: Whether a bar touched two orders of which only one could fill, in an unknown sequence;
            ``execution.fills.both_touched`` decides which one fills.
    """

    id: str
    order: Order
    symbol: str
    quantity: float
    price: float
    fee: float = 0.0
    slippage: float = 0.0
    time_ns: int
    zone: tzinfo
    session_date: date
    ambiguous: bool = False

    def __repr__(self) -> str:
        side, units = "bought" if self.quantity > 0 else "sold", f"{abs(self.quantity):,.10g}"
        return f"<Fill {self.id}: {side} {units} {self.symbol} at {self.price:.10g}, fee {self.fee:,.2f}, {self.time}>"

    @property
    def time(self) -> datetime:
        """Time at which it happened, in exchange time."""
        return local_time(self.time_ns, self.zone)


fill_of_fields = quick_row_maker(Fill)
"""Return a fill made of all its fields, in their order; fast, because a run makes very many."""

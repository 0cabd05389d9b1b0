"""Cash flows of an account other than those of fills."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from openbell.model.events import local_time

if TYPE_CHECKING:
    from datetime import date, datetime, tzinfo

__all__ = ["CashFlow", "CashFlowKind"]


class CashFlowKind(StrEnum):
    """Reasons of cash flows."""

    DIVIDEND = "dividend"
    FRACTION = "fraction"
    BORROW = "borrow"
    FEE = "fee"
    INTEREST = "interest"
    TRANSFER = "transfer"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CashFlow:
    """Money that the account received or paid other than by a fill.

    Attributes:
        kind: The reason: a dividend, cash in place of a fraction of a unit after a split, or the cost of borrowing; at
            a broker over the network also fees, interest, deposits and withdrawals (transfer), and other reasons.
        symbol: The symbol; empty when the money was for none.
        quantity: The position that the money was for, negative when short.
        amount: The money, negative when the account paid it.
        time_ns: When, nanoseconds since 1970 UTC.
        zone: The time zone of the exchange.
        session_date: The session.
    """

    kind: CashFlowKind
    symbol: str
    quantity: float
    amount: float
    time_ns: int
    zone: tzinfo
    session_date: date

    def __repr__(self) -> str:
        return f"<CashFlow: {self.kind} of {self.symbol}, {self.amount:,.2f}, {self.time}>"

    @property
    def time(self) -> datetime:
        """Time at which it happened, in exchange time."""
        return local_time(self.time_ns, self.zone)

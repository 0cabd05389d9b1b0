"""Open lots of one symbol, and the slices of them that fills close."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.model.frozen import quick_tuple_maker
from openbell.model.order import DUST, OrderType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from openbell.model.fill import Fill
    from openbell.model.order import Order

__all__ = [
    "AT_ONE_TIME",
    "NO_BARS",
    "ClosedSlice",
    "Lot",
    "LotMatching",
    "OpenLots",
    "PriceColumns",
    "is_inside",
]

AT_ONE_TIME = frozenset({OrderType.MARKET, OrderType.MARKET_ON_OPEN, OrderType.MARKET_ON_CLOSE})
"""Kinds of orders that fill at the start or end of a bar, and never within it."""


class LotMatching(StrEnum):
    """Ways to choose the lots that a fill closes, the oldest first or all at their average price."""

    FIFO = "fifo"
    AVERAGE = "average"


@dataclass(frozen=True, slots=True)
class PriceColumns:
    """A session's bars of one symbol as columns of one length, in ascending order.

    Attributes:
        start_ns: Start of each bar, int64 nanoseconds since 1970 UTC.
        end_ns: End of each bar, int64 nanoseconds since 1970 UTC.
        high: Highest prices, float64.
        low: Lowest prices, float64.
    """

    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]


class CutBars:
    """A session's bars of one symbol, cut at all rows at which lots may be opened and closed.

    The highest and the lowest prices of all stretches are found at once.

    Args:
        columns: The bars.
        fills: The fills of the session, in order.

    Attributes:
        rows: Number of bars.
        begun: For each fill, the first bar that begins when it happened or later.
        ended: For each fill, the number of bars that have ended by then.
    """

    def __init__(self, columns: PriceColumns, fills: Sequence[Fill] = ()) -> None:
        times = np.array([fill.time_ns for fill in fills], dtype=np.int64)
        self.rows = len(columns.end_ns)
        self.begun: list[int] = columns.start_ns.searchsorted(times).tolist()
        self.ended: list[int] = columns.end_ns.searchsorted(times, side="right").tolist()
        last_inside = (row - 1 for row in self.ended if row)
        cuts = sorted({0, *self.begun, *self.ended, *last_inside} - {self.rows}) if self.rows else []
        self._place = {row: place for place, row in enumerate([*cuts, self.rows])}
        self._highs: list[float] = np.maximum.reduceat(columns.high, cuts).tolist() if cuts else []
        self._lows: list[float] = np.minimum.reduceat(columns.low, cuts).tolist() if cuts else []

    def see(self, lot: Lot, end_row: int) -> None:
        """Update the highest and lowest price of a lot by the rows before a cut."""
        next_row, place = lot.next_row, self._place
        if end_row > next_row:
            stretch = slice(place[next_row], place[end_row])
            lot.high = max(lot.high, *self._highs[stretch])
            lot.low = min(lot.low, *self._lows[stretch])
            lot.next_row = end_row


NO_BARS = PriceColumns(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0))
"""The columns of a symbol that did not trade."""


@dataclass(slots=True)
class Lot:
    """Units of one symbol that were entered together.

    Attributes:
        order: The order that entered them.
        quantity: Units left, negative when short.
        price: The price of a unit.
        fee: The entry's fee for the units left.
        time_ns: When they were entered, nanoseconds since 1970 UTC.
        high: The highest price since then.
        low: The lowest.
        bars: Bars since then in earlier sessions.
        first_row: The row of today's columns from which bars count.
        next_row: The first row that ``high`` and ``low`` do not include yet.
    """

    order: Order
    quantity: float
    price: float
    fee: float
    time_ns: int
    high: float
    low: float
    bars: int = 0
    first_row: int = 0
    next_row: int = 0


class ClosedSlice(NamedTuple):
    """Units of a lot that were closed.

    Attributes:
        lot: The lot before the exit.
        quantity: Units that were closed, signed as the lot.
        price: The price of a unit at the exit.
        fee: Fees of entry and exit.
        time_ns: When they were closed.
        order: The order that closed them; None where a split left fractions.
        bars: Bars between entry and exit.
    """

    lot: Lot
    quantity: float
    price: float
    fee: float
    time_ns: int
    order: Order | None
    bars: int


_slice = quick_tuple_maker(ClosedSlice)


class OpenLots:
    """The open lots of one symbol, all on one side.

    Args:
        matching: Which of them a fill closes.

    Attributes:
        lots: The oldest first.
        quantity: Units of all lots.
    """

    def __init__(self, matching: LotMatching) -> None:
        self.lots: deque[Lot] = deque()
        self.quantity = 0.0
        self._matching = matching

    def copy(self) -> OpenLots:
        """Return a copy of the lots."""
        lots = OpenLots(self._matching)
        lots.lots = deque(replace(lot) for lot in self.lots)
        lots.quantity = self.quantity
        return lots

    def end_session(self, fills: Sequence[Fill], columns: PriceColumns) -> list[ClosedSlice]:
        """Apply the fills of a session in order, then its remaining prices, and return the closed slices."""
        cut_bars, closed, lots = CutBars(columns, fills), list[ClosedSlice](), self.lots
        for fill, begun, ended in zip(fills, cut_bars.begun, cut_bars.ended, strict=True):
            order, left, price = fill.order, fill.quantity, fill.price
            if lots and lots[0].quantity * left < 0:
                size = abs(left)
                units = min(size, abs(self.quantity))
                rows = ended, ended - is_inside(fill, ended, columns)
                now = self._close(units, price, fill.fee * units / size, fill.time_ns, order, cut_bars, rows)
                left += now[0].quantity if len(now) == 1 else sum([slice_.quantity for slice_ in now])
                closed += now
            if abs(left) >= DUST:
                if lots and self._matching is LotMatching.AVERAGE:
                    cut_bars.see(lots[0], begun)
                fee = fill.fee * abs(left / fill.quantity)
                self._add(Lot(order, left, price, fee, fill.time_ns, price, price, 0, begun, begun))
        for lot in self.lots:
            cut_bars.see(lot, cut_bars.rows)
            lot.bars += cut_bars.rows - lot.first_row
            lot.first_row = lot.next_row = 0
        self._add_up()
        return closed

    def split(self, ratio: float, quantity: float, price: float, time_ns: int) -> Iterable[ClosedSlice]:
        """Turn every unit into ``ratio`` units, and close those beyond ``quantity`` at a price.

        Prices of entry, and the highest and lowest since, are divided by the ratio.
        """
        for lot in self.lots:
            lot.quantity *= ratio
            lot.price, lot.high, lot.low = lot.price / ratio, lot.high / ratio, lot.low / ratio
        self._add_up()
        fraction = abs(self.quantity) - abs(quantity)
        if fraction < DUST:
            return ()
        return self._close(fraction, price, 0.0, time_ns, None, CutBars(NO_BARS), (0, 0))

    def join(self, other: OpenLots, time_ns: int) -> Iterable[ClosedSlice]:
        """Add the lots of another symbol that now has this one's name, and return the slices that they close."""
        closed = list[ClosedSlice]()
        for lot in other.lots:
            if self.quantity * lot.quantity < 0:
                units, held = min(abs(lot.quantity), abs(self.quantity)), abs(lot.quantity)
                fee = lot.fee * units / held
                closed += self._close(units, lot.price, fee, time_ns, lot.order, CutBars(NO_BARS), (0, 0))
                lot.quantity, lot.fee = float(np.copysign(held - units, lot.quantity)), lot.fee - fee
            if abs(lot.quantity) >= DUST:
                self._add(lot)
        return closed

    def _add(self, lot: Lot) -> None:
        """Add a lot on the side of the others, merged with them if all count at their average price."""
        self.quantity += lot.quantity
        if self._matching is not LotMatching.AVERAGE or not self.lots:
            self.lots.append(lot)
            return
        first = self.lots[0]
        both = first.quantity + lot.quantity
        first.price += (lot.price - first.price) * lot.quantity / both
        first.quantity, first.fee = both, first.fee + lot.fee
        first.high, first.low = max(first.high, lot.high), min(first.low, lot.low)

    def _add_up(self) -> None:
        self.quantity = math.fsum(lot.quantity for lot in self.lots)

    def _close(
        self,
        units: float,
        price: float,
        fee: float,
        time_ns: int,
        order: Order | None,
        cut_bars: CutBars,
        rows: tuple[int, int],
    ) -> list[ClosedSlice]:
        closed, lots, left, (whole_row, seen_row) = list[ClosedSlice](), self.lots, units, rows
        while lots and left >= DUST:
            lot = lots[0]
            cut_bars.see(lot, seen_row)
            quantity = lot.quantity
            held, bars = abs(quantity), lot.bars + max(whole_row - lot.first_row, 0)
            if left > held - DUST:
                cost = lot.fee + fee * held / units
                closed.append(_slice((lot, quantity, price, cost, time_ns, order, bars)))
                left -= held
                self.quantity -= quantity
                lots.popleft()
                continue
            entry_fee, quantity = lot.fee * left / held, math.copysign(left, lot.quantity)
            cost = entry_fee + fee * left / units
            closed.append(ClosedSlice(replace(lot), quantity, price, cost, time_ns, order, bars))
            self.quantity -= quantity
            lot.quantity -= quantity
            lot.fee -= entry_fee
            break
        return closed


def is_inside(fill: Fill, ended: int, columns: PriceColumns) -> bool:
    """Return whether a resting order filled within the last bar that has ended by then.

    It is not known which prices of that bar came before the fill.
    """
    if fill.order.type in AT_ONE_TIME or not ended:
        return False
    return bool(columns.end_ns.item(ended - 1) == fill.time_ns)

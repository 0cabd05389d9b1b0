"""Trades of symbols that hold one lot at a time, found in columns of a session's fills.

Most positions are opened by one fill, and closed or reversed by the next.
"""

from __future__ import annotations

from datetime import UTC
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from openbell.model.order import DUST
from openbell.model.trade import trades_of_columns
from openbell.results.trades.lots import AT_ONE_TIME, Lot, is_inside
from openbell.results.trades.trade_facts import cached_local_time, reason_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openbell.model.fill import Fill
    from openbell.model.order import Order
    from openbell.model.trade import Trade
    from openbell.results.trades.lots import OpenLots, PriceColumns

__all__ = ["SymbolFills", "holds_one_lot", "one_lot_trades"]

_BEFORE_NS = -(2**62)

Floats: TypeAlias = "NDArray[np.float64]"

_Numbers: TypeAlias = tuple[float, float, float, float, float, int]
"""Units, price, fee, highest and lowest price so far, and bars so far of a lot or a fill."""

_NO_LOT: _Numbers = (1.0, 0.0, 0.0, 0.0, 0.0, 0)


class SymbolFills(NamedTuple):
    """Fills of one symbol in a session, with its open lots.

    Attributes:
        symbol: The symbol.
        lots: Its open lots.
        fills: The fills in order.
        bars: The session's bars.
        multiplier: The money that one point of its price is worth, per unit.
    """

    symbol: str
    lots: OpenLots
    fills: Sequence[Fill]
    bars: PriceColumns
    multiplier: float


def holds_one_lot(lots: OpenLots, fills: Sequence[Fill]) -> bool:
    """Return whether each fill is of another order, and opens from flat or closes all that is held."""
    held = lots.quantity
    if len(lots.lots) > 1 or sum(lot.quantity for lot in lots.lots) != held:
        return False
    for fill in fills:
        quantity = fill.quantity
        if held * quantity > 0 or abs(quantity) < abs(held):
            return False
        held += quantity
        if 0 < abs(held) < DUST:
            return False
    return len({fill.order.id for fill in fills}) == len(fills)


def one_lot_trades(symbols: Sequence[SymbolFills]) -> dict[str, list[Trade]]:
    """Apply a session's fills of symbols for which `holds_one_lot` is true, and return the trades of each.

    All numbers are those of `OpenLots.end_session`, to the bit.
    """
    rows = _Rows(symbols)
    trades, counts = rows.trades(), rows.closed_by_symbol()
    rows.put_back()
    found, first = dict[str, "list[Trade]"](), 0
    for own, count in zip(symbols, counts, strict=True):
        found[own.symbol] = trades[first : first + count]
        first += count
    return found


class _Rows:
    """Rows of all symbols, each with its position before the session and then its fills.

    The position after a row is closed by the next row of its symbol, if there is one.

    Args:
        symbols: The symbols with their fills.
    """

    def __init__(self, symbols: Sequence[SymbolFills]) -> None:
        self._symbols = symbols
        self._orders: list[Order | None] = []
        self._times: list[int] = []
        self._lengths: list[int] = []
        held: list[float] = []
        numbers: list[_Numbers] = []
        places: list[NDArray[np.intp]] = []
        ends: list[int] = []  # per symbol the row after its last bar, among the bars of all
        bars_before = 0
        for own in symbols:
            fills, lot = own.fills, own.lots.lots[0] if own.lots.lots else None
            self._lengths.append(1 + len(fills))
            self._orders += [None if lot is None else lot.order, *[fill.order for fill in fills]]
            self._times += [0 if lot is None else lot.time_ns, *[fill.time_ns for fill in fills]]
            held += accumulate([fill.quantity for fill in fills], initial=own.lots.quantity)
            numbers.append((lot.quantity, lot.price, lot.fee, lot.high, lot.low, lot.bars) if lot else _NO_LOT)
            numbers += [(fill.quantity, fill.price, fill.fee, fill.price, fill.price, 0) for fill in fills]
            places.append(_places(own) + bars_before)
            bars_before += len(own.bars.end_ns)
            ends.append(bars_before)
        self._held = np.array(held, dtype=np.float64)
        columns = np.array(numbers, dtype=np.float64).T
        self._traded, self._price, self._fee, self._high, self._low, self._bars = columns
        self._left_fee = self._fee * np.abs(self._held / self._traded)
        self._begun, self._ended, self._seen = np.concatenate(places, axis=1)
        self._lasts = np.cumsum(self._lengths) - 1
        closed = self._held != 0
        closed[self._lasts] = False
        self._entries = closed.nonzero()[0]
        self._ends = np.array(ends)
        self._update_extremes()

    def _update_extremes(self) -> None:
        """Update the highest and lowest price of each lot, up to its exit or the session's end."""
        stops = np.append(self._seen[1:], 0)
        stops[self._lasts] = self._ends
        lots = ((self._held != 0) & (stops > self._begun)).nonzero()[0]
        if not len(lots):
            return
        cuts = np.column_stack((self._begun[lots], stops[lots])).ravel()
        # One price more than there are bars, for a cut after the last one.
        highs = np.concatenate([*(own.bars.high for own in self._symbols), [0.0]])
        lows = np.concatenate([*(own.bars.low for own in self._symbols), [0.0]])
        self._high[lots] = _largest(self._high[lots], np.maximum.reduceat(highs, cuts)[::2])
        self._low[lots] = _smallest(self._low[lots], np.minimum.reduceat(lows, cuts)[::2])

    def trades(self) -> list[Trade]:
        """Return the trades of all symbols, one symbol after the other."""
        entries, exits = self._entries, self._entries + 1
        held, price, exit_price = self._held[entries], self._price[entries], self._price[exits]
        worth = held * np.repeat([own.multiplier for own in self._symbols], self._lengths)[entries]
        pnl, value = (exit_price - price) * worth, price * worth
        best, worst = (self._high[entries] - price) * worth, (self._low[entries] - price) * worth
        returned = np.divide(pnl, np.abs(value), out=np.zeros(len(value)), where=value != 0)
        units = np.abs(held)
        fees = self._left_fee[entries] + self._fee[exits] * units / np.abs(self._traded[exits]) * units / units
        bars = self._bars[entries].astype(np.int64) + np.maximum(self._ended[exits] - self._begun[entries], 0)
        numbers = {
            "quantity": held,
            "entry_price": price,
            "exit_price": exit_price,
            "pnl": pnl,
            "return_": returned,
            "bars": bars,
            "mae": _smallest(best, worst, pnl, np.zeros(1)),
            "mfe": _largest(best, worst, pnl, np.zeros(1)),
            "fees": fees,
        }
        columns = {name: column.tolist() for name, column in numbers.items()}
        return trades_of_columns(**columns, **self._texts_and_times(entries.tolist()))

    def _texts_and_times(self, entries: Sequence[int]) -> dict[str, list[Any]]:
        """Return the texts and times of each trade, as columns."""
        symbols = [own.symbol for own, length in zip(self._symbols, self._lengths, strict=True) for _ in range(length)]
        zone = next((fill.zone for own in self._symbols for fill in own.fills), UTC)
        times = [cached_local_time(time_ns, zone) for time_ns in self._times]
        reasons = ["" if order is None else reason_of(order) for order in self._orders]
        orders = [order for row in entries if (order := self._orders[row]) is not None]
        entered, left = [times[row] for row in entries], [times[row + 1] for row in entries]
        return {
            "symbol": [symbols[row] for row in entries],
            "strategy": [order.strategy for order in orders],
            "tag": [order.tag for order in orders],
            "entry_time": entered,
            "exit_time": left,
            "held": [after - before for before, after in zip(entered, left, strict=True)],
            "entry_reason": [reasons[row] for row in entries],
            "exit_reason": [reasons[row + 1] for row in entries],
        }

    def closed_by_symbol(self) -> list[int]:
        """Return the number of each symbol's trades."""
        counts: list[int] = np.diff(self._entries.searchsorted(self._lasts), prepend=0).tolist()
        return counts

    def put_back(self) -> None:
        """Store for each symbol the lot that is left at the end of the session."""
        begun, held = self._begun.tolist(), self._held.tolist()
        for own, last, end in zip(self._symbols, self._lasts.tolist(), self._ends.tolist(), strict=True):
            lots, order = own.lots, self._orders[last]
            lots.lots.clear()
            lots.quantity = held[last]
            if order is None or not held[last]:
                continue
            high, low, bars = (
                self._high.item(last),
                self._low.item(last),
                int(self._bars.item(last)) + end - begun[last],
            )
            price, fee = self._price.item(last), self._left_fee.item(last)
            lots.lots.append(Lot(order, held[last], price, fee, self._times[last], high, low, bars))


def _places(own: SymbolFills) -> NDArray[np.intp]:
    """Return the rows of bars at the position before the session and at each fill.

    Returns:
        Three rows: the first bar that begins then or later, the number of bars that have ended, and the number of those
        whose prices count for the lot before.
    """
    fills, bars = own.fills, own.bars
    times = np.array([_BEFORE_NS, *[fill.time_ns for fill in fills]], dtype=np.int64)
    ended = seen = bars.end_ns.searchsorted(times, side="right")
    if not AT_ONE_TIME.issuperset([fill.order.type for fill in fills]):
        inside = [is_inside(fill, row, bars) for fill, row in zip(fills, ended[1:].tolist(), strict=True)]
        seen = ended - [False, *inside]
    return np.stack((bars.start_ns.searchsorted(times), ended, seen))


def _largest(first: Floats, *others: Floats) -> Floats:
    """Return the largest of some numbers as `max` does, which takes the first of equal ones."""
    for other in others:
        first = np.where(other > first, other, first)
    return first


def _smallest(first: Floats, *others: Floats) -> Floats:
    """Return the smallest of some numbers as `min` does."""
    for other in others:
        first = np.where(other < first, other, first)
    return first

"""Trades that result from fills."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

from openbell.model.trade import Trade, new_trade
from openbell.results.trades.lots import NO_BARS, ClosedSlice, LotMatching, OpenLots, PriceColumns
from openbell.results.trades.single_lots import SymbolFills, holds_one_lot, one_lot_trades
from openbell.results.trades.trade_facts import cached_local_time, reason_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import tzinfo

    from openbell.model.fill import Fill

__all__ = ["TradeBook", "slice_trades"]

_FRACTION = "cash in place of a fraction of a unit after a split"


class TradeBook:
    """Open lots of an account or of one strategy, and the trades that are closed.

    A trade is the units that one order entered and one order closed. An order that fills in parts within a session
    counts once.

    Args:
        matching: Whether an exit closes the oldest entries first, or all of them at their average price.
        multiplier: Returns the money that one point of a symbol's price is worth, per unit.
    """

    def __init__(self, matching: LotMatching, multiplier: Callable[[str], float] = lambda _: 1.0) -> None:
        self._matching = matching
        self._multiplier = multiplier
        self._lots: dict[str, OpenLots] = {}
        self._overnight: list[Trade] = []

    @property
    def quantities(self) -> dict[str, float]:
        """Open units by symbol, negative when short."""
        return {symbol: lots.quantity for symbol, lots in self._lots.items() if lots.lots}

    def copy(self) -> TradeBook:
        """Return a book with the same open lots."""
        book = TradeBook(self._matching, self._multiplier)
        book._lots = {symbol: lots.copy() for symbol, lots in self._lots.items()}
        book._overnight = self._overnight[:]
        return book

    def unrealized(self, last_price: Callable[[str], float]) -> dict[str, float]:
        """Return by symbol the profit before fees if all open units were closed at last prices."""
        return {
            symbol: self._multiplier(symbol) * sum(lot.quantity * (last_price(symbol) - lot.price) for lot in lots.lots)
            for symbol, lots in self._lots.items()
        }

    def split(self, symbol: str, ratio: float, *, quantity: float, price: float, time_ns: int, zone: tzinfo) -> None:
        """Turn every open unit of a symbol into ``ratio`` units, before the session's fills.

        Args:
            symbol: The symbol.
            ratio: New units for an old one.
            quantity: Units that are left, where fractions are paid in cash.
            price: The price after the split, at which fractions are closed.
            time_ns: When, nanoseconds since 1970 UTC.
            zone: The time zone of the exchange.
        """
        if lots := self._lots.get(symbol):
            closed = lots.split(ratio, quantity, price, time_ns)
            self._overnight += slice_trades(symbol, closed, self._multiplier(symbol), zone)

    def rename(self, names: Mapping[str, str], *, time_ns: int, zone: tzinfo) -> None:
        """Move the open units of symbols to their new names, to those that are open there.

        A name that another symbol gives up at the same time is free. Units on opposite sides close each other, at the
        price at which the later ones were entered.

        Args:
            names: The new names by symbol.
            time_ns: When, nanoseconds since 1970 UTC.
            zone: The time zone of the exchange.
        """
        renamed = [(new, self._lots.pop(symbol)) for symbol, new in names.items() if symbol in self._lots]
        for symbol, lots in renamed:
            if there := self._lots.get(symbol):
                closed = there.join(lots, time_ns)
                self._overnight += slice_trades(symbol, closed, self._multiplier(symbol), zone)
            else:
                self._lots[symbol] = lots

    def end_session(self, fills: Iterable[Fill], columns: Mapping[str, PriceColumns]) -> list[Trade]:
        """Apply the fills of a session in order, and return the trades that it closed.

        Args:
            fills: All fills of the session.
            columns: Its bars by symbol, on the finest interval that trading uses. A symbol without any did not trade.
        """
        trades, self._overnight = self._overnight, []
        of_symbol: dict[str, list[Fill]] = {symbol: [] for symbol in self._lots}
        for fill in fills:
            of_symbol.setdefault(fill.symbol, []).append(fill)
        single, closed = list[SymbolFills](), dict[str, list[Trade]]()
        for symbol, own in of_symbol.items():
            lots, bars = self._lots.setdefault(symbol, OpenLots(self._matching)), columns.get(symbol, NO_BARS)
            multiplier = self._multiplier(symbol)
            if holds_one_lot(lots, own):
                single.append(SymbolFills(symbol, lots, own, bars, multiplier))
            elif slices := lots.end_session(own, bars):
                closed[symbol] = slice_trades(symbol, slices, multiplier, own[0].zone)
        if single:
            closed |= one_lot_trades(single)
        trades += chain.from_iterable(closed.get(symbol, ()) for symbol in of_symbol)
        self._lots = {symbol: lots for symbol, lots in self._lots.items() if lots.lots}
        return sorted(trades, key=attrgetter("exit_time"))


def slice_trades(symbol: str, closed: Iterable[ClosedSlice], multiplier: float, zone: tzinfo) -> list[Trade]:
    """Return the trades of the slices of a symbol, those of the same two orders as one."""
    together: dict[tuple[str, str], Trade] = {}
    for slice_ in closed:
        trade = _trade(symbol, slice_, multiplier, zone)
        key = slice_.lot.order.id, slice_.order.id if slice_.order else ""
        together[key] = _joined(together[key], trade, multiplier) if key in together else trade
    return list(together.values())


def _trade(symbol: str, closed: ClosedSlice, multiplier: float, zone: tzinfo) -> Trade:
    lot, quantity, exit_price, fees, exit_ns, exit_order, bars = closed
    per_point, price, order = quantity * multiplier, lot.price, lot.order
    pnl, value = (exit_price - price) * per_point, price * per_point
    best, worst = (lot.high - price) * per_point, (lot.low - price) * per_point
    entry, exit_ = cached_local_time(lot.time_ns, zone), cached_local_time(exit_ns, zone)
    return new_trade(
        symbol=symbol,
        strategy=order.strategy,
        quantity=quantity,
        entry_time=entry,
        exit_time=exit_,
        entry_price=price,
        exit_price=exit_price,
        pnl=pnl,
        return_=pnl / abs(value) if value else 0.0,
        bars=bars,
        held=exit_ - entry,
        mae=min(best, worst, pnl, 0.0),
        mfe=max(best, worst, pnl, 0.0),
        fees=fees,
        tag=order.tag,
        entry_reason=reason_of(order),
        exit_reason=reason_of(exit_order) if exit_order else _FRACTION,
    )


def _joined(one: Trade, other: Trade, multiplier: float) -> Trade:
    """Return two parts of a trade as one."""
    quantity = one.quantity + other.quantity
    entry, exit_ = (
        (getattr(one, price) * one.quantity + getattr(other, price) * other.quantity) / quantity
        for price in ("entry_price", "exit_price")
    )
    pnl = one.pnl + other.pnl
    first, last = min(one.entry_time, other.entry_time), max(one.exit_time, other.exit_time)
    return replace(
        one,
        quantity=quantity,
        entry_time=first,
        exit_time=last,
        entry_price=entry,
        exit_price=exit_,
        pnl=pnl,
        return_=_share(pnl, entry * quantity * multiplier),
        bars=max(one.bars, other.bars),
        held=last - first,
        mae=one.mae + other.mae,
        mfe=one.mfe + other.mfe,
        fees=one.fees + other.fees,
    )


def _share(pnl: float, value: float) -> float:
    return pnl / abs(value) if value else 0.0

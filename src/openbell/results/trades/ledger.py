"""Ledger of a run that trades, which makes results from the trading of its sessions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from math import fsum
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from openbell.model.cash_flow import CashFlowKind
from openbell.results.measures.breakdown import Earnings, earnings, grouped
from openbell.results.measures.equity import SessionEquity
from openbell.results.measures.performance import performance
from openbell.results.trades.shared_fills import fills_by_strategy
from openbell.results.trades.trades import TradeBook
from openbell.results.trading import DayTrading, RunTrading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date, tzinfo

    from numpy.typing import NDArray

    from openbell.model.cash_flow import CashFlow
    from openbell.model.fill import Fill
    from openbell.model.order import Order
    from openbell.model.position import Position
    from openbell.model.trade import Trade
    from openbell.results.measures.equity import EquityColumns
    from openbell.results.trades.lots import LotMatching, PriceColumns

__all__ = ["Ledger", "TradedSession"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TradedSession:
    """Trading of one session, as the engine leaves it.

    Attributes:
        day: The session.
        end_equity: Equity at its end.
        accepted: Orders that were accepted in it.
        orders: Every order that changed in it, in its last state.
        fills: Its fills, in order.
        flows: Payments other than those of fills.
        positions: What is held at its end.
        equity: Equity by bar time.
        bars: Its bars of what was held or traded, by symbol, on the finest interval that trading uses.
        last_prices: Last prices at its end, by symbol; for symbols that are missing, the price before counts.
        without_bars: Last prices of what is held and had no bars, by symbol.
        breaches: Margin calls and limits that were reached.
    """

    day: date
    end_equity: float
    accepted: int
    orders: Iterable[Order]
    fills: Iterable[Fill]
    flows: Iterable[CashFlow]
    positions: Iterable[Position]
    equity: EquityColumns
    bars: Mapping[str, PriceColumns]
    last_prices: Mapping[str, float]
    without_bars: Mapping[str, float] = field(default_factory=dict)
    breaches: Iterable[str] = ()


class Ledger:
    """Collects the sessions of a run in order, and gives its results at any time.

    Args:
        start_equity: Equity before the first session.
        matching: Which lots a partial exit closes.
        multiplier: Returns the money that one point of a symbol's price is worth, per unit.
    """

    def __init__(self, start_equity: float, matching: LotMatching, multiplier: Callable[[str], float]) -> None:
        self._start_equity = start_equity
        self._matching = matching
        self._multiplier = multiplier
        self._account = TradeBook(matching, multiplier)
        self._books: dict[str, TradeBook] = {}  # empty while there is one strategy
        self._trades_of: dict[str, list[Trade]] = {}
        self._fees_of: dict[str, float] = {}
        self._days: list[date] = []
        self._sessions: list[DayTrading] = []
        self._last_prices: dict[str, float] = {}

    @property
    def equity(self) -> float:
        """Equity at the end of the last session."""
        return self._sessions[-1].end_equity if self._sessions else self._start_equity

    def begin(self, equity: float) -> None:
        """Set the equity before the first session, unless a session is over."""
        if not self._sessions:
            self._start_equity = equity

    # Corporate actions, in the morning

    def split(self, symbol: str, ratio: float, *, quantity: float, price: float, time_ns: int, zone: tzinfo) -> None:
        """Turn every open unit of a symbol into ``ratio`` units, as `TradeBook.split` does.

        Fractions that are paid in cash leave the account's book. Books of strategies keep theirs when several hold it.
        """
        if symbol in self._last_prices:
            self._last_prices[symbol] /= ratio
        self._account.split(symbol, ratio, quantity=quantity, price=price, time_ns=time_ns, zone=zone)
        holders = [book for book in self._books.values() if symbol in book.quantities]
        for book in holders:
            left = quantity if len(holders) == 1 else book.quantities[symbol] * ratio
            book.split(symbol, ratio, quantity=left, price=price, time_ns=time_ns, zone=zone)

    def rename(self, names: Mapping[str, str], *, time_ns: int, zone: tzinfo) -> None:
        """Move the open units of symbols to their new names, as `TradeBook.rename` does."""
        for book in (self._account, *self._books.values()):
            book.rename(names, time_ns=time_ns, zone=zone)
        prices = self._last_prices
        prices |= {new: prices[symbol] for symbol, new in names.items() if symbol in prices}

    # Sessions

    def end_session(self, session: TradedSession) -> DayTrading:
        """Add a session, and return its result."""
        fills = tuple(session.fills)
        self._last_prices |= {fill.symbol: fill.price for fill in fills} | dict(session.last_prices)
        held = {name: book.quantities for name, book in self._books.items()}
        own = fills_by_strategy(fills, held or dict.fromkeys(self._trades_of, self._account.quantities))
        if len(own) > 1 and not self._books:
            # Until now the account's book was that of the only strategy, if there was one.
            self._books = {name: self._account.copy() for name in self._trades_of}
        trades = self._account.end_session(fills, session.bars)
        for name, fills_of_one in own.items():
            self._fees_of[name] = self._fees_of.get(name, 0.0) + fsum([fill.fee for fill in fills_of_one])
            self._trades_of.setdefault(name, []).extend(
                trades if len(own) == 1 else self._book_of(name).end_session(fills_of_one, session.bars)
            )
        result = DayTrading(
            start_equity=self.equity,
            end_equity=session.end_equity,
            accepted=session.accepted,
            orders=tuple(session.orders),
            fills=fills,
            trades=tuple(trades),
            flows=tuple(session.flows),
            positions=tuple(session.positions),
            equity=session.equity,
            without_bars=dict(session.without_bars),
            breaches=tuple(session.breaches),
        )
        self._days.append(session.day)
        self._sessions.append(result)
        return result

    def _book_of(self, strategy: str) -> TradeBook:
        if strategy not in self._books:
            self._books[strategy] = TradeBook(self._matching, self._multiplier)
        return self._books[strategy]

    # Results

    def result(
        self, *, sessions_per_year: float, risk_free_rate: float = 0.0, benchmark: NDArray[np.float64] | None = None
    ) -> RunTrading:
        """Return the result of the sessions so far, with the arguments of `performance`."""
        sessions = self._sessions
        fills = [fill for session in sessions for fill in session.fills]
        trades = [trade for session in sessions for trade in session.trades]
        tagged = [trade for trade in trades if trade.tag]
        return RunTrading(
            performance=performance(
                self._session_equity(),
                fills,
                trades,
                [flow for session in sessions for flow in session.flows],
                orders=sum(session.accepted for session in sessions),
                rejected=sum(len(session.rejected) for session in sessions),
                sessions_per_year=sessions_per_year,
                risk_free_rate=risk_free_rate,
                benchmark=benchmark,
            ),
            by_symbol=self._by_symbol(fills, trades),
            by_strategy=self._by_strategy(),
            by_tag={tag: earnings(own) for tag, own in grouped(tagged, attrgetter("tag")).items()},
        )

    def _session_equity(self) -> SessionEquity:
        sessions = self._sessions
        return SessionEquity(
            start_equity=self._start_equity,
            days=self._days,
            equity=np.array([session.end_equity for session in sessions], dtype=np.float64),
            traded=np.array([fsum(map(self._value, session.fills)) for session in sessions], dtype=np.float64),
            bar_times=np.array([len(session.equity.time_ns) for session in sessions], dtype=np.int64),
            held_times=np.array([session.equity.held_times for session in sessions], dtype=np.int64),
        )

    def _value(self, fill: Fill) -> float:
        return abs(fill.quantity) * fill.price * self._multiplier(fill.symbol)

    def _by_symbol(self, fills: Iterable[Fill], trades: Iterable[Trade]) -> dict[str, Earnings]:
        fees, flows = defaultdict[str, float](float), defaultdict[str, float](float)
        for fill in fills:
            fees[fill.symbol] += fill.fee
        for session in self._sessions:
            for flow in session.flows:
                if flow.symbol and flow.kind is not CashFlowKind.FRACTION:  # the trade that a fraction makes has it
                    flows[flow.symbol] += flow.amount
        unrealized = self._account.unrealized(self._last_prices.__getitem__)
        of_trades = grouped(trades, attrgetter("symbol"))
        return {
            symbol: earnings(
                of_trades.get(symbol, ()),
                unrealized=unrealized.get(symbol, 0.0),
                fees=fees[symbol],
                flows=flows.get(symbol, 0.0),
            )
            for symbol in dict.fromkeys((*fees, *of_trades, *flows, *unrealized))
        }

    def _by_strategy(self) -> dict[str, Earnings]:
        last_price = self._last_prices.__getitem__
        return {
            name: earnings(
                self._trades_of[name],
                unrealized=sum(book.unrealized(last_price).values()),
                fees=self._fees_of[name],
            )
            for name, book in (self._books or dict.fromkeys(self._trades_of, self._account)).items()
        }

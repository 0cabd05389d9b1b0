"""Markets of a session's symbols, with the terms on which they trade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.errors import OrderError
from openbell.execution.account.held_symbols import provision
from openbell.execution.merged_times import merged_times
from openbell.execution.orders.exchange_rules import trades_futures
from openbell.execution.orders.instruments import InstrumentTable
from openbell.execution.simulated.symbol_market import SymbolMarket, finest_series
from openbell.execution.values_on_demand import ValuesOnDemand
from openbell.market_data.bar_requests import unknown_symbol
from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from openbell.config.execution import ExecutionConfig
    from openbell.model.instrument import Instrument
    from openbell.provisioning import Provisioner
    from openbell.session import BarIntervalData, SessionData
    from openbell.timing import TimeManager
    from openbell.timing.trading_session import TradingSession

__all__ = ["Markets"]


class Markets:
    """Bars that orders fill in, by symbol.

    A symbol's market is its finest series in the session. If an order is given for a symbol that the session does not
    hold, its bars are provisioned for the portfolio.

    Args:
        config: The section ``execution`` of the config.
        time_manager: The calendar.

    Attributes:
        instruments: The terms on which symbols are traded.
        instrument: Returns the terms of a symbol.
        of: Returns the market of a symbol today, or None when the session has no bars of it.
    """

    def __init__(self, config: ExecutionConfig, time_manager: TimeManager) -> None:
        self.instruments = InstrumentTable(config, futures=trades_futures(time_manager))
        self.instrument: Callable[[str], Instrument] = self.instruments.get
        self._markets = ValuesOnDemand(self._market_of)
        self.of: Callable[[str], SymbolMarket | None] = self._markets.__getitem__
        self._known: set[str] = set()
        self._left: set[str] = set()
        self._version = -1
        self._provisioner: Provisioner
        self._session_data: SessionData
        self._session: TradingSession

    def begin_session(self, session: TradingSession, provisioner: Provisioner) -> None:
        """Begin a session."""
        self._session, self._provisioner = session, provisioner
        self._session_data = provisioner.context.session_data
        self._markets.clear()
        self._known.clear()
        self._left.clear()
        self._version = self._session_data.series_version

    def _market_of(self, symbol: str) -> SymbolMarket | None:
        series = self._series_of(symbol)
        return None if series is None else SymbolMarket.today(series, self._session, self.instrument(symbol).tick)

    def _series_of(self, symbol: str) -> BarIntervalData | None:
        data = self._session_data.current.get(symbol)
        return None if data is None else finest_series(data)

    @property
    def today(self) -> dict[str, SymbolMarket]:
        """The markets that were asked for in this session, without those that have no bars."""
        return {symbol: market for symbol, market in self._markets.items() if market is not None and len(market)}

    @property
    def times(self) -> NDArray[np.int64]:
        """Bar times of today's markets and of the first symbol's, int64 nanoseconds since 1970 UTC."""
        first = [market for symbol in self._session_data.symbols[:1] if (market := self.of(symbol)) is not None]
        ends = [market.end for market in [*self.today.values(), *first]]
        return merged_times(ends)

    def changed(self) -> dict[str, SymbolMarket | None]:
        """Return the symbols whose finest series is another one than before, or back, with their markets until now."""
        changed: dict[str, SymbolMarket | None] = {}
        if self._session_data.series_version == self._version:
            return changed
        self._version = self._session_data.series_version
        for symbol, market in self._markets.items():
            series = self._series_of(symbol)
            if series is None:
                self._left.add(symbol)  # positions are still valued by bars that were removed
            elif symbol in self._left or market is None or parse_interval(series.interval) != market.interval:
                changed[symbol] = market
        for symbol in changed:
            del self._markets[symbol]
        self._left.difference_update(changed)
        return changed

    def grow(self, symbol: str) -> SymbolMarket | None:
        """Return the market of a symbol with its new bars, None if it was not in use."""
        if self._markets.pop(symbol, None) is None:
            return None
        return self.of(symbol)

    def finer(self, market: SymbolMarket, row: int) -> SymbolMarket | None:
        """Return the market within one bar, by the next finer bars in the store, or None."""
        context = self._provisioner.context
        finer = [parse_interval(name) for name in context.stored_intervals(market.symbol)]
        day = self._session.day
        for interval in sorted((i for i in finer if i < market.interval), reverse=True):
            bars = context.data_manager.load_historical_bars(market.symbol, str(interval), day, day, base=str(interval))
            within = market.within(row, interval, bars)
            if within is not None:
                return within
        return None

    def last_price_today(self, symbol: str, now_ns: int) -> float | None:
        """Return the last close of a symbol that is known today, or None."""
        market = self.of(symbol)
        return None if market is None else market.last_price_today(now_ns)

    def last_price(self, symbol: str, now_ns: int) -> float | None:
        """Return the last close that is known of a symbol, or None."""
        market = self.of(symbol)
        return None if market is None else market.last_price(now_ns)

    def require_known(self, symbol: str) -> None:
        """Raise for a symbol that neither the session nor the config nor the store knows.

        Raises:
            OrderError: The symbol is not a string, or is empty.
            DataError: It is unknown; the message names the nearest known one.
        """
        if symbol in self._known:
            return
        if not isinstance(symbol, str) or not symbol:
            raise OrderError(f"a symbol is a text such as 'SPY', not {symbol!r}")
        context, store = self._provisioner.context, self._provisioner.context.data_manager.store
        known = symbol in self._session_data.current or symbol in context.config.session_data_config.symbols
        if not known and not context.stored_intervals(symbol) and symbol not in store.symbols():
            raise unknown_symbol(symbol, store.path, context.data_manager.hint(symbol))
        self._known.add(symbol)

    def provide(self, symbol: str) -> str:
        """Provision bars of a symbol for the portfolio, unless the session has them.

        Returns:
            Why it has none (empty when it has).
        """
        market = self.of(symbol)
        if market is None or symbol in self._left:
            if reason := provision([symbol], self._provisioner).get(symbol):
                return reason
            self._left.discard(symbol)
            del self._markets[symbol]
            market = self.of(symbol)
        # Nobody knows whether bars will come today: an order waits for them, and ends with the day.
        return f"no bars of {symbol}" if market is None else ""

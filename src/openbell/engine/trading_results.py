"""Results of a run's trading, from the records of its desk."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from openbell.errors import OpenbellError
from openbell.execution.account.overnight import Renamed
from openbell.indicators.bars_per_year import bars_per_year
from openbell.model.interval import parse_interval
from openbell.results.measures.equity import EquityColumns
from openbell.results.trades.ledger import Ledger, TradedSession
from openbell.results.trades.lots import LotMatching, PriceColumns

if TYPE_CHECKING:
    from datetime import date

    from openbell.execution.account.overnight import Adjustment
    from openbell.execution.desk import TradingDesk
    from openbell.execution.session_record import SessionRecord
    from openbell.market_data.data_manager import DataManager
    from openbell.results.trading import DayTrading, RunTrading

__all__ = ["TradingResults"]


class TradingResults:
    """Computes the results of a run's trading from the records of its desk.

    Args:
        desk: The desk of the run.
        data_manager: Has the bars of the benchmark.

    Attributes:
        warnings: The first reason why the benchmark has no return, by its symbol.
    """

    def __init__(self, desk: TradingDesk, data_manager: DataManager) -> None:
        self._desk = desk
        self._data_manager = data_manager
        self._benchmark: list[float] = []
        self.warnings: dict[str, str] = {}
        self._ledger = Ledger(
            desk.config.cash, LotMatching(desk.config.lots), lambda symbol: desk.markets.instrument(symbol).multiplier
        )

    def end_session(self, record: SessionRecord) -> DayTrading:
        """Add the record of a session, and return its result."""
        self._ledger.begin(self._desk.first_equity)
        self._note_benchmark(record.day)
        curve, markets = record.curve, record.markets
        for adjustment in record.adjustments:
            self._adjust(adjustment)
        return self._ledger.end_session(
            TradedSession(
                day=record.day,
                end_equity=record.end_equity,
                accepted=record.accepted,
                orders=record.orders,
                fills=record.fills,
                flows=record.flows,
                positions=record.positions,
                equity=EquityColumns(curve.time_ns, curve.cash, curve.long_value, curve.short_value),
                bars={s: PriceColumns(m.start, m.end, m.high, m.low) for s, m in markets.items()},
                last_prices={s: m.close.item(-1) for s, m in markets.items()},
                without_bars=record.without_bars,
                breaches=record.breaches,
            )
        )

    def _note_benchmark(self, day: date) -> None:
        """Add the return of the benchmark in a session, NaN if it has none."""
        symbol, manager = self._desk.config.benchmark, self._data_manager
        if symbol is None:
            return
        try:
            before = self._desk.time_manager.session_before(day)
            closes = manager.load_historical_bars(symbol, "1d", before, day, as_of=day).close
        except OpenbellError as error:
            closes = np.empty(0)
            if manager.available_intervals(symbol, day):  # else the run has warned of it when it began
                self.warnings.setdefault(symbol, f"the benchmark {symbol} has no return on {day}: {error}")
        self._benchmark.append(closes.item(-1) / closes.item(-2) - 1 if len(closes) == 2 else math.nan)

    def _adjust(self, adjustment: Adjustment) -> None:
        zone = self._desk.time_manager.timezone
        if isinstance(adjustment, Renamed):
            self._ledger.rename(adjustment.names, time_ns=adjustment.time_ns, zone=zone)
        else:
            self._ledger.split(
                adjustment.symbol,
                adjustment.ratio,
                quantity=adjustment.quantity,
                price=adjustment.price,
                time_ns=adjustment.time_ns,
                zone=zone,
            )

    def result(self) -> RunTrading:
        """Return the result of the sessions so far."""
        calendar = self._desk.time_manager
        grid = calendar.grid(calendar.first_day, calendar.first_day)
        return self._ledger.result(
            sessions_per_year=bars_per_year(grid, parse_interval("1d")),
            risk_free_rate=self._desk.config.risk_free_rate,
            benchmark=None if self._desk.config.benchmark is None else np.array(self._benchmark),
        )

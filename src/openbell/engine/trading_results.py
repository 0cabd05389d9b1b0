"""Results of a run's trading, from the records of its desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.execution.overnight import Renamed
from openbell.indicators.annual import bars_per_year
from openbell.model.interval import parse_interval
from openbell.results.equity import EquityColumns
from openbell.results.ledger import Ledger, TradedSession
from openbell.results.lots import LotMatching, PriceColumns

if TYPE_CHECKING:
    from openbell.execution.desk import TradingDesk
    from openbell.execution.overnight import Adjustment
    from openbell.execution.session_record import SessionRecord
    from openbell.results.trading import DayTrading, RunTrading

__all__ = ["TradingResults"]


class TradingResults:
    """Makes results of what a desk has recorded.

    Args:
        desk: The desk of the run.
    """

    def __init__(self, desk: TradingDesk) -> None:
        self._desk = desk
        self._ledger = Ledger(
            desk.config.cash, LotMatching(desk.config.lots), lambda symbol: desk.markets.instrument(symbol).multiplier
        )

    def end_session(self, record: SessionRecord) -> DayTrading:
        """Take up the record of a session, and return its result."""
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

    def _adjust(self, adjustment: Adjustment) -> None:
        if isinstance(adjustment, Renamed):
            self._ledger.rename(adjustment.symbol, adjustment.new_symbol)
        else:
            self._ledger.split(
                adjustment.symbol,
                adjustment.ratio,
                quantity=adjustment.quantity,
                price=adjustment.price,
                time_ns=adjustment.time_ns,
                zone=self._desk.time_manager.timezone,
            )

    def result(self) -> RunTrading:
        """Return the result of the sessions so far."""
        grid = self._desk.time_manager.grid(self._desk.session.day, self._desk.session.day)
        return self._ledger.result(
            sessions_per_year=bars_per_year(grid, parse_interval("1d")),
            risk_free_rate=self._desk.config.risk_free_rate,
        )

"""Bars of one symbol's session, as the simulated market that orders fill in."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

import numpy as np

from openbell.execution.simulated.fill_prices import FillColumns
from openbell.model.interval import Interval, parse_interval
from openbell.session.series import all_bars

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.model.bars import Bars
    from openbell.session import BarIntervalData, SymbolSessionData
    from openbell.timing.trading_session import TradingSession

__all__ = ["SymbolMarket", "finest_series"]


class SymbolMarket:
    """Bars of a symbol on a session's day, without synthetic ones.

    Bars after the session clock are among them, but no strategy sees a bar before it has closed.

    Args:
        symbol: The symbol.
        interval: The interval of the bars.
        bars: Bars, of which some are today's.
        today: The first of today's rows, and the row after their last.
        regular_ns: The regular open and close; nanoseconds since 1970 UTC.
        tick: The step of its prices; None for any price.

    Attributes:
        symbol: The symbol.
        interval: The interval.
        start: When the bars begin, nanoseconds since 1970 UTC.
        end: When they close, nanoseconds since 1970 UTC.
        open: Opening prices.
        high: Highest prices.
        low: Lowest prices.
        close: Closing prices.
        volume: Volumes.
        columns: Prices and volumes as the rules of fills read them.
        regular: The first row of the regular hours, and the row after their last.
        close_before: The last close before today; None when there is none.
    """

    __slots__ = (
        *("_bounds", "_reach", "_starts", "_ends", "columns", "symbol", "interval", "regular", "close_before"),
        *("start", "end", "open", "high", "low", "close", "volume"),
    )

    def __init__(
        self,
        symbol: str,
        interval: Interval,
        bars: Bars,
        today: tuple[int, int],
        regular_ns: tuple[int, int],
        tick: float | None = None,
    ) -> None:
        rows: slice | NDArray[np.intp] = slice(*today)
        if not bars.count[rows].all():
            rows = today[0] + np.flatnonzero(bars.count[rows])
        self.symbol, self.interval = symbol, interval
        self.start, self.end = bars.timestamp[rows], bars.end[rows]
        # NumPy takes twice as long to look up one time among a few hundred.
        self._starts, self._ends = self.start.data, self.end.data
        self.open, self.high, self.low, self.close = bars.open[rows], bars.high[rows], bars.low[rows], bars.close[rows]
        self.volume = bars.volume[rows]
        low, high = self.start.searchsorted(regular_ns).tolist()
        self.regular: tuple[int, int] = (low, high)
        before = today[0] - 1
        while before >= 0 and not bars.count[before]:
            before -= 1
        self.close_before = bars.close.item(before) if before >= 0 else None
        self._bounds: tuple[float, float] | None = None
        self._reach: tuple[float, float] | None = None
        self.columns = FillColumns(self.open, self.high, self.low, self.close, self.volume, begin=low, tick=tick)

    @staticmethod
    def today(series: BarIntervalData, session: TradingSession, tick: float | None = None) -> SymbolMarket:
        """Return the market of a series on its day."""
        bars = all_bars(series)
        after = int(bars.end.searchsorted(session.last_ns, side="right"))
        hours = (session.open_ns, session.close_ns)
        rows = (series.today_row, after)
        return SymbolMarket(series.symbol, parse_interval(series.interval), bars, rows, hours, tick)

    def within(self, row: int, interval: Interval, bars: Bars) -> SymbolMarket | None:
        """Return the market within one of its bars, by finer bars, or None when none lies in it."""
        begin, end = self.start.item(row), self.end.item(row)
        first, after = bars.timestamp.searchsorted((begin, end)).tolist()
        finer = SymbolMarket(self.symbol, interval, bars, (first, after), (begin, end), self.columns.tick)
        return finer if len(finer) else None

    def __len__(self) -> int:
        return len(self.start)

    def first_row(self, time_ns: int) -> int:
        """Return the first row that begins at a time or later."""
        return bisect_left(self._starts, time_ns)

    def closed_rows(self, time_ns: int) -> int:
        """Return how many bars have closed by a time."""
        return bisect_right(self._ends, time_ns)

    def last_price_today(self, time_ns: int) -> float | None:
        """Return the last of today's closes by a time, or None."""
        rows = bisect_right(self._ends, time_ns)
        return self.close.item(rows - 1) if rows else None

    def last_price(self, time_ns: int) -> float | None:
        """Return the last close by a time, or None."""
        rows = bisect_right(self._ends, time_ns)
        return self.close.item(rows - 1) if rows else self.close_before

    def has_rows(self, from_ns: int, *, extended: bool) -> bool:
        """Return whether any bar begins at a time or later."""
        first, (low, high) = self.first_row(from_ns), self.regular
        return first < len(self) if extended else max(first, low) < high

    def is_quoted(self, time_ns: int) -> bool:
        """Return whether a bar of today has closed by a time, and none of the day closes at zero."""
        bounds = self.bounds
        return bounds is not None and self._ends[0] <= time_ns and (bounds[0] > 0 or bounds[1] < 0)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The lowest and the highest close of the day, or None where it has no bars."""
        if self._bounds is None and len(self):
            self._bounds = (float(self.close.min()), float(self.close.max()))
        return self._bounds

    @property
    def reach(self) -> tuple[float, float]:
        """The lowest and the highest price of the day."""
        if self._reach is None:
            self._reach = (float(self.low.min()), float(self.high.max())) if len(self) else (0.0, 0.0)
        return self._reach


def finest_series(data: SymbolSessionData) -> BarIntervalData | None:
    """Return the finest series that a session has of a symbol, or None."""
    return data.bars[min(data.bars, key=parse_interval)] if data.bars else None

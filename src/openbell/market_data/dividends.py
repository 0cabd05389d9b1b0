"""Price factors of dividends, from the raw close before each ex-date."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING

import numpy as np

from openbell.errors import DataError
from openbell.market_data.aggregate import aggregate
from openbell.market_data.series import SessionRange
from openbell.market_data.stored_history import read_sessions
from openbell.model.interval import parse_interval
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from openbell.actions.securities import Security, StoredSpan
    from openbell.actions.table import Action
    from openbell.model.bars import Bars
    from openbell.store.store import BarStore
    from openbell.timing.time_manager import TimeManager

__all__ = ["DividendFactors"]

_SOURCES = ("1d", "1m", "1s")
_NEAR_DAYS = 15
_MIDNIGHT = time()


class DividendFactors:
    """Factors by which dividends change earlier prices, of one state of a store.

    A dividend is compared with the close that its source gives, else with the last close of regular hours before the
    ex-date, from the daily bars of its symbol, else from its 1m bars, else from its 1s bars.

    Args:
        store: Where the bars are.
        time_manager: Sessions and hours.
    """

    def __init__(self, store: BarStore, time_manager: TimeManager) -> None:
        self._store = store
        self._time_manager = time_manager
        self._factors: dict[Action, float] = {}
        # Daily bars by symbol, from a day on, both in days since 1970-01-01.
        self._daily: dict[str, tuple[int, Bars]] = {}

    def read_ahead(self, symbols: Sequence[str], first: date, last: date) -> None:
        """Read the closes before ex-dates in a range, of many stored symbols at once.

        Raises:
            DamagedFileError: A file cannot be read.
        """
        first_day, last_day = day_number(first) - _NEAR_DAYS - 1, day_number(last)
        wanted = [s for s in symbols if s not in self._daily or self._daily[s][0] > first_day]
        if wanted:
            found = self._read(wanted, "1d", first_day, last_day)
            self._daily.update((symbol, (first_day, bars)) for symbol, bars in found.items())

    def factor(self, security: Security, dividend: Action, bars: Bars, rows: int, base: str) -> float:
        """Return the price factor of a dividend, 1 - dividend / close.

        The factor is 1.0 where the store has no bar before the ex-date.

        Args:
            security: The security that pays.
            dividend: The dividend.
            bars: Raw bars of the security in memory.
            rows: The number of ``bars`` that lie before the ex-date.
            base: The stored interval of ``bars``.

        Raises:
            DataError: The dividend is not below the close.
            DamagedFileError: A file cannot be read.
        """
        known = self._factors.get(dividend)
        if known is None:
            close = dividend.reference or self._close_in(bars, rows, security, base, dividend.ex_date)
            if close is None:
                close = self._close_before(security, dividend.ex_date)
            if close is None:
                return 1.0
            amount = dividend.value or 0.0
            if amount >= close:
                raise DataError(
                    f"{dividend.symbol}: the dividend of {amount:g} on {dividend.ex_date} is not below the close "
                    f"before it, {close:g}. Correct it with: openbell data import actions, or set adjustment: split."
                )
            known = self._factors[dividend] = 1.0 - amount / close
        return known

    def _close_in(self, bars: Bars, rows: int, security: Security, base: str, ex_date: date) -> float | None:
        """Return the close before an ex-date from bars in memory, or None.

        They cannot when the close is to come from coarser stored bars, when they have extended hours, or when the last
        bar before the ex-date is more than 15 days old.
        """
        coarsest = next((i for i in _SOURCES if security.spans(i)), None)
        extended = base != "1d" and self._time_manager.session_hours == "extended"
        if base != coarsest or extended:
            return None
        near = self._time_manager.local_ns(ex_date - timedelta(days=_NEAR_DAYS - 1), _MIDNIGHT)
        return float(bars.close[rows - 1]) if bars.timestamp[rows - 1] >= near else None

    def _close_before(self, security: Security, ex_date: date) -> float | None:
        """Return the last stored close before an ex-date, or None.

        Recent closes (within 15 days) are tried first, from daily bars, then 1m, then 1s bars; then any earlier close.
        """
        before = day_number(ex_date) - 1
        earlier = {i: [span for span in security.spans(i) if span.first_day <= before] for i in _SOURCES}
        for interval, spans in earlier.items():
            for span in spans[-1:]:
                last = min(span.last_day, before)
                if (close := self._last_close(span.stored, interval, last - _NEAR_DAYS, last)) is not None:
                    return close
        for interval, spans in earlier.items():
            for span in reversed(spans):
                first, last = self._days_with_bars(span, interval, before)
                if (close := self._last_close(span.stored, interval, first, last)) is not None:
                    return close
        return None

    def _days_with_bars(self, span: StoredSpan, interval: str, before: int) -> tuple[int, int]:
        """Return the first and last day of a span with stored bars, up to ``before``."""
        coverage = self._store.coverage_of(span.stored, interval)
        earliest = day_number((coverage.first - timedelta(days=1)).date()) if coverage else before + 1
        return max(span.first_day, earliest), min(span.last_day, before)

    def _last_close(self, symbol: str, interval: str, first_day: int, last_day: int) -> float | None:
        since, daily = self._daily.get(symbol, (first_day + 1, None))
        if interval == "1d" and daily is not None and since <= first_day:
            days = self._time_manager.grid(date_of(first_day), date_of(last_day))
            if not len(days):
                return None
            first, after = np.searchsorted(daily.timestamp, (days.open_ns[0], days.open_ns[-1] + 1))
            return float(daily.close[after - 1]) if first < after else None
        bars = self._read([symbol], interval, first_day, last_day).get(symbol)
        return float(bars.close[-1]) if bars is not None and len(bars) else None

    def _read(self, symbols: Sequence[str], interval: str, first_day: int, last_day: int) -> dict[str, Bars]:
        """Read daily bars of regular hours, or make them from finer ones."""
        grid = self._time_manager.grid(date_of(first_day), date_of(max(first_day, last_day)))
        if last_day < first_day or not len(grid):
            return {}
        stored = parse_interval(interval)
        found = dict(read_sessions(self._store, symbols, stored, grid, SessionRange.of(first_day, last_day, grid)))
        if stored.is_intraday:
            return {s: aggregate(b, grid, parse_interval("1d"), base=stored) for s, b in found.items()}
        return found

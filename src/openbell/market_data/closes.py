"""`Closes`: the raw close before an ex-date, from the store's bars, for dividends whose source tells none."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING

import numpy as np

from openbell.market_data.aggregate import aggregate
from openbell.market_data.cache import SessionRange
from openbell.market_data.session_reader import read_sessions
from openbell.model.interval import parse_interval
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from openbell.actions.instrument import Instrument, Piece
    from openbell.model.bars import Bars
    from openbell.store.store import BarStore
    from openbell.timing.manager import TimeManager

__all__ = ["Closes"]

_SOURCES = ("1d", "1m", "1s")
_NEAR_DAYS = 15
_MIDNIGHT = time()


class Closes:
    """Closes of regular hours, by the daily bars of a symbol, else by its 1m bars, else by its 1s bars.

    Args:
        store: Where the bars are.
        time_manager: Sessions and hours.
    """

    def __init__(self, store: BarStore, time_manager: TimeManager) -> None:
        self._store = store
        self._time_manager = time_manager
        # Daily bars by symbol, from a day on, both in days since 1970-01-01.
        self._daily: dict[str, tuple[int, Bars]] = {}

    def read_ahead(self, symbols: Sequence[str], first: date, last: date) -> None:
        """Read the daily bars of many stored symbols that closes before ex-dates in a range may be asked of, at once.

        Raises:
            DamagedFileError: A file cannot be read.
        """
        first_day, last_day = day_number(first) - _NEAR_DAYS - 1, day_number(last)
        wanted = [s for s in symbols if s not in self._daily or self._daily[s][0] > first_day]
        if wanted:
            found = self._read(wanted, "1d", first_day, last_day)
            self._daily.update((symbol, (first_day, bars)) for symbol, bars in found.items())

    def before(self, instrument: Instrument, ex_date: date) -> float | None:
        """The close of the last session with bars before ``ex_date``; None when the store has no earlier bar.

        Raises:
            DamagedFileError: A file cannot be read.
        """
        before = day_number(ex_date) - 1
        pieces = {i: [p for p in instrument.pieces(i) if p.first_day <= before] for i in _SOURCES}
        for interval, held in pieces.items():
            for piece in held[-1:]:
                last = min(piece.last_day, before)
                if (close := self._last_close(piece.stored, interval, last - _NEAR_DAYS, last)) is not None:
                    return close
        for interval, held in pieces.items():
            for piece in reversed(held):
                first, last = self._held_days(piece, interval, before)
                if (close := self._last_close(piece.stored, interval, first, last)) is not None:
                    return close
        return None

    def last_in(self, bars: Bars, rows: int, instrument: Instrument, base: str, ex_date: date) -> float | None:
        """The same from bars in memory, of which ``rows`` lie before ``ex_date``; None when it takes a read."""
        coarsest = next((i for i in _SOURCES if instrument.pieces(i)), None)
        extended = base != "1d" and self._time_manager.session_hours == "extended"
        if base != coarsest or extended:
            return None
        opened = self._time_manager.local_ns(ex_date - timedelta(days=_NEAR_DAYS - 1), _MIDNIGHT)
        return float(bars.close[rows - 1]) if bars.timestamp[rows - 1] >= opened else None

    def _held_days(self, piece: Piece, interval: str, before: int) -> tuple[int, int]:
        """The days of a piece on which the store may have bars, up to ``before``."""
        coverage = self._store.coverage_of(piece.stored, interval)
        earliest = day_number((coverage.first - timedelta(days=1)).date()) if coverage else before + 1
        return max(piece.first_day, earliest), min(piece.last_day, before)

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
        """The bars of whole days in regular hours."""
        grid = self._time_manager.grid(date_of(first_day), date_of(max(first_day, last_day)))
        if last_day < first_day or not len(grid):
            return {}
        stored = parse_interval(interval)
        found = dict(read_sessions(self._store, symbols, stored, grid, SessionRange.of(first_day, last_day, grid)))
        if stored.is_intraday:
            return {s: aggregate(b, grid, parse_interval("1d"), base=stored) for s, b in found.items()}
        return found

"""`DayBars`: the DataManager as seen from one day, so that nobody there forgets which day it is."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from openbell.errors import did_you_mean
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from openbell.actions.table import Action, Adjustment
    from openbell.market_data.manager import DataManager
    from openbell.market_data.point_in_time import PointInTime
    from openbell.model.bars import Bars
    from openbell.store.store import BarStore, Coverage

__all__ = ["DayBars"]


class DayBars:
    """Bars as they were known on one day: under the names and on the price basis of that day.

    Its methods are those of the `DataManager` and raise the same. They answer of the store as it was when the first one
    was called since the last `refresh`: what is asked for together is of one state, and the store is looked at once.

    Args:
        manager: Where the bars come from.
        day: The day.
    """

    def __init__(self, manager: DataManager, day: date) -> None:
        self._manager = manager
        self.day = day
        self._pinned: PointInTime | None = None

    def refresh(self) -> None:
        """Look at the store anew: something may have been imported since."""
        self._pinned = None

    @property
    def _known(self) -> PointInTime:
        """Bars as they were known on any day. Ask for it with the lock held."""
        if self._pinned is None:
            self._pinned = self._manager.as_known()
        return self._pinned

    @property
    def store(self) -> BarStore:
        """The store."""
        return self._manager.store

    @property
    def adjustment(self) -> Adjustment:
        """What the bars are adjusted for."""
        return self._manager.adjustment

    def symbols(self) -> tuple[str, ...]:
        """All symbols that the store has bars under, sorted; a name of the day may be another one."""
        return self._manager.symbols()

    def available_intervals(self, symbol: str) -> tuple[str, ...]:
        """The intervals stored of what has this name on the day, finest first; empty when there is no such."""
        with self._manager.lock:
            return self._known.instrument(symbol, self.day).intervals()

    def coverage(self, symbol: str, interval: str) -> Coverage | None:
        """What is stored of one symbol and interval; None when nothing is."""
        with self._manager.lock:
            return self._known.coverage(symbol, interval, self.day)

    def actions(self, symbol: str, first: date) -> tuple[Action, ...]:
        """What the bars of sessions from ``first`` on are adjusted for, and the renames since; by ex-date."""
        with self._manager.lock:
            return self._known.actions(symbol, first, self.day)

    def hint(self, symbol: str) -> str:
        """What to do about a symbol that is not there, with a leading blank; empty when nothing is known."""
        with self._manager.lock:
            return self._known.hint(symbol, self.day) or did_you_mean(symbol, self.symbols())

    def prefetch(self, symbols: Sequence[str], base: str, first: date, last: date) -> None:
        """Bring stored bars of many symbols into the cache with one read; symbols that have none are passed over."""
        with self._manager.lock:
            known = self._known
            stored = dict.fromkeys(known.stored_under(symbols, base, self.day))
            known.raw.provide(tuple(stored), base, day_number(first), day_number(last))
            known.read_ahead(symbols, first, self.day)
            known.adjust_ahead(symbols, base, first, last, self.day)

    def load_historical_bars(
        self, symbol: str, interval: str, first: date, last: date, *, base: str | None = None
    ) -> Bars:
        """Bars of the sessions from ``first`` to ``last``, both inclusive."""
        manager = self._manager
        with manager.lock:
            known = self._known
            held = known.instrument(symbol, self.day).intervals()
            if not held:
                raise manager.unknown_symbol(symbol, self.hint(symbol))
            bars = partial(known.bars, as_of=self.day)
            return manager.bars_of(bars, symbol, interval, first, last, base=base, held=held)

"""`DayBars`: the DataManager as seen from one day, so that nobody there forgets which day it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from openbell.bars import Bars
    from openbell.data.actions.table import Action, Adjustment
    from openbell.data.manager import DataManager
    from openbell.data.store import BarStore, Coverage

__all__ = ["DayBars"]


class DayBars:
    """Bars as they were known on one day: under the names and on the price basis of that day.

    Its methods are those of the `DataManager` and raise the same.

    Args:
        manager: Where the bars come from.
        day: The day.
    """

    def __init__(self, manager: DataManager, day: date) -> None:
        self._manager = manager
        self.day = day

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
        return self._manager.available_intervals(symbol, self.day)

    def coverage(self, symbol: str, interval: str) -> Coverage | None:
        """What is stored of one symbol and interval; None when nothing is."""
        return self._manager.coverage(symbol, interval, self.day)

    def actions(self, symbol: str, first: date) -> tuple[Action, ...]:
        """What the bars of sessions from ``first`` on are adjusted for, and the renames since; by ex-date."""
        return self._manager.actions(symbol, first, self.day)

    def hint(self, symbol: str) -> str:
        """What to do about a symbol that is not there, with a leading blank; empty when nothing is known."""
        return self._manager.hint(symbol, self.day)

    def prefetch(self, symbols: Sequence[str], base: str, first: date, last: date) -> None:
        """Bring stored bars of many symbols into the cache with one read; symbols that have none are passed over."""
        self._manager.prefetch(symbols, base, first, last, as_of=self.day)

    def load_historical_bars(
        self, symbol: str, interval: str, first: date, last: date, *, base: str | None = None
    ) -> Bars:
        """Bars of the sessions from ``first`` to ``last``, both inclusive."""
        return self._manager.load_historical_bars(symbol, interval, first, last, base=base, as_of=self.day)

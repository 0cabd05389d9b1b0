"""Facts about one state of a store, beside the bars themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.actions.instrument import Instruments
from openbell.actions.store import ActionStore
from openbell.errors import did_you_mean
from openbell.market_data.stored_days import StoredDays
from openbell.market_data.stored_history import begins_on_grid
from openbell.model.interval import BASE_INTERVALS, parse_interval
from openbell.store.day_zones import read_day_zones
from openbell.store.layout import instant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from openbell.actions.instrument import RunningDay
    from openbell.store.manifest import Manifest
    from openbell.store.store import BarStore, Coverage
    from openbell.timing.manager import TimeManager

__all__ = ["StoredFacts", "changed_series"]

_MOST_COMPARED = 50


class StoredFacts:
    """The symbols, spans and corporate actions of one state of a store.

    Args:
        store: Where the bars are.
        time_manager: Sessions and hours.
        running: The day whose bars a feed sends; None when all bars are stored.

    Attributes:
        version: What changes with the store's bars, and with its corporate actions.
        manifest: The files of the state.
    """

    def __init__(self, store: BarStore, time_manager: TimeManager, running: RunningDay | None = None) -> None:
        self._running = running
        self._store = store
        self._time_manager = time_manager
        self._actions = ActionStore(store.path)
        self.version = self._version_now()
        # The manifest after the version: should it change in between, the next comparison of versions finds it.
        self.manifest: Manifest = store.manifest
        self._instruments: Instruments | None = None
        self._near: dict[str, str] = {}
        self._coverages: dict[tuple[str, str], Coverage | None] = {}
        self._on_grid: dict[tuple[str, str], bool] = {}
        self._days = StoredDays(read_day_zones(store.path, self.manifest), time_manager)

    @property
    def are_current(self) -> bool:
        """Whether the store is as it was."""
        return self._version_now() == self.version

    def _version_now(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return self._store.version, self._actions.version

    @property
    def actions_version(self) -> tuple[int, ...]:
        """The version of the corporate actions of this state of the store."""
        return self.version[1]

    @property
    def instruments(self) -> Instruments:
        """The instruments of this state of the store.

        Raises:
            DamagedFileError: The corporate actions cannot be read.
        """
        if self._instruments is None:
            self._instruments = Instruments(self._actions.book(), self.manifest, self._running)
        return self._instruments

    def coverage(self, symbol: str, interval: str) -> Coverage | None:
        """Return what the store has under a symbol, or None."""
        key = symbol, interval
        if key not in self._coverages:
            self._coverages[key] = self._store.coverage_of(symbol, interval)
        return self._coverages[key]

    def first_stored(self, symbol: str, interval: str) -> datetime | None:
        """Return when the first bar stored under a symbol begins, or None."""
        files = self.manifest.files.get((symbol, interval))
        return instant(files[0].first_ns) if files else None

    def is_on_grid(self, symbol: str, interval: str) -> bool:
        """Return whether the bars stored under a symbol begin at multiples of their interval from the open."""
        if interval in BASE_INTERVALS:
            return True
        key = symbol, interval
        if key not in self._on_grid:
            files = self.manifest.files.get(key, ())
            self._on_grid[key] = not files or begins_on_grid(
                files[0].first_ns, parse_interval(interval), self._time_manager
            )
        return self._on_grid[key]

    def near_names(self, symbol: str) -> str:
        """Return a question that names the nearest stored symbols, or an empty text after so many of them."""
        known = self._near.get(symbol)
        if known is None:
            # To compare one with all symbols takes milliseconds; who asks for hundreds has another list in hand.
            known = did_you_mean(symbol, self.manifest.symbols) if len(self._near) < _MOST_COMPARED else ""
            self._near[symbol] = known
        return known

    def span_of_days(self, stored_under: Iterable[str], day: date) -> str | None:
        """Return what the daily bars of some symbols span when they end after their sessions do, else None."""
        return self._days.beyond_sessions(stored_under, day)

    def continued_from(self, earlier: StoredFacts, changed: set[str]) -> Instruments | None:
        """Take over the instruments of an earlier state with the same actions, without those of changed symbols.

        Returns:
            The instruments, or None where the actions differ or nobody had asked for them.
        """
        self._actions = earlier._actions  # which knows the book
        if earlier.actions_version == self.actions_version and earlier._instruments is not None:
            self._instruments = earlier._instruments.of_later_state(self.manifest, changed)
        return self._instruments


def changed_series(before: Manifest, after: Manifest) -> set[tuple[str, str]]:
    """Return the (symbol, interval) whose files differ between two states of a store."""
    keys = before.files.keys() | after.files.keys()
    return {key for key in keys if before.files.get(key) != after.files.get(key)}

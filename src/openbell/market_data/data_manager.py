"""The DataManager, the public access to bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openbell.errors import did_you_mean
from openbell.market_data.bar_requests import LoadSettings, unknown_symbol
from openbell.market_data.cache import BarCache
from openbell.market_data.point_in_time import PointInTimeView
from openbell.market_data.stored_facts import changed_series
from openbell.model.bars import Bars
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from pathlib import Path

    from openbell.actions.table import Action, Adjustment
    from openbell.market_data.bar_requests import GapPolicies
    from openbell.market_data.today_bars import TodayBars
    from openbell.store.manifest import Manifest
    from openbell.store.store import BarStore, Coverage
    from openbell.timing.time_manager import TimeManager

__all__ = ["DataManager", "StoreState"]


class StoreState(NamedTuple):
    """Content of a store at one time, to compare with its content at another.

    Attributes:
        manifest: The files of the store.
        actions_version: The version of its corporate actions.
    """

    manifest: Manifest
    actions_version: tuple[int, ...]

    def is_same_as(self, other: StoreState) -> bool:
        """Return whether the store held the same."""
        return self.manifest is other.manifest and self.actions_version == other.actions_version


class DataManager:
    """Bars of a store by the sessions of an exchange, cached in memory.

    Every series is cached over a contiguous range of sessions. A backtest that loads day by day reads each file once: a
    miss reads ahead towards the ``horizon``, and later loads are slices. May be used from any thread.

    With ``as_of``, methods see what was known on that day: a symbol is the security that had that name then, and prices
    are adjusted for the corporate actions up to and including that day. Without ``as_of``, methods see the bars as they
    are stored. `on_day` returns a view that fixes the day.

    Args:
        store: Where the bars are.
        time_manager: Sessions and hours: bars outside its segments are left out.
        min_completeness: Derived bars with a smaller share of their base bars are left out (0 to 1).
        gap_policy: "forward" fills gaps within a session with synthetic bars, "none" leaves them; one policy for all
            series, or a mapping by interval and symbol.
        gap_fill: Whether missing bars are built from complete finer ones where the store has these.
        horizon: The last day that will be requested; None reads nothing ahead.
        adjustment: What bars as of a day are adjusted for: nothing ("raw"), splits, or splits and dividends ("total").
        today: The bars of a running session, which are not in the store yet.
        rerun: Whether repeated runs will request the same days. Then all days, as far as memory allows, are read at
            once and stay cached.
        shared: A folder through which processes share series, so that only one of them makes each; None shares nothing.
    """

    def __init__(
        self,
        store: BarStore,
        time_manager: TimeManager,
        *,
        min_completeness: float = 0.0,
        gap_policy: GapPolicies = "none",
        gap_fill: bool = False,
        horizon: date | None = None,
        adjustment: Adjustment = "split",
        today: TodayBars | None = None,
        rerun: bool = False,
        shared: Path | None = None,
    ) -> None:
        self.store = store
        self.time_manager = time_manager
        self.settings = LoadSettings(min_completeness, gap_policy, gap_fill, horizon, adjustment, rerun, shared)
        self._cache = BarCache(store, time_manager, self.settings, today)

    @property
    def adjustment(self) -> Adjustment:
        """The kind of adjustment of bars as of a day, "raw", "split" or "total"."""
        return self.settings.adjustment

    @property
    def cache(self) -> BarCache:
        """The cache of the store as it is now, to be used with its lock held."""
        with self._cache.lock:
            self._cache = self._cache.current()
            return self._cache

    def state(self) -> StoreState:
        """Return the content of the store now, for `changes_since`."""
        cache = self.cache
        return StoreState(cache.facts.manifest, cache.facts.actions_version)

    def changes_since(self, state: StoreState, day: date, symbols: Iterable[str]) -> tuple[str, ...]:
        """Return texts that name what has changed since ``state``.

        A text is such as "1m bars of AAPL".

        Bars of series that are new since then are not named.

        Args:
            state: The earlier content of the store.
            day: The day on which ``symbols`` had these names.
            symbols: The symbols whose bars matter.
        """
        cache = self.cache
        if StoreState(cache.facts.manifest, cache.facts.actions_version).is_same_as(state):
            return ()
        view = self.on_day(day)
        names = {name for symbol in symbols for name in view.stored_under(symbol)}
        files = state.manifest.files
        changed = sorted(key for key in changed_series(state.manifest, cache.facts.manifest) if key in files)
        bars = [f"{interval} bars of {symbol}" for symbol, interval in changed if symbol in names]
        return (*bars, *["corporate actions"] * (cache.facts.actions_version != state.actions_version))

    def on_day(self, day: date) -> PointInTimeView:
        """Return the view of the bars as they were known on a day."""
        return PointInTimeView(self._cache, day)

    def symbols(self) -> tuple[str, ...]:
        """Return all symbols of the store, sorted."""
        return self.store.symbols()

    def available_intervals(self, symbol: str, as_of: date | None = None) -> tuple[str, ...]:
        """Return the stored intervals of a symbol, finest first."""
        return self.store.intervals(symbol) if as_of is None else self.on_day(as_of).available_intervals(symbol)

    def coverage(self, symbol: str, interval: str, as_of: date | None = None) -> Coverage | None:
        """Return the coverage of one symbol and interval, or None where nothing is stored."""
        if as_of is None:
            return self.store.coverage_of(symbol, interval)
        return self.on_day(as_of).coverage(symbol, interval)

    def actions(self, symbol: str, first: date, as_of: date) -> tuple[Action, ...]:
        """Return the actions that bars from ``first`` on are adjusted for, and renames, sorted by ex-date."""
        return self.on_day(as_of).actions(symbol, first)

    def hint(self, symbol: str, as_of: date) -> str:
        """Return advice on an unknown symbol, with a leading blank, or an empty text."""
        return self.on_day(as_of).hint(symbol)

    def prefetch(
        self, symbols: Sequence[str], base: str, first: date, last: date, *, as_of: date | None = None
    ) -> None:
        """Bring stored bars of many symbols into the cache with one read.

        Symbols without bars are skipped.

        Args:
            symbols: The symbols.
            base: A stored interval.
            first: First session date; need not be a session.
            last: Last session date, inclusive.
            as_of: The day on which ``symbols`` had these names; None: the names that bars are stored under.

        Raises:
            DamagedFileError: A file cannot be read; then no bars of this call are cached.
        """
        if as_of is not None:
            self.on_day(as_of).prefetch(symbols, base, first, last)
            return
        with self._cache.lock:
            cache = self.cache
            held = [s for s in dict.fromkeys(symbols) if base in cache.facts.manifest.intervals(s)]
            cache.provide(held, base, day_number(first), day_number(last))

    def load_historical_bars(
        self,
        symbol: str,
        interval: str,
        first: date,
        last: date,
        *,
        base: str | None = None,
        as_of: date | None = None,
    ) -> Bars:
        """Return the bars of the sessions from ``first`` to ``last``, both inclusive.

        Args:
            symbol: A symbol of the store; with ``as_of``, a name of that day.
            interval: Any interval that a stored one builds.
            first: First session date; need not be a session.
            last: Last session date.
            base: The stored interval to derive from; by default the coarsest that builds ``interval`` exactly.
            as_of: The day on whose price basis the bars are; None: as stored.

        Returns:
            Views of cached columns, in ascending time. ``end`` is each bar's close by the calendar. A daily bar runs
            from its session's open to its close. A bar of several sessions (``1w``, ``5d``) is returned when its first
            session lies in the range; it is made of all its sessions, so its ``end`` may lie after ``last``.

        Raises:
            DataError: The store has no bars of the symbol, or none of ``base``; or a dividend is not below its close.
            IntervalError: ``base``, or without it no stored interval, builds ``interval``.
            CalendarError: The dates are outside the calendar.
            DamagedFileError: A file cannot be read.
        """
        if as_of is not None:
            return self.on_day(as_of).load_historical_bars(symbol, interval, first, last, base=base)
        with self._cache.lock:
            cache = self.cache
            held = cache.facts.manifest.intervals(symbol)
            if not held:
                raise unknown_symbol(symbol, self.store.path, did_you_mean(symbol, self.symbols()))
            bases = [name for name in held if cache.facts.is_on_grid(symbol, name)]
            off = [name for name in held if name not in bases]
            request = cache.request(symbol, interval, first, last, base=base, held=bases, off_grid=off)
            return cache.bars(symbol, request) if request is not None else Bars.empty()

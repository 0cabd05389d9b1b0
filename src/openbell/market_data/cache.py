"""The cache of stored, derived and adjusted bars, and the requests to it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from openbell.errors import DamagedFileError
from openbell.market_data.adjusted_cache import AdjustedCache
from openbell.market_data.bar_requests import (
    BarRequest,
    LoadSettings,
    SeriesKey,
    gap_policy_of,
    stored_interval,
)
from openbell.market_data.column_memo import ColumnMemo
from openbell.market_data.day_memo import DayMemo
from openbell.market_data.dividends import DividendFactors
from openbell.market_data.gap_filling import build_missing, forward_filled
from openbell.market_data.series import CachedSeries, SharedSeries, SharedTimes
from openbell.market_data.series_growth import LatestBars
from openbell.market_data.stored_facts import StoredFacts, changed_series
from openbell.market_data.stored_history import (
    READ_ROWS,
    read_batches,
    read_sessions,
    read_through,
)
from openbell.model.bars import PRICE_COLUMNS, Bars
from openbell.model.interval import Interval, parse_interval
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from openbell.market_data.today_bars import TodayBars
    from openbell.store.store import BarStore
    from openbell.timing.time_manager import TimeManager

__all__ = ["BarCache"]


class BarCache:
    """Series of one state of a store, each over a contiguous range of sessions.

    Use it with its ``lock`` held.

    A miss reads ahead in the direction of the ``horizon``, to the end of a file of each symbol. So a backtest that asks
    day by day reads each file once, and has no more in memory than it looks back on and one such file. All days are
    numbers since 1970-01-01, and ranges of them include both ends.

    Args:
        store: Where the bars are.
        time_manager: Sessions and hours.
        settings: The settings of all loads.
        today: The bars of a running session, which the store does not have yet.

    Attributes:
        lock: One lock for the caches of all states of the store.
        facts: What the store held when the cache was made.
        adjusted: Series that are adjusted for corporate actions.
        computed: Columns that follow from those of series, where runs come again.
        remembered: What else follows from the state of the store and a day, likewise.
        times: The times that series share.
        series: Stored and derived series in memory.
        stored_rows: The number of stored bars in memory.
    """

    def __init__(
        self, store: BarStore, time_manager: TimeManager, settings: LoadSettings, today: TodayBars | None = None
    ) -> None:
        self.store = store
        self._today = today
        self.time_manager = time_manager
        self.settings = settings
        self.lock = RLock()
        self.facts = StoredFacts(store, time_manager, today)
        self.times = SharedTimes(time_manager)
        self.series: dict[SeriesKey, CachedSeries] = {}
        self.stored_rows = 0
        # With synthetic bars, for as long as the series without them is in use.
        self._filled: WeakKeyDictionary[CachedSeries, CachedSeries] = WeakKeyDictionary()
        # The most sessions that were asked for at once, per symbol and base: so much stays when a series moves on.
        self._depth: dict[tuple[str, str], int] = defaultdict(int)
        self.adjusted = AdjustedCache(every_basis=settings.rerun)
        self.computed = ColumnMemo() if settings.rerun else None
        self.remembered = DayMemo() if settings.rerun else None
        self._newest: list[BarCache] = [self]
        self.dividends = DividendFactors(store, time_manager)

    @cached_property
    def shared(self) -> SharedSeries:
        """The series that other processes use as well."""
        tm, settings = self.time_manager, replace(self.settings, horizon=None, shared=None)
        state = tm.sessions_of, tm.session_hours, settings, self.facts.manifest.digest
        return SharedSeries(self.settings.shared, repr(state), self.times)

    def current(self) -> BarCache:
        """Return the cache of the store as it is now."""
        # One place for the caches of all states: each pointing to the next would keep the bars of its time.
        newest = self._newest
        while not newest[0].facts.are_current:
            newest[0] = newest[0].of_new_state()
        return newest[0]

    def request(
        self,
        symbol: str,
        interval: str,
        first: date,
        last: date,
        *,
        base: str | None,
        held: Sequence[str],
        off_grid: Sequence[str] = (),
    ) -> BarRequest | None:
        """Return what to load of a symbol, or None for a range without a session.

        ``held`` are the intervals in which the symbol is stored, ``off_grid`` others that build nothing.

        Raises:
            DataError: ``base`` is not stored.
            IntervalError: Nothing that is stored builds ``interval``.
        """
        source = stored_interval(symbol, interval, base, held, self.store.path, off_grid)
        wanted = parse_interval(interval)
        if last < first or not len(self.time_manager.grid(first, last)):
            return None
        fill = wanted.is_intraday and gap_policy_of(self.settings.gap_policy, symbol, str(wanted)) == "forward"
        return BarRequest(source, wanted, day_number(first), day_number(last), fill)

    def bars(self, symbol: str, request: BarRequest) -> Bars:
        """Return views of the bars stored under a symbol, or derived from these.

        Raises:
            DamagedFileError: A file cannot be read.
        """
        base, wanted, first_day, last_day, fill = request
        found = self.series.get((symbol, base, wanted))
        if found is None or not found.covers(first_day, last_day):
            found = self._load(symbol, base, wanted, first_day, last_day)
        return (self.forward_filled(found, wanted) if fill else found).between(first_day, last_day)

    def forward_filled(self, series: CachedSeries, interval: Interval) -> CachedSeries:
        """Return a series with synthetic bars in its gaps."""
        filled = self._filled.get(series)
        if filled is None:
            filled = self.shared.filled(series, lambda: self._fill(series, interval))
            self._filled[series] = filled
        return filled

    def _fill(self, series: CachedSeries, interval: Interval) -> CachedSeries:
        grid = self.time_manager.grid(date_of(series.first_day), date_of(series.last_day))
        return self.times.series(series.sessions, forward_filled(series.bars, grid, interval))

    def stored(self, symbol: str, base: str, first_day: int, last_day: int) -> CachedSeries:
        """Return stored bars over at least a range of days.

        Raises:
            DamagedFileError: A file cannot be read.
        """
        self.provide([symbol], base, first_day, last_day)
        return self.series[symbol, base, parse_interval(base)]

    def derived(self, source: CachedSeries, stored: Interval, wanted: Interval) -> CachedSeries:
        """Make bars of ``wanted`` from stored ones, as far as they are whole."""
        return self.times.derived(source, wanted, base=stored, min_completeness=self.settings.min_completeness)

    def provide(self, symbols: Sequence[str], base: str, first_day: int, last_day: int) -> None:
        """Bring a range of days of all these symbols, or none, into the cache.

        Raises:
            DamagedFileError: A file cannot be read.
        """
        stored = parse_interval(base)
        sessions = len(self.time_manager.grid(date_of(first_day), date_of(last_day)))
        for symbol in symbols:
            self._depth[symbol, base] = max(self._depth[symbol, base], sessions)
        missing = [symbol for symbol in symbols if not self._covers((symbol, base, stored), first_day, last_day)]
        if missing:
            with self.shared.alone():
                left = [s for s in missing if not self._is_shared((s, base, stored), first_day, last_day)]
                self._read_missing(left, base, first_day, last_day)

    def _is_shared(self, key: SeriesKey, first_day: int, last_day: int) -> bool:
        """Return whether another process has made a series, which is in the cache then."""
        found = self.shared.find(key, first_day, last_day)
        if found is not None:
            self._put(key, found)
        return found is not None

    def _read_missing(self, missing: Sequence[str], base: str, first_day: int, last_day: int) -> None:
        if not missing:
            return
        stored = parse_interval(base)
        horizon = last_day if self.settings.horizon is None else max(last_day, day_number(self.settings.horizon))
        manifest, everything = self.facts.manifest, self.settings.rerun
        through = read_through(
            manifest, missing, base, first_day, last_day, horizon, self.stored_rows, all_days=everything
        )
        reads: dict[tuple[int, int], list[str]] = defaultdict(list)
        for symbol in missing:
            reads[self._days_to_read((symbol, base, stored), first_day, last_day, through)].append(symbol)
        found: list[tuple[str, CachedSeries]] = []
        for (begin, end), group in reads.items():
            try:
                found += self._read(group, base, begin, end)
            except DamagedFileError:
                # The file may be one that would only have been read ahead: then it costs no more than its own month.
                asked_end = max(begin, min(end, last_day))
                if asked_end == end:
                    raise
                found += self._read(group, base, begin, asked_end)
        while found:  # one by one: a series and its parts are in memory together, but not those of all symbols
            symbol, new = found.pop()
            self._put_stored((symbol, base, stored), new)

    def forget(self, symbols: Iterable[str]) -> None:
        """Drop all that is in memory of symbols that nobody needs any more."""
        gone = set(symbols)
        stored = 0
        for key in [key for key in self.series if key[0] in gone]:
            series = self.series.pop(key)
            stored += len(series.bars) if str(key[2]) == key[1] else 0
        self.stored_rows -= stored
        for base in {base for _, base in self._depth}:
            self.adjusted.drop(gone, base)
        for symbol, base in [key for key in self._depth if key[0] in gone]:
            del self._depth[symbol, base]
        self.facts.securities.forget(gone)

    def grow(self, symbols: Sequence[str], base: str) -> None:
        """Let the series of symbols go on to what has come of the running session by now.

        What was made of them before is made anew when it is asked for.
        """
        if self._today is None:
            return
        latest, stored, grown = (
            LatestBars(self._today, self.time_manager, self.times),
            parse_interval(base),
            set(symbols),
        )
        for key in [key for key in self.series if key[1] == base and key[0] in grown]:
            if key[2] == stored:
                self.series[key] = latest.continued(self.series[key], key[0], stored)
            else:
                del self.series[key]
        self.adjusted.drop(grown, base)

    def of_new_state(self) -> BarCache:
        """Make the cache of the store's new state, with all unchanged series."""
        later = BarCache(self.store, self.time_manager, self.settings, self._today)
        later.lock, later._newest = self.lock, self._newest
        changed = changed_series(self.facts.manifest, later.facts.manifest)
        self._hand_over_series(later, changed)
        securities = later.facts.continued_from(self.facts, {symbol for symbol, _ in changed})
        if securities is not None:
            self.adjusted.hand_over(later.adjusted, securities)
        return later

    def _hand_over_series(self, later: BarCache, changed: set[tuple[str, str]]) -> None:
        """Give a later cache the series that do not depend on changed files."""
        later.times, later._filled, later.computed = self.times, self._filled, self.computed
        later._depth.update(self._depth)
        symbols = {symbol for symbol, _ in changed}
        for key, series in self.series.items():
            symbol, base, wanted = key
            # Where gaps are filled, a series is made of the finer ones, too.
            if not (symbol in symbols if self.settings.gap_fill else (symbol, base) in changed):
                later.series[key] = series
                later.stored_rows += len(series.bars) if str(wanted) == base else 0

    def _load(self, symbol: str, base: str, wanted: Interval, first_day: int, last_day: int) -> CachedSeries:
        """Bring a series into the cache."""
        stored = parse_interval(base)
        if wanted == stored:
            return self.stored(symbol, base, first_day, last_day)
        _, whole_last = self.time_manager.widened(wanted, date_of(first_day), date_of(last_day))

        def made() -> CachedSeries:
            source = self.stored(symbol, base, first_day, max(last_day, day_number(whole_last)))
            return self.derived(source, stored, wanted)

        key = symbol, base, wanted
        derived = self.series[key] = self.shared.of(key, first_day, last_day, made)
        return derived

    def _covers(self, key: SeriesKey, first_day: int, last_day: int) -> bool:
        series = self.series.get(key)
        return series is not None and series.covers(first_day, last_day)

    def _read(self, symbols: Sequence[str], base: str, first_day: int, last_day: int) -> list[tuple[str, CachedSeries]]:
        """Read the stored bars of a range of days, and build missing ones if asked to."""
        stored = parse_interval(base)
        grid = self.time_manager.grid(date_of(first_day), date_of(last_day))
        sessions = self.times.sessions(first_day, last_day)
        latest = None if self._today is None else LatestBars(self._today, self.time_manager, self.times)
        found = []
        for batch in read_batches(self.facts.manifest, symbols, base, first_day, last_day):
            for symbol, bars in read_sessions(self.store, batch, stored, grid, sessions):
                whole = build_missing(self.store, symbol, bars, grid, stored) if self.settings.gap_fill else bars
                series = self.times.series(sessions, whole)
                found.append((symbol, series if latest is None else latest.continued(series, symbol, stored)))
        return found

    def _days_to_read(self, key: SeriesKey, first_day: int, last_day: int, through: int) -> tuple[int, int]:
        """Return the days to read so that a series covers a range.

        Of a series that moves on, days that nobody will ask for again are dropped.
        """
        cached = self.series.get(key)
        if cached is not None and cached.first_day <= first_day <= cached.last_day + 1:
            if self.settings.rerun and self.stored_rows <= READ_ROWS:
                return cached.last_day + 1, through
            # Days only move on: what lies further back than was ever asked for will not be asked for again.
            symbol, base, _ = key
            days = cached.sessions.days
            coming = len(self.time_manager.grid(date_of(cached.last_day + 1), date_of(last_day)))
            needed = days[max(0, len(days) + coming - self._depth[symbol, base]) :]
            self._drop_before(min([first_day, *needed[:1].tolist()]), key)
            return cached.last_day + 1, through
        if cached is not None and cached.first_day - 1 <= last_day <= cached.last_day:
            return first_day, cached.first_day - 1
        return first_day, through

    def _drop_before(self, day: int, key: SeriesKey) -> None:
        """Drop the bars of days before ``day``, but for the last day of all."""
        old = self.series[key]
        day = min(day, old.last_day)
        if day > old.first_day:
            bars = old.between(day, old.last_day)
            # Copies, because views would keep the whole in memory.
            copied = Bars.of(bars.times, *(getattr(bars, n).copy() for n in PRICE_COLUMNS))
            self.series[key] = self.times.series(self.times.sessions(day, old.last_day), copied)
            self.stored_rows -= len(old.bars) - len(bars)

    def _put_stored(self, key: SeriesKey, new: CachedSeries) -> None:
        """Put new bars into the cache, joined with those that they continue."""
        old = self.series.get(key)
        joined = new
        if old is not None and new.last_day == old.first_day - 1:
            joined = self.times.joined(new, old)
        elif old is not None and old.last_day == new.first_day - 1:
            joined = self.times.joined(old, new)
        self._put(key, self.shared.put(key, joined) if self.stored_rows <= READ_ROWS else joined)

    def _put(self, key: SeriesKey, series: CachedSeries) -> None:
        old = self.series.get(key)
        self.stored_rows += len(series.bars) - (len(old.bars) if old is not None else 0)
        self.series[key] = series

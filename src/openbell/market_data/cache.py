"""The cache of stored, derived and adjusted bars, and requests for them."""

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

    A miss reads ahead towards the ``horizon``, to the end of a file of each symbol. So a backtest that loads day by
    day reads each file once, and has in memory only its lookback and one such file per symbol. All days are counted
    from 1970-01-01, and ranges of days include both ends.

    Args:
        store: Where the bars are.
        time_manager: Sessions and hours.
        settings: The settings of all loads.
        today: The bars of a running session, which the store does not have yet.

    Attributes:
        lock: One lock for the caches of all states of the store.
        facts: The symbols, spans and corporate actions of the store when the cache was made.
        adjusted: Series that are adjusted for corporate actions.
        computed: Memo of columns computed from those of series; None unless runs repeat the same days.
        remembered: Memo of other results that follow from the state of the store and a day; None unless runs repeat
            the same days.
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
        # Series with synthetic bars, cached for as long as the series without these is in use.
        self._filled: WeakKeyDictionary[CachedSeries, CachedSeries] = WeakKeyDictionary()
        # The most sessions of one request, per symbol and base: this many stay when a series moves on to later days.
        self._depth: dict[tuple[str, str], int] = defaultdict(int)
        self.adjusted = AdjustedCache(every_basis=settings.rerun)
        self.computed = ColumnMemo() if settings.rerun else None
        self.remembered = DayMemo() if settings.rerun else None
        self._newest: list[BarCache] = [self]
        self.dividends = DividendFactors(store, time_manager)

    @cached_property
    def shared(self) -> SharedSeries:
        """The series that processes share."""
        tm, settings = self.time_manager, replace(self.settings, horizon=None, shared=None)
        state = tm.sessions_of, tm.session_hours, settings, self.facts.manifest.digest
        return SharedSeries(self.settings.shared, repr(state), self.times)

    def current(self) -> BarCache:
        """Return the cache of the store as it is now."""
        # One list that the caches of all states share: if each pointed to the next, old bars would stay in memory.
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
            IntervalError: ``base``, or without it no stored interval, builds ``interval``.
        """
        source = stored_interval(symbol, interval, base, held, self.store.path, off_grid)
        wanted = parse_interval(interval)
        if last < first or not len(self.time_manager.grid(first, last)):
            return None
        fill = wanted.is_intraday and gap_policy_of(self.settings.gap_policy, symbol, str(wanted)) == "forward"
        return BarRequest(source, wanted, day_number(first), day_number(last), fill)

    def bars(self, symbol: str, request: BarRequest) -> Bars:
        """Return the bars stored under a symbol, or derived from these, as views of cached columns.

        Raises:
            DamagedFileError: A file cannot be read.
        """
        base, wanted, first_day, last_day, fill = request
        found = self.series.get((symbol, base, wanted))
        if found is None or not found.covers(first_day, last_day):
            found = self._load(symbol, base, wanted, first_day, last_day)
        return (self.forward_filled(found, wanted) if fill else found).between(first_day, last_day)

    def forward_filled(self, series: CachedSeries, interval: Interval) -> CachedSeries:
        """Return a series with synthetic bars in its gaps, made once per series."""
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
        """Aggregate a stored series to the interval ``wanted``, up to the last complete bar."""
        return self.times.derived(source, wanted, base=stored, min_completeness=self.settings.min_completeness)

    def provide(self, symbols: Sequence[str], base: str, first_day: int, last_day: int) -> None:
        """Bring the stored bars of a range of days into the cache.

        If one symbol cannot be read, no symbol's bars are cached.

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
        """Return whether another process shares the series, and cache it if so."""
        found = self.shared.find(key, first_day, last_day)
        if found is not None:
            self._put(key, found)
        return found is not None

    def _read_missing(self, missing: Sequence[str], base: str, first_day: int, last_day: int) -> None:
        """Read and cache stored bars, ahead as far as memory allows."""
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
                # The damaged file may be one that was only read ahead, which must not fail the days requested now.
                requested_end = max(begin, min(end, last_day))
                if requested_end == end:
                    raise
                found += self._read(group, base, begin, requested_end)
        while found:  # popped one by one, so that only one symbol has both its parts and the joined series in memory
            symbol, new = found.pop()
            self._put_stored((symbol, base, stored), new)

    def forget(self, symbols: Iterable[str]) -> None:
        """Drop everything cached of symbols that nobody needs any more."""
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
        """Extend the stored series of symbols by the running session's latest bars.

        Series derived or adjusted from them are dropped, and made again when they are requested.
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
        """Return a cache of the store's present state, with all series that have not changed."""
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
            # With ``gap_fill``, a series may have bars built from finer ones, so any change of the symbol counts.
            if not (symbol in symbols if self.settings.gap_fill else (symbol, base) in changed):
                later.series[key] = series
                later.stored_rows += len(series.bars) if str(wanted) == base else 0

    def _load(self, symbol: str, base: str, wanted: Interval, first_day: int, last_day: int) -> CachedSeries:
        """Read or derive a series, cache it and return it."""
        stored = parse_interval(base)
        if wanted == stored:
            return self.stored(symbol, base, first_day, last_day)
        _, whole_last = self.time_manager.widened(wanted, date_of(first_day), date_of(last_day))

        def make() -> CachedSeries:
            source = self.stored(symbol, base, first_day, max(last_day, day_number(whole_last)))
            return self.derived(source, stored, wanted)

        key = symbol, base, wanted
        derived = self.series[key] = self.shared.of(key, first_day, last_day, make)
        return derived

    def _covers(self, key: SeriesKey, first_day: int, last_day: int) -> bool:
        series = self.series.get(key)
        return series is not None and series.covers(first_day, last_day)

    def _read(self, symbols: Sequence[str], base: str, first_day: int, last_day: int) -> list[tuple[str, CachedSeries]]:
        """Read the bars of a range of days.

        With ``gap_fill``, missing bars are built. Bars of the running session are added.
        """
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
        """Return the first and last day to read so that a series covers a range.

        When a series moves on to later days, days that nobody will request again are dropped.
        """
        cached = self.series.get(key)
        if cached is not None and cached.first_day <= first_day <= cached.last_day + 1:
            if self.settings.rerun and self.stored_rows <= READ_ROWS:
                return cached.last_day + 1, through
            # Requests only move on to later days: none will look back further than the longest one so far.
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
        """Drop the bars of days before ``day``, but never those of the series' last day."""
        old = self.series[key]
        day = min(day, old.last_day)
        if day > old.first_day:
            bars = old.between(day, old.last_day)
            # Copies, because views would keep the whole columns in memory.
            copied = Bars.of(bars.times, *(getattr(bars, n).copy() for n in PRICE_COLUMNS))
            self.series[key] = self.times.series(self.times.sessions(day, old.last_day), copied)
            self.stored_rows -= len(old.bars) - len(bars)

    def _put_stored(self, key: SeriesKey, new: CachedSeries) -> None:
        """Cache new bars, joined with cached ones that end or begin next to them."""
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

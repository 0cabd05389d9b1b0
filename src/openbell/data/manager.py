"""`DataManager`: the one way to bars. It reads, derives and keeps them, by the exchange's sessions."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from openbell.bars import Bars
from openbell.data.aggregate import aggregate
from openbell.data.cache import CachedBars, SessionRange
from openbell.data.session_reader import read_sessions, rows_between
from openbell.errors import DamagedFileError, DataError, IntervalError, did_you_mean
from openbell.interval import Interval, base_candidates, determine_required_base, parse_interval
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from openbell.data.store import BarStore, Coverage
    from openbell.timing.manager import TimeManager

__all__ = ["DataManager"]

READ_ROWS = 20_000_000
"""How many bars one bulk read may bring, and how many the cache may hold before it stops reading ahead."""


class _Read(NamedTuple):
    """A range of dates to read, in days since 1970-01-01, both inclusive."""

    first_day: int
    last_day: int


class DataManager:
    """Bars of a store as the sessions of an exchange, from memory where they were read before.

    Every series is kept over a contiguous range of sessions. A backtest that asks day by day reads each file once: a
    miss reads ahead to the ``horizon``, and what follows is a slice. May be used from any thread.

    Args:
        store: Where the bars are.
        time_manager: Sessions and hours: bars outside its segments are left out.
        min_completeness: Derived bars with a smaller share of their base bars are left out (0 to 1).
        horizon: The last day that will be asked for; None reads only what is asked for.
    """

    def __init__(
        self,
        store: BarStore,
        time_manager: TimeManager,
        *,
        min_completeness: float = 0.0,
        horizon: date | None = None,
    ) -> None:
        self.store = store
        self.time_manager = time_manager
        self.min_completeness = min_completeness
        self.horizon = horizon
        self._lock = threading.RLock()
        self._version = store.version
        self._cached: dict[tuple[str, str, Interval], CachedBars] = {}
        self._base_rows = 0
        # The most days that were asked for at once, per symbol and base: so much stays when a series moves on.
        self._depth: dict[tuple[str, str], int] = defaultdict(int)

    def symbols(self) -> tuple[str, ...]:
        """All symbols of the store, sorted."""
        return self.store.symbols()

    def available_intervals(self, symbol: str) -> tuple[str, ...]:
        """The intervals stored of ``symbol``, finest first; empty when it is not there."""
        return self.store.intervals(symbol)

    def coverage(self, symbol: str, interval: str) -> Coverage | None:
        """What is stored of one symbol and interval, from the manifest; None when nothing is."""
        return self.store.coverage_of(symbol, interval)

    def prefetch(self, symbols: Sequence[str], base: str, first: date, last: date) -> None:
        """Bring stored bars of many symbols into the cache with one read; symbols that have none are passed over.

        Args:
            symbols: Which.
            base: A stored interval.
            first: First session date; need not be a session.
            last: Last session date, inclusive.

        Raises:
            DamagedFileError: A file cannot be read; nothing of this call is in the cache.
        """
        with self._lock:
            self._forget_if_changed()
            held = [s for s in dict.fromkeys(symbols) if base in self.store.intervals(s)]
            self._provide(held, base, day_number(first), day_number(last))

    def load_historical_bars(
        self, symbol: str, interval: str, first: date, last: date, *, base: str | None = None
    ) -> Bars:
        """Bars of the sessions from ``first`` to ``last``, both inclusive.

        Args:
            symbol: A symbol of the store.
            interval: Any interval that a stored one builds.
            first: First session date; need not be a session.
            last: Last session date.
            base: The stored interval to derive from; by default the coarsest that builds ``interval`` exactly.

        Returns:
            Views of cached columns, in ascending time. ``end`` is each bar's close by the calendar. A daily bar runs
            from its session's open to its close. A bar of several sessions (``1w``, ``5d``) is part of the answer when
            its first session is; it is made of all its sessions, so its ``end`` may lie after ``last``.

        Raises:
            DataError: The store has no bars of the symbol, or none of ``base``.
            IntervalError: Nothing that is stored builds ``interval``.
            CalendarError: The dates are outside the calendar.
            DamagedFileError: A file cannot be read.
        """
        wanted = parse_interval(interval)
        first_day, last_day = day_number(first), day_number(last)
        with self._lock:
            self._forget_if_changed()
            source = self._source(symbol, interval, base)
            cached = self._cached.get((symbol, source, wanted))
            if cached is None or not cached.covers(first_day, last_day):
                if last_day < first_day or not len(self.time_manager.grid(first, last)):
                    return Bars.empty()
                cached = self._fill(symbol, source, wanted, first_day, last_day)
            return cached.between(first_day, last_day)

    def _source(self, symbol: str, interval: str, base: str | None) -> str:
        """The stored interval to read."""
        held = self.store.intervals(symbol)
        if not held:
            raise DataError(
                f"the store {self.store.path} has no bars of {symbol}.{did_you_mean(symbol, self.store.symbols())} "
                "Import some with: openbell data import"
            )
        if base is None:
            return determine_required_base(interval, held)
        if base not in base_candidates(interval):
            raise IntervalError(f"{interval} bars cannot be made of {base} bars.")
        if base not in held:
            raise DataError(f"the store {self.store.path} has no {base} bars of {symbol}; it has {', '.join(held)}.")
        return base

    def _forget_if_changed(self) -> None:
        """Empty the cache when an import has changed the store."""
        version = self.store.version
        if version != self._version:
            self._version = version
            self._cached.clear()
            self._base_rows = 0

    def _fill(self, symbol: str, base: str, wanted: Interval, first_day: int, last_day: int) -> CachedBars:
        """Bring a series that is wanted into the cache."""
        stored = parse_interval(base)
        if wanted == stored:
            self._provide([symbol], base, first_day, last_day)
            return self._cached[symbol, base, stored]
        _, whole_last = self.time_manager.widened(wanted, date_of(first_day), date_of(last_day))
        self._provide([symbol], base, first_day, max(last_day, day_number(whole_last)))
        source = self._cached[symbol, base, stored]
        grid = self.time_manager.grid(date_of(source.first_day), date_of(source.last_day))
        bars = aggregate(source.bars, grid, wanted, base=stored, min_completeness=self.min_completeness)
        through = self._whole_through(wanted, source.last_day)
        derived = CachedBars(SessionRange.of(source.first_day, through, grid), bars)
        self._cached[symbol, base, wanted] = derived
        return derived

    def _whole_through(self, wanted: Interval, last_day: int) -> int:
        """The last day up to which bars of ``wanted`` are whole, made from base bars up to ``last_day``."""
        if wanted.is_intraday:
            return last_day
        last_session = self.time_manager.last_session_on_or_before(date_of(last_day))
        begin, end = self.time_manager.widened(wanted, last_session, last_session)
        return last_day if end == last_session else day_number(begin) - 1

    def _provide(self, symbols: Sequence[str], base: str, first_day: int, last_day: int) -> None:
        """Make the cache cover a range of dates for these symbols, all or none of them."""
        stored = parse_interval(base)
        reads: dict[_Read, list[str]] = defaultdict(list)
        reach: int | None = None
        for symbol in symbols:
            self._depth[symbol, base] = max(self._depth[symbol, base], last_day - first_day)
            cached = self._cached.get((symbol, base, stored))
            if cached is not None and cached.covers(first_day, last_day):
                continue
            if reach is None:
                reach = self._reach(symbols, base, first_day, last_day)
            reads[_missing(cached, first_day, last_day, reach)].append(symbol)
        found: list[tuple[str, CachedBars]] = []
        for read, group in reads.items():
            try:
                found += self._read(read, group, base)
            except DamagedFileError:
                # The file may be one that would only have been read ahead: then it costs no more than its own month.
                asked = read._replace(last_day=max(read.first_day, min(read.last_day, last_day)))
                if asked == read:
                    raise
                found += self._read(asked, group, base)
        for symbol, new in found:
            self._keep(symbol, base, stored, new, first_day, last_day)

    def _read(self, read: _Read, symbols: Sequence[str], base: str) -> list[tuple[str, CachedBars]]:
        """The bars of a range of dates as the store has them."""
        grid = self.time_manager.grid(date_of(read.first_day), date_of(read.last_day))
        sessions = SessionRange.of(*read, grid)
        return [
            (symbol, CachedBars(sessions, bars))
            for chunk in self._chunks(symbols, base, read)
            for symbol, bars in read_sessions(self.store, chunk, parse_interval(base), grid, sessions)
        ]

    def _reach(self, symbols: Sequence[str], base: str, first_day: int, last_day: int) -> int:
        """How far to read, in days since 1970-01-01: to the horizon, or as far as the room in the cache allows."""
        horizon = last_day if self.horizon is None else max(last_day, day_number(self.horizon))
        expected = rows_between(self.store.manifest, symbols, base, first_day, horizon)
        room = READ_ROWS - self._base_rows
        if expected <= room:
            return horizon
        return max(last_day, first_day + int((horizon - first_day) * max(room, 0) / expected))

    def _chunks(self, symbols: Sequence[str], base: str, read: _Read) -> Iterator[Sequence[str]]:
        """The symbols in groups of which each is one bulk read of bounded size."""
        expected = rows_between(self.store.manifest, symbols, base, *read)
        size = max(1, len(symbols) * READ_ROWS // max(READ_ROWS, int(expected)))
        for begin in range(0, len(symbols), size):
            yield symbols[begin : begin + size]

    def _keep(self, symbol: str, base: str, stored: Interval, new: CachedBars, first_day: int, last_day: int) -> None:
        """Put what was read into the cache, joined with what it continues."""
        key = (symbol, base, stored)
        old = self._cached.get(key)
        joined = new
        if old is not None and new.last_day == old.first_day - 1:
            joined = self._joined(new, old, new.first_day)
        elif old is not None and old.last_day == new.first_day - 1:
            # What lies further back than was ever asked for will not be asked for again: days only move on.
            since = max(old.first_day, min(first_day, last_day - self._depth[symbol, base]))
            joined = self._joined(old, new, since)
        self._base_rows += len(joined.bars) - (len(old.bars) if old is not None else 0)
        self._cached[key] = joined

    def _joined(self, earlier: CachedBars, later: CachedBars, since: int) -> CachedBars:
        """Two series that touch as one, from the date ``since`` on."""
        grid = self.time_manager.grid(date_of(since), date_of(later.last_day))
        bars = Bars.concat([earlier.between(since, earlier.last_day), later.bars])
        return CachedBars(SessionRange.of(since, later.last_day, grid), bars)


def _missing(cached: CachedBars | None, first_day: int, last_day: int, reach: int) -> _Read:
    """What must be read so that a series covers a range; touches what is cached where that is possible."""
    if cached is not None and cached.first_day <= first_day <= cached.last_day + 1:
        return _Read(cached.last_day + 1, reach)
    if cached is not None and cached.first_day - 1 <= last_day <= cached.last_day:
        return _Read(first_day, cached.first_day - 1)
    return _Read(first_day, reach)

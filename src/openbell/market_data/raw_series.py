"""`RawSeries`: stored bars and what derives from them, kept in memory over contiguous ranges of sessions."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from openbell.errors import DamagedFileError
from openbell.market_data.cache import CachedBars
from openbell.market_data.gaps import as_inputs, build_missing, forward_filled
from openbell.market_data.session_reader import are_read_in_parts, end_of_files, read_sessions, rows_between
from openbell.market_data.shared_times import SharedTimes
from openbell.model.bars import PRICE_COLUMNS, Bars
from openbell.model.interval import Interval, parse_interval
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import date

    from openbell.store.manifest import Manifest
    from openbell.store.store import BarStore
    from openbell.timing.grid import SessionGrid
    from openbell.timing.manager import TimeManager

__all__ = ["RawSeries", "changed_series"]

READ_ROWS = 20_000_000
"""How many bars one bulk read may bring, and how many the cache may hold before it stops reading ahead."""

AHEAD_ROWS, AHEAD_ROWS_EACH = 50_000, 8_000
"""How many bars are read beyond what is asked for: so many, or so many of each symbol, which is a month of minutes; and
more where files go on. What days move past is dropped then."""

_FEW_SYMBOLS = 20
"""Of so many symbols twice that is read ahead: each read has its price, and twice as much of them is still not much."""


class _Read(NamedTuple):
    """A range of dates to read, in days since 1970-01-01, both inclusive."""

    first_day: int
    last_day: int


class RawSeries:
    """The series of one state of a store, as they are stored; not for several threads at once.

    A miss reads ahead in the direction of the ``horizon``, to the end of a file of each symbol, so that a backtest that
    asks day by day reads each file once, and has no more in memory than it looks back on and one such piece. All days
    are numbers since 1970-01-01, and ranges of them include both ends.

    Args:
        store: Where the bars are.
        time_manager: Sessions and hours.
        min_completeness: Derived bars with a smaller share of their base bars are left out (0 to 1).
        gap_fill: Whether missing bars are built from complete finer ones where the store has these.
        horizon: The last day that will be asked for; None reads only what is asked for.
    """

    def __init__(
        self,
        store: BarStore,
        time_manager: TimeManager,
        *,
        min_completeness: float,
        gap_fill: bool,
        horizon: date | None,
    ) -> None:
        self.store = store
        self.time_manager = time_manager
        self._min_completeness = min_completeness
        self._gap_fill = gap_fill
        self._horizon = horizon
        self.times = SharedTimes(time_manager)
        self._cached: dict[tuple[str, str, Interval], CachedBars] = {}
        # With synthetic bars, for as long as the series without them is in use.
        self._filled: WeakKeyDictionary[CachedBars, CachedBars] = WeakKeyDictionary()
        self._base_rows = 0
        # The most sessions that were asked for at once, per symbol and base: so much stays when a series moves on.
        self._depth: dict[tuple[str, str], int] = defaultdict(int)

    def without(self, changed: AbstractSet[tuple[str, str]]) -> RawSeries:
        """The same of a later state of the store, in which the files of these (symbol, interval) are not the same."""
        later = RawSeries(
            self.store,
            self.time_manager,
            min_completeness=self._min_completeness,
            gap_fill=self._gap_fill,
            horizon=self._horizon,
        )
        later.times, later._filled = self.times, self._filled  # what follows from series that do not change
        later._depth.update(self._depth)
        symbols = {symbol for symbol, _ in changed}
        for key, series in self._cached.items():
            symbol, base, wanted = key
            # Where gaps are filled, a series is made of the finer ones, too.
            if not (symbol in symbols if self._gap_fill else (symbol, base) in changed):
                later._cached[key] = series
                later._base_rows += len(series.bars) if str(wanted) == base else 0
        return later

    def bars(
        self, symbol: str, base: str, wanted: Interval, first_day: int, last_day: int, *, fill: bool = False
    ) -> Bars:
        """Bars of an interval as they are stored, or derived from ``base``; views. The range must hold a session.

        ``fill`` puts synthetic bars into their gaps.

        Raises:
            DamagedFileError: A file cannot be read.
        """
        cached = self._cached.get((symbol, base, wanted))
        if cached is None or not cached.covers(first_day, last_day):
            cached = self._fetch(symbol, base, wanted, first_day, last_day)
        return (self.forward_filled(cached, wanted) if fill else cached).between(first_day, last_day)

    def forward_filled(self, series: CachedBars, interval: Interval) -> CachedBars:
        """A series with synthetic bars in its gaps; made once."""
        made = self._filled.get(series)
        if made is None:
            grid = self.time_manager.grid(date_of(series.first_day), date_of(series.last_day))
            made = self.times.cached(series.sessions, forward_filled(series.bars, grid, interval))
            self._filled[series] = made
        return made

    def stored(self, symbol: str, base: str, first_day: int, last_day: int) -> CachedBars:
        """Stored bars over at least a range of days.

        Raises:
            DamagedFileError: A file cannot be read.
        """
        self.provide([symbol], base, first_day, last_day)
        return self._cached[symbol, base, parse_interval(base)]

    def derived(self, source: CachedBars, stored: Interval, wanted: Interval) -> CachedBars:
        """Bars of ``wanted`` made of stored ones, as far as they are whole."""
        inputs, whole = as_inputs(source.bars), self._min_completeness
        bars = self.times.aggregated(inputs, source.sessions, wanted, base=stored, min_completeness=whole)
        through = self._whole_through(wanted, source.last_day)
        return CachedBars(self.times.sessions(source.first_day, through), bars)

    def provide(self, symbols: Sequence[str], base: str, first_day: int, last_day: int) -> None:
        """Make the cache cover a range of dates for these symbols, all or none of them.

        Raises:
            DamagedFileError: A file cannot be read.
        """
        stored = parse_interval(base)
        sessions = len(self.time_manager.grid(date_of(first_day), date_of(last_day)))
        for symbol in symbols:
            self._depth[symbol, base] = max(self._depth[symbol, base], sessions)
        lacking = [symbol for symbol in symbols if not self._covers((symbol, base, stored), first_day, last_day)]
        if not lacking:
            return
        reach = self._reach(lacking, base, first_day, last_day)
        reads: dict[_Read, list[str]] = defaultdict(list)
        for symbol in lacking:
            reads[self._to_read((symbol, base, stored), first_day, last_day, reach)].append(symbol)
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
        while found:  # what is joined is not in memory twice, at least not of all symbols at once
            symbol, new = found.pop()
            self._keep((symbol, base, stored), new)

    def _fetch(self, symbol: str, base: str, wanted: Interval, first_day: int, last_day: int) -> CachedBars:
        """Bring a series that is wanted into the cache."""
        stored = parse_interval(base)
        if wanted == stored:
            return self.stored(symbol, base, first_day, last_day)
        _, whole_last = self.time_manager.widened(wanted, date_of(first_day), date_of(last_day))
        source = self.stored(symbol, base, first_day, max(last_day, day_number(whole_last)))
        derived = self._cached[symbol, base, wanted] = self.derived(source, stored, wanted)
        return derived

    def _whole_through(self, wanted: Interval, last_day: int) -> int:
        """The last day up to which bars of ``wanted`` are whole, made from base bars up to ``last_day``."""
        if wanted.is_intraday:
            return last_day
        last_session = self.time_manager.last_session_on_or_before(date_of(last_day))
        begin, end = self.time_manager.widened(wanted, last_session, last_session)
        return last_day if end == last_session else day_number(begin) - 1

    def _read(self, read: _Read, symbols: Sequence[str], base: str) -> list[tuple[str, CachedBars]]:
        """The bars of a range of dates as the store has them."""
        grid = self.time_manager.grid(date_of(read.first_day), date_of(read.last_day))
        sessions = self.times.sessions(*read)
        return [
            (symbol, self.times.cached(sessions, self._completed(symbol, bars, grid, parse_interval(base))))
            for chunk in self._chunks(symbols, base, read)
            for symbol, bars in read_sessions(self.store, chunk, parse_interval(base), grid, sessions)
        ]

    def _completed(self, symbol: str, bars: Bars, grid: SessionGrid, stored: Interval) -> Bars:
        """The bars with the missing ones built, if that is asked for."""
        return build_missing(self.store, symbol, bars, grid, stored) if self._gap_fill else bars

    def _reach(self, symbols: Sequence[str], base: str, first_day: int, last_day: int) -> int:
        """How far to read: towards the horizon as far as the rows to read ahead go, and to the end of a file."""
        horizon = last_day if self._horizon is None else max(last_day, day_number(self._horizon))
        if horizon == last_day:
            return last_day
        manifest = self.store.manifest
        room = READ_ROWS - self._base_rows - rows_between(manifest, symbols, base, first_day, last_day)
        each = AHEAD_ROWS_EACH * (2 if len(symbols) <= _FEW_SYMBOLS else 1)
        rows = min(room, max(AHEAD_ROWS, each * len(symbols)))
        ahead = _far_enough(manifest, symbols, base, last_day, horizon, rows)
        # To read a part of a file costs as much as all of it, and the next piece would read it again.
        whole = min(horizon, end_of_files(manifest, symbols, base, ahead))
        return _far_enough(manifest, symbols, base, last_day, whole, room)

    def _chunks(self, symbols: Sequence[str], base: str, read: _Read) -> Iterator[Sequence[str]]:
        """The symbols in groups of which each is one bulk read of bounded size.

        Where files are large, a symbol is read on its own: it takes no longer, and its columns can go on their own.
        """
        manifest = self.store.manifest
        expected = rows_between(manifest, symbols, base, *read)
        size = max(1, len(symbols) * READ_ROWS // max(READ_ROWS, int(expected)))
        if are_read_in_parts(manifest, symbols, base, read.first_day):
            size = 1
        for begin in range(0, len(symbols), size):
            yield symbols[begin : begin + size]

    def _covers(self, key: tuple[str, str, Interval], first_day: int, last_day: int) -> bool:
        cached = self._cached.get(key)
        return cached is not None and cached.covers(first_day, last_day)

    def _to_read(self, key: tuple[str, str, Interval], first_day: int, last_day: int, reach: int) -> _Read:
        """What must be read of a series so that it covers a range; when it moves on, what lies behind is dropped."""
        cached = self._cached.get(key)
        read = _missing(cached, first_day, last_day, reach)
        if cached is not None and read.first_day == cached.last_day + 1:
            # What lies further back than was ever asked for will not be asked for again: days only move on.
            symbol, base, _ = key
            days = cached.sessions.days
            coming = len(self.time_manager.grid(date_of(read.first_day), date_of(last_day)))
            needed = days[max(0, len(days) + coming - self._depth[symbol, base]) :]
            self._drop_before(min([first_day, *needed[:1].tolist()]), key)
        return read

    def _drop_before(self, day: int, key: tuple[str, str, Interval]) -> None:
        """Take what is in the cache of days before ``day`` out of memory, but for the last day of all."""
        old = self._cached[key]
        day = min(day, old.last_day)
        if day > old.first_day:
            bars = old.between(day, old.last_day)
            # Copies, because views would keep the whole in memory.
            copied = Bars.of(bars.times, *(getattr(bars, n).copy() for n in PRICE_COLUMNS))
            self._cached[key] = self.times.cached(self.times.sessions(day, old.last_day), copied)
            self._base_rows -= len(old.bars) - len(bars)

    def _keep(self, key: tuple[str, str, Interval], new: CachedBars) -> None:
        """Put what was read into the cache, joined with what it continues."""
        old = self._cached.get(key)
        joined = new
        if old is not None and new.last_day == old.first_day - 1:
            joined = self.times.joined(new, old)
        elif old is not None and old.last_day == new.first_day - 1:
            joined = self.times.joined(old, new)
        self._base_rows += len(joined.bars) - (len(old.bars) if old is not None else 0)
        self._cached[key] = joined


def changed_series(before: Manifest, after: Manifest) -> set[tuple[str, str]]:
    """The (symbol, interval) whose files are not the same in two states of a store."""
    keys = before.files.keys() | after.files.keys()
    return {key for key in keys if before.files.get(key) != after.files.get(key)}


def _far_enough(
    manifest: Manifest, symbols: Sequence[str], base: str, first_day: int, last_day: int, rows: float
) -> int:
    """About the day up to which there are so many rows after ``first_day``; ``last_day`` at most."""
    expected = rows_between(manifest, symbols, base, first_day + 1, last_day)
    if expected <= rows:
        return last_day
    return first_day + int((last_day - first_day) * max(rows, 0) / expected)


def _missing(cached: CachedBars | None, first_day: int, last_day: int, reach: int) -> _Read:
    """What must be read so that a series covers a range; touches what is cached where that is possible."""
    if cached is not None and cached.first_day <= first_day <= cached.last_day + 1:
        return _Read(cached.last_day + 1, reach)
    if cached is not None and cached.first_day - 1 <= last_day <= cached.last_day:
        return _Read(first_day, cached.first_day - 1)
    return _Read(first_day, reach)

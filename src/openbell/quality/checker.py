"""The check of a whole store in bounded memory.

All checks run over all series, one interval after the other, and for each one window of time after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from openbell.errors import ConfigError, DamagedFileError, UnknownNameError
from openbell.market_data.session_grid import follows_sessions
from openbell.market_data.stored_facts import UNNAMED_DAYS, StoredDays
from openbell.model.interval import DAY_NS, Interval, coarsest_base, parse_interval
from openbell.model.symbol import listed_symbols
from openbell.quality.calendar_fit import bars_beyond_calendar
from openbell.quality.check_report import Report, SeriesReport
from openbell.quality.finding import Finding
from openbell.quality.missing import Elsewhere
from openbell.quality.peers import MOST_PEERS, Peers
from openbell.quality.series import Series, bars_of_sessions, make_series
from openbell.quality.splits import declared_splits
from openbell.quality.window_result import WindowResult, check_off_grid, check_window, join_windows
from openbell.quality.windows import Window, windows_of
from openbell.store.day_zones import read_day_zones
from openbell.store.layout import BAR_SCHEMA, storable
from openbell.timing import TimeManager
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from datetime import date

    from openbell.config.exchange import ExchangeConfig
    from openbell.model.bars import Bars
    from openbell.store.reader import SymbolRows
    from openbell.store.store import BarStore, Coverage
    from openbell.timing.grid import SessionGrid

__all__ = ["check_store"]

_ROWS_AT_ONCE = 2_000_000
_MARGIN_DAYS = 10
_FOREVER = 2**62
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Progress = Callable[[float, int], None]
"""Called with (number of series done, with fractions, and number of series in all)."""

Declared = Mapping[str, frozenset[int]]
"""By symbol, the ex-dates of known splits, in days since 1970-01-01."""


def check_store(
    store: BarStore,
    exchange: str | ExchangeConfig = "XNYS",
    *,
    symbols: Sequence[str] = (),
    intervals: Sequence[str] = (),
    first: date | None = None,
    last: date | None = None,
    declared: Declared | None = None,
    progress: Progress | None = None,
) -> Report:
    """Check stored bars.

    Args:
        store: The store.
        exchange: The calendar that the bars are checked against, by name or with the sessions of a config.
        symbols: The symbols to check; empty: all. Others with the most bars still serve for comparison.
        intervals: The intervals to check; empty: all stored ones.
        first: The first UTC date on which bars may start; None: the calendar's first day.
        last: The last such date, inclusive; None: the calendar's last day.
        declared: The known splits; None: those of the store's corporate actions.
        progress: Called with the progress after each part of a series.

    Raises:
        UnknownNameError: A symbol is not in the store, or there is no such calendar.
        ConfigError: There is no day in the range, or bars of an interval are not stored.
    """
    chosen = {str(storable(interval)) for interval in intervals}
    if first and last and first > last:
        raise ConfigError(f"there are no days from {first} to {last}: the first is after the last. Swap them.")
    known, asked = store.symbols(), listed_symbols(symbols, "check_store")
    for symbol in asked:
        if symbol not in known:
            raise UnknownNameError("symbol", symbol, known, str(store.path))
    asked = asked or list(known)
    checker = _Checker(store, exchange, first, last, declared_splits(store) if declared is None else declared)
    held = {name for symbol in asked for name in store.intervals(symbol) if not chosen or name in chosen}
    wanted = sorted(held, key=parse_interval, reverse=True)
    todo = {name: [s for s in asked if name in store.intervals(s)] for name in wanted}
    total, done = sum(map(len, todo.values())), 0.0

    def tick(series: float) -> None:
        nonlocal done
        done += series
        if progress:
            progress(done, total)

    reports = [one for name, of_interval in todo.items() for one in checker.check_interval(name, of_interval, tick)]
    reports.sort(key=_badness)
    beyond = tuple(bars_beyond_calendar(store, checker.time_manager, asked))
    return Report(str(store.path), checker.time_manager.exchange, checker.time_manager.timezone, tuple(reports), beyond)


def _badness(report: SeriesReport) -> tuple[float, float, str, str]:
    """Return a sort key by score and then by completeness, the worst first."""
    score, complete = report.score.percent, report.score.complete
    worst = 101.0 if score is None else score
    return worst, complete or 0.0, report.symbol, report.interval


class _Checker:
    """The store, the calendar and the range of dates of one check."""

    def __init__(
        self, store: BarStore, exchange: str | ExchangeConfig, first: date | None, last: date | None, declared: Declared
    ) -> None:
        self.store, self.declared = store, declared
        self.time_manager = tm = TimeManager(exchange)
        self._on_grid: dict[str, list[str]] = {}
        # Bars beyond the calendar cannot be checked, and are reported by `bars_beyond_calendar`.
        self.begin_ns = _midnight_ns(max(first or tm.first_day, tm.first_day))
        self.end_ns = _midnight_ns(min(last or tm.last_day, tm.last_day) + timedelta(days=1))
        try:
            self._around: TimeManager | None = TimeManager(exchange, session_hours="extended")
        except ConfigError:
            self._around = None

    def checked_intervals(self, symbol: str) -> list[str]:
        """Return the stored intervals of a symbol whose bars lie on the grid of the sessions."""
        if symbol not in self._on_grid:
            files = self.store.manifest.files
            self._on_grid[symbol] = [
                name
                for name in self.store.intervals(symbol)
                if follows_sessions(self.store, files[symbol, name], symbol, parse_interval(name), self.time_manager)
            ]
        return self._on_grid[symbol]

    def finer_instead(self, symbol: str, interval: str) -> str | None:
        """Return the interval of which sessions make one that lies off their grid, or None."""
        return coarsest_base(interval, self.checked_intervals(symbol))

    def check_interval(self, name: str, symbols: Sequence[str], tick: Callable[[float], None]) -> list[SeriesReport]:
        """Check the bars of one interval, and return a report per symbol.

        Only symbols with bars in the range of dates have one.

        ``tick`` is called with the share of a series that was done since the last call.
        """
        held = {c.symbol: c for c in self.store.coverage() if c.interval == name and self._is_in_range(c)}
        interval = parse_interval(name)
        tick(len([symbol for symbol in symbols if symbol not in held]))
        symbols = [symbol for symbol in symbols if symbol in held]
        if not symbols:
            return []
        grid, around = self._grids(held.values())
        busiest = sorted(held.values(), key=lambda c: (-c.rows, c.symbol))[:MOST_PEERS]
        # Counted without a list, because each window holds its expected bars in memory.
        windows = sum(1 for _ in windows_of(grid, around, interval))
        parts: dict[str, list[WindowResult]] = {symbol: [] for symbol in symbols}
        strange_days = {} if interval.is_intraday else self._strange_days([held[symbol] for symbol in symbols])
        for window in windows_of(grid, around, interval):
            there = [c.symbol for c in busiest if self._reaches(c, window)]
            peers = Peers(window.grid, interval)
            for series, _ in self._read(there, interval, window, held):
                peers.add(series)
            here = [symbol for symbol in symbols if self._reaches(held[symbol], window)]
            for series, damaged in self._read(here, interval, window, held):
                if len(series.stored) or len(series.expected) or damaged:
                    found = [*damaged, *strange_days.pop(series.symbol, ())]
                    if name in self.checked_intervals(series.symbol):
                        elsewhere, daily = self._other_intervals(series)
                        part = check_window(series, peers, elsewhere, daily, found)
                    else:
                        part = check_off_grid(series, self.finer_instead(series.symbol, name), found)
                    parts[series.symbol].append(part)
                tick(1 / windows)
            tick((len(symbols) - len(here)) / windows)
        return [
            join_windows(found, grid, self.declared.get(symbol, frozenset()))
            for symbol, found in parts.items()
            if found
        ]

    def _grids(self, held: Collection[Coverage]) -> tuple[SessionGrid, SessionGrid | None]:
        """Return the sessions of the stored bars in the range of dates.

        They have a margin on both sides. The second value has them with extended hours.
        """
        tm, margin = self.time_manager, timedelta(days=_MARGIN_DAYS)
        first = date_of(max(self.begin_ns, min(_ns(c.first) for c in held)) // DAY_NS)
        last = date_of(min(self.end_ns, max(_ns(c.last) for c in held)) // DAY_NS)
        days = max(first - margin, tm.first_day), min(last + margin, tm.last_day)
        around = self._around.grid(*days) if self._around else None
        return tm.grid(*days), around

    def _strange_days(self, held: Sequence[Coverage]) -> dict[str, list[Finding]]:
        """Return a finding for each series of daily bars that end after their sessions, by symbol."""
        days = StoredDays(read_day_zones(self.store.path, self.store.manifest), self.time_manager)
        found = {}
        for c in held:
            if span := days.beyond_sessions([c.symbol], min(c.last.date(), self.time_manager.last_day)):
                ends = "may end" if span == UNNAMED_DAYS else "end"
                text = (
                    f"they are {span}, which {ends} after the sessions do; "
                    "sessions do not use them, and build daily bars from 1m bars"
                )
                found[c.symbol] = [Finding("other_days", "serious", _ns(c.first), _ns(c.last), c.rows, text)]
        return found

    def _is_in_range(self, coverage: Coverage) -> bool:
        return _ns(coverage.first) < self.end_ns and _ns(coverage.last) >= self.begin_ns

    def _reaches(self, coverage: Coverage, window: Window) -> bool:
        """Return whether the span of a series overlaps a window."""
        first, last = _ns(coverage.first), _ns(coverage.last)
        return (window.end_ns is None or first < window.end_ns) and (window.begin_ns is None or last >= window.begin_ns)

    def _read(
        self, symbols: Sequence[str], interval: Interval, window: Window, held: Mapping[str, Coverage]
    ) -> Iterator[tuple[Series, list[Finding]]]:
        """Yield each symbol's series in a window, with findings about damaged files."""
        name = str(interval)
        for group in _groups([held[symbol] for symbol in symbols], window.bars):
            try:
                rows = self._rows(group, name, (window.begin_ns, window.end_ns))
                frames = {symbol: rows.frame[first:after] for symbol, first, after in rows.runs}
                found: dict[str, list[Finding]] = {}
            except DamagedFileError:
                frames, found = self._read_around_damage(group, name, window)
            for symbol in group:
                stored = frames.get(symbol, BAR_SCHEMA.to_frame())
                span = self._span(held[symbol], window)
                begins = span[0] is None and self._is_the_first(held[symbol])
                series = make_series(symbol, interval, stored, window.grid, window.around, span, begins=begins)
                yield series, found.get(symbol, [])

    def _is_the_first(self, coverage: Coverage) -> bool:
        """Return whether the check covers the first stored bar of a symbol.

        Bars of all intervals count, by their days.
        """
        others = (self.store.coverage_of(coverage.symbol, name) for name in self.store.intervals(coverage.symbol))
        day = min(other.first.date() for other in others if other is not None)
        return _ns(coverage.first) >= self.begin_ns and coverage.first.date() <= day

    def _span(self, coverage: Coverage, window: Window) -> tuple[int | None, int | None]:
        """Return the bounds of the sessions of a window in which bars are expected.

        They are None in the window in which the series begins or ends, where its first or last bar decides.
        """
        first = max(_ns(coverage.first), self.begin_ns)
        last = min(_ns(coverage.last), self.end_ns - 1)
        return (
            window.first if window.begin_ns is not None and first < window.begin_ns else None,
            window.after if window.end_ns is not None and last >= window.end_ns else None,
        )

    def _rows(self, symbols: Sequence[str], name: str, bounds: tuple[int | None, int | None]) -> SymbolRows:
        """Read rows within the bounds in nanoseconds and the range of dates.

        Raises:
            DamagedFileError: A file cannot be read.
        """
        begin = self.begin_ns if bounds[0] is None else max(self.begin_ns, bounds[0])
        end = self.end_ns if bounds[1] is None else min(self.end_ns, bounds[1])
        return self.store.read_rows(symbols, name, begin, end)

    def _read_around_damage(
        self, symbols: Sequence[str], name: str, window: Window
    ) -> tuple[dict[str, pl.DataFrame], dict[str, list[Finding]]]:
        """Read file by file, and return rows and findings by symbol.

        The findings are about files that cannot be read.
        """
        begin = -_FOREVER if window.begin_ns is None else window.begin_ns
        end = _FOREVER if window.end_ns is None else window.end_ns
        frames: dict[str, pl.DataFrame] = {}
        found: dict[str, list[Finding]] = {}
        for symbol in symbols:
            parts = []
            for entry in self.store.manifest.files.get((symbol, name), ()):
                if not (entry.first_ns < end and begin <= entry.last_ns):
                    continue
                try:
                    bounds = (max(begin, entry.first_ns), min(end, entry.last_ns + 1))
                    parts.append(self._rows([symbol], name, bounds).frame)
                except DamagedFileError as error:
                    if entry.first_ns >= begin:  # else the file is reported in the window before
                        finding = Finding(
                            "damaged_file", "serious", entry.first_ns, entry.last_ns, entry.rows, str(error)
                        )
                        found.setdefault(symbol, []).append(finding)
            frames[symbol] = pl.concat(parts) if parts else BAR_SCHEMA.to_frame()
        return frames, found

    def _other_intervals(self, series: Series) -> tuple[tuple[Elsewhere, ...], Bars | None]:
        """Return the symbol's bars of other intervals, and its daily bars.

        The daily bars are None if this interval is daily, or there are none.

        Of finer intervals, bars are only read where this one has bars missing.
        """
        elsewhere: list[Elsewhere] = []
        daily: Bars | None = None
        for name in self.checked_intervals(series.symbol):
            if name == str(series.interval) or not len(series.expected):
                continue
            other = parse_interval(name)
            try:
                if other.is_intraday and other < series.interval:
                    elsewhere.append(self._seen_in_finer(series, other))
                    continue
                bars = self._bars_of(series, other, 0, len(series.expected))
            except DamagedFileError:
                continue  # the damage is in the report of that interval
            elsewhere.append(Elsewhere(name, bars.timestamp, bars.end))
            if name == "1d":
                daily = bars
        return tuple(elsewhere), daily

    def _bars_of(self, series: Series, other: Interval, first: int, after: int) -> Bars:
        """Read the symbol's bars of another interval over the time of some expected bars."""
        begin, end = int(series.expected.start_ns[first]), int(series.expected.end_ns[after - 1])
        frame = self._rows([series.symbol], str(other), (begin if other.is_intraday else _day_start(begin), end)).frame
        return bars_of_sessions(other, frame.cast(BAR_SCHEMA), series.grid)[0]

    def _seen_in_finer(self, series: Series, finer: Interval) -> Elsewhere:
        """Return the missing bars during which there are finer bars."""
        expected = series.expected
        missing = np.unique(expected.session[~series.present])
        at_once = max(1, _ROWS_AT_ONCE // max(1, int(series.grid.bars_per_session(finer).max())))
        seen = [np.empty(0, np.intp)]
        while len(missing):
            here = missing[: int(np.searchsorted(missing, missing[0] + at_once))]
            first, after = np.searchsorted(expected.session, [here[0], here[-1] + 1])
            bars = self._bars_of(series, finer, int(first), int(after))
            slot = np.searchsorted(expected.start_ns, bars.timestamp, side="right") - 1
            inside = (slot >= 0) & (bars.end <= expected.end_ns[slot])
            seen.append(np.unique(slot[inside]))
            missing = missing[len(here) :]
        slots = np.concatenate(seen)
        return Elsewhere(str(finer), expected.start_ns[slots], expected.end_ns[slots])


def _groups(series: Sequence[Coverage], bars: int) -> Iterator[list[str]]:
    """Yield symbols in groups that are small enough to be read at once.

    Of each symbol, ``bars`` bars are expected.
    """
    group: list[str] = []
    rows = 0
    for coverage in series:
        size = min(coverage.rows, 2 * bars)  # extended hours may double the number of bars
        if group and rows + size > _ROWS_AT_ONCE:
            yield group
            group, rows = [], 0
        group.append(coverage.symbol)
        rows += size
    if group:
        yield group


def _midnight_ns(day: date) -> int:
    return day_number(day) * DAY_NS


def _day_start(ns: int) -> int:
    return ns // DAY_NS * DAY_NS


def _ns(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1) * 1000

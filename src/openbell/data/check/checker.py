"""`check_store`: all checks over all series of a store, one interval at a time and in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from openbell.data.check.closed import closed_days
from openbell.data.check.daily import daily_prices, daily_volumes, outside_daily
from openbell.data.check.excerpts import completeness, stretches
from openbell.data.check.finding import KINDS, Finding
from openbell.data.check.hours import end_labels, outside_hours, wrong_time_zone
from openbell.data.check.missing import Elsewhere, missing_bars, missing_sessions
from openbell.data.check.peers import MOST_PEERS, Peers
from openbell.data.check.repeats import contradictions, duplicates
from openbell.data.check.report import Report, SeriesReport
from openbell.data.check.score import score
from openbell.data.check.series import Series, make_series
from openbell.data.check.spikes import spikes
from openbell.data.check.splits import declared_splits, undeclared_splits
from openbell.data.check.stale import stale
from openbell.data.layout import BAR_SCHEMA
from openbell.errors import ConfigError, DamagedFileError, DataError, did_you_mean
from openbell.interval import parse_interval
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from datetime import date

    from openbell.bars import Bars
    from openbell.data.store import BarStore
    from openbell.timing.grid import SessionGrid

__all__ = ["CHECKED_INTERVALS", "check_store"]

CHECKED_INTERVALS = ("1d", "1m", "1s")
"""The intervals that are checked; 60m bars lie on clock hours, and nothing is derived from them."""

_ROWS_AT_ONCE = 4_000_000
_PATIENT_DAYS = 10

Progress = Callable[[int, int], None]
"""Called with how many series are done, and how many there are."""

Declared = Mapping[str, frozenset[int]]
"""By symbol, the sessions on which a split that is known takes effect, in days since 1970-01-01."""


def check_store(
    store: BarStore,
    exchange: str = "XNYS",
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
        exchange: The calendar that the bars are checked against.
        symbols: Which; all unless given. The busiest others serve for comparison all the same.
        intervals: Which of `CHECKED_INTERVALS`; all that are stored unless given.
        first: First UTC date that bars start on; None: from the beginning.
        last: Last such date, inclusive.
        declared: The splits that are known; those of the store's corporate actions unless given.
        progress: Hears of each series.

    Raises:
        DataError: A symbol is not in the store.
        ConfigError: There is no such calendar, or an interval that is not checked.
    """
    if strange := [name for name in intervals if name not in CHECKED_INTERVALS]:
        raise ConfigError(f"{', '.join(strange)} bars are not checked; checked are {', '.join(CHECKED_INTERVALS)}.")
    known = store.symbols()
    for symbol in symbols:
        if symbol not in known:
            raise DataError(f"the store {store.path} has no bars of {symbol}.{did_you_mean(symbol, known)}")
    asked = list(dict.fromkeys(symbols)) or list(known)
    wanted = [name for name in CHECKED_INTERVALS if not intervals or name in intervals]
    checker = _Checker(store, exchange, first, last, declared_splits(store) if declared is None else declared)
    todo = {name: [s for s in asked if name in store.intervals(s)] for name in wanted}
    total, done = sum(map(len, todo.values())), 0
    reports: list[SeriesReport] = []
    for name, of_interval in todo.items():
        for report in checker.check_interval(name, of_interval):
            done += 1
            if report is not None:
                reports.append(report)
            if progress:
                progress(done, total)
    reports.sort(key=_badness)
    return Report(str(store.path), exchange, checker.time_manager.timezone, tuple(reports))


def _badness(report: SeriesReport) -> tuple[float, float, str, str]:
    """The order of reports: the worst score first, of equal ones the least complete."""
    score, complete = report.score.percent, report.score.complete
    worst = 101.0 if score is None else score
    return worst, complete or 0.0, report.symbol, report.interval


class _Checker:
    """The store, the calendar, and the range of dates of one check."""

    def __init__(
        self, store: BarStore, exchange: str, first: date | None, last: date | None, declared: Declared
    ) -> None:
        self.store, self.first, self.last, self.declared = store, first, last, declared
        self.time_manager = TimeManager(exchange)
        try:
            self._around: TimeManager | None = TimeManager(exchange, session_hours="extended")
        except ConfigError:
            self._around = None

    def check_interval(self, name: str, symbols: Sequence[str]) -> Iterator[SeriesReport | None]:
        """A report for each of the symbols; None for one that has no bars in the range of dates."""
        held = [c for c in self.store.coverage() if c.interval == name]
        if not symbols or not held:
            return
        day = timedelta(days=_PATIENT_DAYS)
        begin = min(c.first for c in held).date() if self.first is None else self.first
        end = max(c.last for c in held).date() if self.last is None else self.last
        grid = self.time_manager.grid(begin - day, end + day)
        around = self._around.grid(begin - day, end + day) if self._around else None
        busiest = sorted(held, key=lambda c: (-c.rows, c.symbol))[:MOST_PEERS]
        peers = Peers(grid, parse_interval(name))
        for series, _ in self._read([c.symbol for c in busiest], name, grid, around):
            peers.add(series)
        for series, damaged in self._read(symbols, name, grid, around):
            yield self._checked(series, peers, damaged) if len(series.stored) or damaged else None

    def _read(
        self, symbols: Sequence[str], name: str, grid: SessionGrid, around: SessionGrid | None
    ) -> Iterator[tuple[Series, list[Finding]]]:
        """Each symbol's series, with what is to be said of its files; read in groups of bounded size."""
        interval = parse_interval(name)
        for group in _groups(self.store, symbols, name):
            try:
                rows = self._rows(group, name)
                frames = {symbol: rows.frame[first:after] for symbol, first, after in rows.runs}
                found: dict[str, list[Finding]] = {}
            except DamagedFileError:
                frames, found = self._read_around_damage(group, name)
            for symbol in group:
                stored = frames.get(symbol, BAR_SCHEMA.to_frame())
                yield make_series(symbol, interval, stored, grid, around), found.get(symbol, [])

    def _rows(self, symbols: Sequence[str], name: str, bounds: tuple[int, int] | None = None):  # type: ignore[no-untyped-def]
        begin = None if self.first is None else _midnight_ns(self.first)
        end = None if self.last is None else _midnight_ns(self.last + timedelta(days=1))
        if bounds:
            begin = bounds[0] if begin is None else max(begin, bounds[0])
            end = bounds[1] if end is None else min(end, bounds[1])
        return self.store.read_rows(symbols, name, begin, end)

    def _read_around_damage(
        self, symbols: Sequence[str], name: str
    ) -> tuple[dict[str, pl.DataFrame], dict[str, list[Finding]]]:
        """What can be read file by file, and a finding for each file that cannot."""
        frames: dict[str, pl.DataFrame] = {}
        found: dict[str, list[Finding]] = {}
        for symbol in symbols:
            parts = []
            for entry in self.store.manifest.files.get((symbol, name), ()):
                try:
                    parts.append(self._rows([symbol], name, (entry.first_ns, entry.last_ns + 1)).frame)
                except DamagedFileError as error:
                    finding = Finding("damaged_file", "serious", entry.first_ns, entry.last_ns, entry.rows, str(error))
                    found.setdefault(symbol, []).append(finding)
            frames[symbol] = pl.concat(parts) if parts else BAR_SCHEMA.to_frame()
        return frames, found

    def _checked(self, series: Series, peers: Peers, damaged: list[Finding]) -> SeriesReport:
        elsewhere, daily = self._other_intervals(series)
        findings = [
            *damaged,
            *wrong_time_zone(series),
            *end_labels(series),
            *undeclared_splits(series, self.declared.get(series.symbol, frozenset())),
            *contradictions(series),
            *duplicates(series),
            *outside_hours(series),
            *closed_days(series, peers),
            *missing_sessions(series, peers, elsewhere),
            *missing_bars(series, peers, elsewhere),
            *spikes(series),
            *stale(series),
        ]
        if daily is not None:
            findings += [*outside_daily(series, daily), *daily_prices(series, daily), *daily_volumes(series, daily)]
        order = list(KINDS)
        findings.sort(key=lambda f: (order.index(f.kind), f.start_ns))
        starts = series.starts_of_stored()
        return SeriesReport(
            series.symbol,
            str(series.interval),
            len(starts),
            int(starts.min()) if len(starts) else 0,
            int(starts.max()) if len(starts) else 0,
            score(series, findings),
            tuple(findings),
            completeness(series, elsewhere, findings),
            stretches(series, findings),
        )

    def _other_intervals(self, series: Series) -> tuple[tuple[Elsewhere, ...], Bars | None]:
        """The symbol's other intervals where this one has holes, and its daily bars when this one is not daily."""
        lacking = ~series.present
        elsewhere: list[Elsewhere] = []
        daily: Bars | None = None
        for name in self.store.intervals(series.symbol):
            if name not in CHECKED_INTERVALS or name == str(series.interval) or not len(series.bars):
                continue
            if name != "1d" and not lacking.any():
                continue
            bounds = (int(series.bars.timestamp[0]), int(series.bars.end[-1]))
            if name == "1d":
                bounds = (_day_start(bounds[0]), bounds[1])
            try:
                frame = self._rows([series.symbol], name, bounds).frame
            except DamagedFileError:
                continue  # told in the report of that interval
            other = make_series(series.symbol, parse_interval(name), frame, series.grid, None).bars
            elsewhere.append(Elsewhere(name, other.timestamp, other.end))
            if name == "1d":
                daily = other
        return tuple(elsewhere), daily


def _groups(store: BarStore, symbols: Sequence[str], name: str) -> Iterator[list[str]]:
    """The symbols in groups that are read at once."""
    group: list[str] = []
    rows = 0
    for symbol in symbols:
        coverage = store.coverage_of(symbol, name)
        size = coverage.rows if coverage else 0
        if group and rows + size > _ROWS_AT_ONCE:
            yield group
            group, rows = [], 0
        group.append(symbol)
        rows += size
    if group:
        yield group


def _midnight_ns(day: date) -> int:
    return (day.toordinal() - 719_163) * 86_400_000_000_000


def _day_start(ns: int) -> int:
    return ns // 86_400_000_000_000 * 86_400_000_000_000

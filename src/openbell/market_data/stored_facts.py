"""Facts about one state of a store, apart from the bars themselves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from openbell.actions.securities import Securities
from openbell.actions.store import ActionStore
from openbell.errors import DataError, did_you_mean
from openbell.market_data.session_grid import follows_sessions
from openbell.model.interval import DAY_NS, parse_interval
from openbell.store.day_zones import SESSION, UNKNOWN, read_day_zones
from openbell.store.layout import instant
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from openbell.actions.securities import RunningDay, Security, StoredSpan
    from openbell.market_data.cache import BarCache
    from openbell.model.address import Place
    from openbell.store.manifest import Manifest
    from openbell.store.store import BarStore, Coverage
    from openbell.timing.grid import SessionGrid
    from openbell.timing.time_manager import TimeManager

__all__ = [
    "UNNAMED_DAYS",
    "DayFacts",
    "StoredDays",
    "StoredFacts",
    "changed_series",
    "clipped",
    "facts_on",
    "spans_beyond_sessions",
]

_MOST_COMPARED = 50
"""The most unknown symbols for which near names are looked up."""


class StoredFacts:
    """The symbols, spans and corporate actions of one state of a store.

    Args:
        store: Where the bars are.
        time_manager: Sessions and hours.
        running: The day whose bars a feed sends; None when all bars are stored.

    Attributes:
        version: The version of the store's bars, and that of its corporate actions.
        manifest: The files of the state.
    """

    def __init__(self, store: BarStore, time_manager: TimeManager, running: RunningDay | None = None) -> None:
        self._running = running
        self._store = store
        self._time_manager = time_manager
        self._actions = ActionStore(store.path)
        self.version = self._version_now()
        # The manifest is read after the version, so that the next comparison notices a change in between.
        self.manifest: Manifest = store.manifest
        self._securities: Securities | None = None
        self._near: dict[str, str] = {}
        self._coverages: dict[tuple[str, str], Coverage | None] = {}
        self._on_grid: dict[tuple[str, str], bool] = {}
        self._days = StoredDays(read_day_zones(store.path, self.manifest), time_manager)

    @property
    def are_current(self) -> bool:
        """Whether the store is unchanged since the facts were made."""
        return self._version_now() == self.version

    def _version_now(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return self._store.version, self._actions.version

    @property
    def actions_version(self) -> tuple[int, ...]:
        """The version of the corporate actions of this state of the store."""
        return self.version[1]

    @property
    def securities(self) -> Securities:
        """The securities of this state of the store.

        Raises:
            DamagedFileError: The corporate actions cannot be read.
        """
        if self._securities is None:
            self._securities = Securities(self._actions.book(self.manifest.side_files), self.manifest, self._running)
        return self._securities

    def coverage(self, symbol: str, interval: str) -> Coverage | None:
        """Return the coverage of the bars stored under a symbol, or None where there are none."""
        key = symbol, interval
        if key not in self._coverages:
            self._coverages[key] = self._store.coverage_of(symbol, interval)
        return self._coverages[key]

    def first_stored(self, symbol: str, interval: str) -> datetime | None:
        """Return the start of the first bar stored under a symbol, or None."""
        files = self.manifest.files.get((symbol, interval))
        return instant(files[0].first_ns) if files else None

    def is_on_grid(self, symbol: str, interval: str) -> bool:
        """Return whether most bars stored under a symbol begin at multiples of their interval from the open."""
        key = symbol, interval
        if key not in self._on_grid:
            files = self.manifest.files.get(key, ())
            self._on_grid[key] = follows_sessions(
                self._store, files, symbol, parse_interval(interval), self._time_manager
            )
        return self._on_grid[key]

    def near_names(self, symbol: str) -> str:
        """Return a question that names the nearest stored symbols.

        It is empty for all but the first 50 unknown symbols.
        """
        known = self._near.get(symbol)
        if known is None:
            # Comparing one with all symbols takes milliseconds, and hundreds of unknown symbols are no typing errors.
            known = did_you_mean(symbol, self.manifest.symbols) if len(self._near) < _MOST_COMPARED else ""
            self._near[symbol] = known
        return known

    def span_of_days(self, stored_under: Iterable[str], day: date) -> str | None:
        """Return which days the daily bars of symbols span, or None for sessions.

        Only days that end after their sessions count.
        """
        return self._days.beyond_sessions(stored_under, day)

    def continued_from(self, earlier: StoredFacts, changed: set[str]) -> Securities | None:
        """Take over the securities of an earlier state with the same actions.

        Those of changed symbols are left out.

        Returns:
            The securities, or None where the actions differ or the earlier state had not read its securities.
        """
        self._actions = earlier._actions  # which has read the actions already
        if earlier.actions_version == self.actions_version and earlier._securities is not None:
            self._securities = earlier._securities.of_later_state(self.manifest, changed)
        return self._securities


def changed_series(before: Manifest, after: Manifest) -> set[tuple[str, str]]:
    """Return the (symbol, interval) whose files differ between two states of a store."""
    keys = before.files.keys() | after.files.keys()
    return {key for key in keys if before.files.get(key) != after.files.get(key)}


UNNAMED_DAYS = "days that nobody named"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOOKBACK = timedelta(days=30)
_WHOLE_DAY_NS = DAY_NS - 2 * 3_600_000_000_000
"""The least length of a session around the clock, which is shorter than a day when the clocks change."""


class StoredDays:
    """Days that stored daily bars span, compared with the sessions of an exchange.

    Args:
        zones: The time zone of these days, `SESSION` or `UNKNOWN`, by the symbol that bars are stored under; a symbol
            that is not there has daily bars of sessions.
        time_manager: The sessions.
    """

    def __init__(self, zones: Mapping[str, str], time_manager: TimeManager) -> None:
        self._zones = {symbol: zone for symbol, zone in zones.items() if zone != SESSION}
        self._time_manager = time_manager
        self._beyond: dict[tuple[str, date], bool] = {}

    def beyond_sessions(self, symbols: Iterable[str], day: date) -> str | None:
        """Return which days daily bars span, or None for sessions.

        Only days that end after their sessions count, because such bars would show the future.

        Args:
            symbols: The symbols that the bars are stored under.
            day: The last of the 30 days whose sessions are compared.
        """
        if not self._zones:  # the usual case
            return None
        zones = (self._zones[symbol] for symbol in symbols if symbol in self._zones)
        return next((_described(zone) for zone in zones if self._is_beyond(zone, day)), None)

    def ambiguous(self, day: date) -> bool:
        """Return whether a date alone leaves open which session a daily bar is of.

        This is so where sessions begin on the evening before their date, or go on around the clock: the day may be one
        of UTC, or of the market's local time. Sessions that are days of UTC (24/7) are not ambiguous.

        Args:
            day: The last of the 30 days whose sessions are examined.
        """
        return self._is_beyond(UNKNOWN, day)

    def _is_beyond(self, zone: str, day: date) -> bool:
        known = self._beyond.get((zone, day))
        if known is None:
            first = max(day - _LOOKBACK, self._time_manager.first_day)
            grid = self._time_manager.grid(first, day)
            if zone == UNKNOWN:
                known = self._has_ambiguous_dates(grid)
            else:
                closes = zip(grid.days.tolist(), grid.close_ns.tolist(), strict=True)
                known = any(_ends_ns(date_of(d), zone) > close for d, close in closes)
            self._beyond[zone, day] = known
        return known

    def _has_ambiguous_dates(self, grid: SessionGrid) -> bool:
        starts = (self._time_manager.to_local(ns).date() for ns in grid.open_ns.tolist())
        evening_before = any(start < date_of(d) for start, d in zip(starts, grid.days.tolist(), strict=True))
        whole_days = bool((grid.close_ns - grid.open_ns >= _WHOLE_DAY_NS).any())
        of_utc = bool((grid.open_ns == grid.days * DAY_NS).all())
        return evening_before or (whole_days and not of_utc)


def _described(zone: str) -> str:
    return UNNAMED_DAYS if zone == UNKNOWN else f"days in {zone}"


def _ends_ns(day: date, zone: str) -> int:
    """Return the end of a day in a time zone, in nanoseconds since 1970 UTC."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))
    return (midnight - _EPOCH) // timedelta(days=1) * DAY_NS + (midnight - _EPOCH).seconds * 1_000_000_000


def spans_beyond_sessions(symbol: str, days: str, exchange: str, store: Place) -> DataError:
    """Return the error that daily bars would show what happens after their session."""
    if days == UNNAMED_DAYS:
        return DataError(
            f"the daily bars of {symbol} in {store} have dates, and sessions of {exchange} begin on the evening before "
            "their date or continue around the clock: it is not recorded whether a date is that of a session, and bars "
            "of other days would show later prices. Import them again with --days session, or with the time zone of "
            "their days (--days UTC); or import its 1m bars, and daily bars are made of these."
        )
    return DataError(
        f"the daily bars of {symbol} in {store} are {days}, which end after the sessions of {exchange} do: at a "
        "session's close they would show later prices. Import its 1m bars, and daily bars are made of these; or use an "
        "exchange whose sessions are such days (24/7)."
    )


@dataclass(frozen=True, slots=True)
class DayFacts:
    """Facts about symbols on a day, in one state of the store.

    Each is filled in when it is first needed.

    Attributes:
        securities: The security that has a symbol.
        bases: The stored intervals that a symbol's bars are read and derived from.
        coverages: The coverage of a symbol and interval.
    """

    securities: dict[str, Security] = field(default_factory=dict)
    bases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    coverages: dict[tuple[str, str], Coverage | None] = field(default_factory=dict)


def facts_on(day: date, cache: BarCache) -> DayFacts:
    """Return the facts of a day, which views share where runs repeat the days."""
    return DayFacts() if cache.remembered is None else cache.remembered.of(day, _nothing_known, None, ())


def _nothing_known(_: None) -> DayFacts:
    return DayFacts()


def clipped(coverage: Coverage | None, span: StoredSpan) -> Coverage | None:
    """Return a coverage with its first and last time within a span of days."""
    if coverage is None or span.is_unbounded:  # the usual case
        return coverage
    first, last = coverage.first, coverage.last
    if span.first_day > day_number(first.date()):
        first = datetime.combine(date_of(span.first_day), time(), UTC)
    if span.last_day < day_number(last.date()):
        last = datetime.combine(date_of(span.last_day), time(), UTC)
    return coverage if (first, last) == (coverage.first, coverage.last) else replace(coverage, first=first, last=last)

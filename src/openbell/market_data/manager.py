"""`DataManager`: the one way to bars. It reads, derives, adjusts and keeps them, by the exchange's sessions."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from openbell.actions.store import ActionStore
from openbell.errors import DataError, IntervalError, did_you_mean
from openbell.market_data.day_bars import DayBars
from openbell.market_data.gaps import gap_policy_of
from openbell.market_data.point_in_time import PointInTime
from openbell.market_data.raw_series import RawSeries, changed_series
from openbell.model.bars import Bars
from openbell.model.interval import base_candidates, determine_required_base, parse_interval
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from openbell.actions.table import Action, Adjustment
    from openbell.market_data.gaps import GapPolicies
    from openbell.store.store import BarStore, Coverage
    from openbell.timing.manager import TimeManager

__all__ = ["DataManager"]


class DataManager:
    """Bars of a store as the sessions of an exchange, from memory where they were read before.

    Every series is kept over a contiguous range of sessions. A backtest that asks day by day reads each file once: a
    miss reads ahead to the ``horizon``, and what follows is a slice. May be used from any thread.

    Methods that take ``as_of`` answer as one knew it on that day: a symbol is what had that name then, and prices are
    on the basis of the corporate actions up to and including that day. Without ``as_of`` they tell what is stored.
    `on_day` fixes the day once for all.

    Args:
        store: Where the bars are.
        time_manager: Sessions and hours: bars outside its segments are left out.
        min_completeness: Derived bars with a smaller share of their base bars are left out (0 to 1).
        gap_policy: "forward" fills gaps within a session with synthetic bars; one word for all series, or by interval
            and symbol, as asked for.
        gap_fill: Whether missing bars are built from complete finer ones where the store has these.
        horizon: The last day that will be asked for; None reads only what is asked for.
        adjustment: What bars as of a day are adjusted for: nothing ("raw"), splits, or splits and dividends ("total").
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
    ) -> None:
        self.store = store
        self.time_manager = time_manager
        self.min_completeness = min_completeness
        self.gap_policy: GapPolicies = gap_policy
        self.gap_fill = gap_fill
        self.horizon = horizon
        self.adjustment: Adjustment = adjustment
        self._actions = ActionStore(store.path)
        self.lock = threading.RLock()
        self._version = self._current_version()
        self._manifest = store.manifest
        self._raw = RawSeries(
            store, time_manager, min_completeness=min_completeness, gap_fill=gap_fill, horizon=horizon
        )
        self._known: PointInTime | None = None

    def on_day(self, day: date) -> DayBars:
        """The same bars as they were known on ``day``, of the store as it is now."""
        return DayBars(self, day)

    def symbols(self) -> tuple[str, ...]:
        """All symbols of the store, sorted."""
        return self.store.symbols()

    def available_intervals(self, symbol: str, as_of: date | None = None) -> tuple[str, ...]:
        """The intervals stored of ``symbol``, finest first; empty when it is not there."""
        return self.store.intervals(symbol) if as_of is None else self.on_day(as_of).available_intervals(symbol)

    def coverage(self, symbol: str, interval: str, as_of: date | None = None) -> Coverage | None:
        """What is stored of one symbol and interval, from the manifest; None when nothing is."""
        if as_of is None:
            return self.store.coverage_of(symbol, interval)
        return self.on_day(as_of).coverage(symbol, interval)

    def actions(self, symbol: str, first: date, as_of: date) -> tuple[Action, ...]:
        """What bars from the session ``first`` on are adjusted for as of a day, and the renames since; by ex-date."""
        return self.on_day(as_of).actions(symbol, first)

    def hint(self, symbol: str, as_of: date) -> str:
        """What to do about a symbol that is not there on a day, with a leading blank; empty when nothing is known."""
        return self.on_day(as_of).hint(symbol)

    def prefetch(
        self, symbols: Sequence[str], base: str, first: date, last: date, *, as_of: date | None = None
    ) -> None:
        """Bring stored bars of many symbols into the cache with one read; symbols that have none are passed over.

        Args:
            symbols: Which.
            base: A stored interval.
            first: First session date; need not be a session.
            last: Last session date, inclusive.
            as_of: The day whose names ``symbols`` are; None: the names that bars are stored under.

        Raises:
            DamagedFileError: A file cannot be read; nothing of this call is in the cache.
        """
        if as_of is not None:
            self.on_day(as_of).prefetch(symbols, base, first, last)
            return
        with self.lock:
            raw, manifest = self._as_stored(), self.store.manifest
            held = [s for s in dict.fromkeys(symbols) if base in manifest.intervals(s)]
            raw.provide(held, base, day_number(first), day_number(last))

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
        """Bars of the sessions from ``first`` to ``last``, both inclusive.

        Args:
            symbol: A symbol of the store; with ``as_of``, a name of that day.
            interval: Any interval that a stored one builds.
            first: First session date; need not be a session.
            last: Last session date.
            base: The stored interval to derive from; by default the coarsest that builds ``interval`` exactly.
            as_of: The day on whose price basis; None: as stored.

        Returns:
            Views of cached columns, in ascending time. ``end`` is each bar's close by the calendar. A daily bar runs
            from its session's open to its close. A bar of several sessions (``1w``, ``5d``) is part of the answer when
            its first session is; it is made of all its sessions, so its ``end`` may lie after ``last``.

        Raises:
            DataError: The store has no bars of the symbol, or none of ``base``; or a dividend cannot be.
            IntervalError: Nothing that is stored builds ``interval``.
            CalendarError: The dates are outside the calendar.
            DamagedFileError: A file cannot be read.
        """
        if as_of is not None:
            return self.on_day(as_of).load_historical_bars(symbol, interval, first, last, base=base)
        with self.lock:
            raw, held = self._as_stored(), self.store.intervals(symbol)
            if not held:
                raise self.unknown_symbol(symbol, did_you_mean(symbol, self.symbols()))
            return self.bars_of(raw.bars, symbol, interval, first, last, base=base, held=held)

    # For `DayBars`

    def bars_of(
        self,
        bars: Callable[..., Bars],
        symbol: str,
        interval: str,
        first: date,
        last: date,
        *,
        base: str | None,
        held: Sequence[str],
    ) -> Bars:
        """What ``bars``, of a `RawSeries` or a `PointInTime`, has of a symbol that is stored in intervals ``held``."""
        source, wanted = self._source(symbol, interval, base, held), parse_interval(interval)
        if last < first or not len(self.time_manager.grid(first, last)):
            return Bars.empty()
        fill = wanted.is_intraday and gap_policy_of(self.gap_policy, symbol, str(wanted)) == "forward"
        return bars(symbol, source, wanted, day_number(first), day_number(last), fill=fill)

    def as_known(self) -> PointInTime:
        """Bars as they were known on any day, of the store as it is now. Call it with the lock held."""
        raw = self._as_stored()
        if self._known is None:
            self._known = PointInTime(raw, self._actions.book(), self.adjustment)
        return self._known

    def unknown_symbol(self, symbol: str, hint: str) -> DataError:
        """That the store has nothing of a symbol, with a hint that begins with a blank."""
        return DataError(
            f"the store {self.store.path} has no bars of {symbol}.{hint} Import some with: openbell data import"
        )

    def _source(self, symbol: str, interval: str, base: str | None, held: Sequence[str]) -> str:
        """The stored interval to read."""
        if base is None:
            return determine_required_base(interval, held)
        if base not in base_candidates(interval):
            raise IntervalError(f"{interval} bars cannot be made of {base} bars.")
        if base not in held:
            raise DataError(f"the store {self.store.path} has no {base} bars of {symbol}; it has {', '.join(held)}.")
        return base

    def _as_stored(self) -> RawSeries:
        """Bars as they are in the store now; what an import has changed is in memory no more."""
        version = self._current_version()
        if version != self._version:
            # The manifest after the version: should it change in between, the next look tells.
            manifest = self.store.manifest
            changed = changed_series(self._manifest, manifest)
            self._raw = self._raw.without(changed)
            if self._known is not None:
                same_actions = version[1] == self._version[1]
                self._known = self._known.without(changed, self._raw) if same_actions else None
            self._version, self._manifest = version, manifest
        return self._raw

    def _current_version(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return self.store.version, self._actions.version

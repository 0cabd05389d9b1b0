"""The view of bars as they were known on one day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from openbell.actions.adjust import Arena, back_adjusted, require_fitting_splits
from openbell.actions.instrument import PriceBasis, StoredSpan, spans_between
from openbell.errors import OpenbellError
from openbell.market_data.requests import BarRequest, gap_policy_of, unknown_symbol
from openbell.market_data.series import CachedSeries
from openbell.market_data.stored_days import spans_beyond_sessions
from openbell.model.bars import Bars
from openbell.model.interval import Interval, parse_interval
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from openbell.actions.instrument import Instrument
    from openbell.actions.table import Action, Adjustment
    from openbell.market_data.cache import BarCache
    from openbell.market_data.requests import GapPolicy
    from openbell.market_data.series import SessionRange
    from openbell.store.store import BarStore, Coverage

__all__ = ["PointInTimeView"]


class PointInTimeView:
    """Bars under the names and on the price basis of one day.

    Its methods are those of the `DataManager` and raise the same. All of them see one state of the store, from the
    first call on until the next `refresh`.

    Raw bars stay as they are in the cache, and where no action changes a window, its bars are views of them. Else an
    adjusted copy is made and serves all days until the next ex-date, when the basis changes.

    Args:
        cache: The bars in memory, of any state of the store.
        day: The day; an attribute, too.

    Attributes:
        adjustment: What the bars are adjusted for.
    """

    def __init__(self, cache: BarCache, day: date) -> None:
        self.day = day
        self.adjustment: Adjustment = cache.settings.adjustment
        self._day = day_number(day)
        self._lock = cache.lock
        self._last_seen = cache
        self._refresh_is_due = True
        self._instruments: dict[str, Instrument] = {}
        self._bases: dict[str, tuple[str, ...]] = {}
        self._coverages: dict[tuple[str, str], Coverage | None] = {}

    def refresh(self) -> None:
        """Look at the store anew, because something may have been imported since."""
        self._refresh_is_due = True

    def grow(self, symbols: Sequence[str], interval: str) -> None:
        """Let what was loaded of symbols go on to the bars that have come of the running session by now.

        Args:
            symbols: The symbols.
            interval: The interval in which bars have come.
        """
        with self._lock:
            self._cache.grow(symbols, interval)

    @property
    def _cache(self) -> BarCache:
        """The cache of the state that the view sees, to be used with the lock held."""
        if self._refresh_is_due:
            seen, self._refresh_is_due = self._last_seen.current(), False
            if seen is not self._last_seen:
                self._last_seen, self._instruments, self._bases, self._coverages = seen, {}, {}, {}
        return self._last_seen

    @property
    def store(self) -> BarStore:
        """The store."""
        return self._last_seen.store

    def symbols(self) -> tuple[str, ...]:
        """Return all symbols that the store has bars under, sorted.

        A name of the day may be another one.
        """
        return self.store.symbols()

    def available_intervals(self, symbol: str) -> tuple[str, ...]:
        """Return the intervals stored of a symbol of the day, finest first."""
        with self._lock:
            return self._instrument(symbol).intervals()

    def stored_under(self, symbol: str) -> tuple[str, ...]:
        """Return the names under which the bars of a symbol of the day are stored."""
        with self._lock:
            instrument = self._instrument(symbol)
            return tuple({span.stored: None for name in instrument.intervals() for span in instrument.spans(name)})

    def base_intervals(self, symbol: str) -> tuple[str, ...]:
        """Return those that other bars are read from and made of, since they lie on the grid of the sessions."""
        with self._lock:
            return self._bases_of(self._instrument(symbol))

    def _bases_of(self, instrument: Instrument) -> tuple[str, ...]:
        known = self._bases.get(instrument.symbol)
        if known is None:
            known = self._bases[instrument.symbol] = self._found_bases(instrument)
        return known

    def _found_bases(self, instrument: Instrument) -> tuple[str, ...]:
        bases = tuple(
            interval
            for interval in instrument.intervals()
            if all(self._cache.is_on_grid(span.stored, interval) for span in instrument.spans(interval))
        )
        # Daily bars that are not sessions are passed over where finer ones make those; alone, they are refused.
        if len(bases) > 1 and "1d" in bases and self._span_of_days(instrument):
            return tuple(interval for interval in bases if interval != "1d")
        return bases

    def coverage(self, symbol: str, interval: str) -> Coverage | None:
        """Return what is stored of one symbol and interval, or None.

        Files of which a part belongs to another symbol are counted whole.
        """
        with self._lock:
            instrument, key = self._instrument(symbol), (symbol, interval)
            if key not in self._coverages:
                self._coverages[key] = self._found_coverage(instrument, interval)
            return self._coverages[key]

    def first_stored(self, symbols: Sequence[str], interval: str) -> list[datetime | None]:
        """Return when the first stored bar of each symbol begins, None where there is none."""
        with self._lock:
            return [self._first_stored(self._instrument(symbol), interval) for symbol in symbols]

    def _first_stored(self, instrument: Instrument, interval: str) -> datetime | None:
        spans = instrument.spans(interval)
        if len(spans) == 1 and spans[0].is_unbounded:  # the usual case
            return self._cache.first_stored(spans[0].stored, interval)
        coverage = self.coverage(instrument.symbol, interval)
        return None if coverage is None else coverage.first

    def _found_coverage(self, instrument: Instrument, interval: str) -> Coverage | None:
        found = [
            clipped
            for span in instrument.spans(interval)
            if (clipped := _clipped(self._cache.coverage(span.stored, interval), span)) is not None
        ]
        if len(found) <= 1:
            return found[0] if found else None
        totals = {name: sum(getattr(c, name) for c in found) for name in ("rows", "files", "bytes")}
        return replace(found[0], symbol=instrument.symbol, last=found[-1].last, **totals)

    def actions(self, symbol: str, first: date) -> tuple[Action, ...]:
        """Return the actions that bars from ``first`` on are adjusted for, and renames, by ex-date."""
        with self._lock:
            return self._actions(self._instrument(symbol), first)

    def hint(self, symbol: str) -> str:
        """Return advice on an unknown symbol, with a leading blank, or an empty text."""
        with self._lock:
            return self._cache.instruments.hint(symbol, self._day) or self._cache.near_names(symbol)

    def prefetch(self, symbols: Sequence[str], base: str, first: date, last: date) -> None:
        """Bring stored bars of many symbols into the cache with one read.

        Symbols without bars are passed over.
        """
        first_day, last_day = day_number(first), day_number(last)
        with self._lock:
            instruments = [self._instrument(symbol) for symbol in dict.fromkeys(symbols)]
            self._cache.provide(_stored_under(instruments, base), base, first_day, last_day)
            self._read_dividends_ahead(instruments, first)
            self._adjust_ahead(instruments, base, first_day, last_day)

    def load_historical_bars(
        self, symbol: str, interval: str, first: date, last: date, *, base: str | None = None
    ) -> Bars:
        """Return the bars of the sessions from ``first`` to ``last``, both inclusive."""
        with self._lock:
            instrument = self._instrument(symbol)
            if not instrument.intervals():
                raise unknown_symbol(symbol, self.store.path, self.hint(symbol))
            held = self._bases_of(instrument)
            return self._bars_of(instrument, self._cache.request(symbol, interval, first, last, base=base, held=held))

    def load_bars_of(
        self, symbols: Sequence[str], interval: str, first: date, last: date, *, base: str
    ) -> list[Bars | OpenbellError]:
        """Return the bars of each symbol, or why they cannot be read.

        Args:
            symbols: The symbols, all stored in the same intervals.
            interval: The interval.
            first: As for `load_historical_bars`.
            last: Likewise.
            base: The stored interval to derive them from.
        """
        found: list[Bars | OpenbellError] = []
        policies = self._cache.settings.gap_policy
        requests: dict[GapPolicy, BarRequest | None] = {}
        with self._lock:
            for symbol in symbols:
                policy = gap_policy_of(policies, symbol, interval)
                try:
                    instrument = self._instrument(symbol)
                    if policy not in requests:
                        held = self._bases_of(instrument)
                        requests[policy] = self._cache.request(symbol, interval, first, last, base=base, held=held)
                    found.append(self._bars_of(instrument, requests[policy]))
                except OpenbellError as error:
                    found.append(error)
        return found

    def _bars_of(self, instrument: Instrument, request: BarRequest | None) -> Bars:
        if request is None:
            return Bars.empty()
        if request.base == "1d" and (days := self._span_of_days(instrument)):
            exchange = self._cache.time_manager.exchange
            raise spans_beyond_sessions(instrument.symbol, days, exchange, self.store.path)
        return self._bars(instrument, request)

    def _instrument(self, symbol: str) -> Instrument:
        cache = self._cache  # which forgets what was known of an earlier state
        known = self._instruments.get(symbol)
        if known is None:
            known = self._instruments[symbol] = cache.instruments.of(symbol, self._day)
        return known

    def _span_of_days(self, instrument: Instrument) -> str | None:
        stored = [span.stored for span in instrument.spans("1d")]
        return self._cache.span_of_days(stored, self.day)

    def _actions(self, instrument: Instrument, first: date) -> tuple[Action, ...]:
        actions = (*instrument.applied_by(self.adjustment).actions, *instrument.renames())
        if not actions:  # the usual case
            return ()
        return tuple(sorted((a for a in actions if first < a.ex_date <= self.day), key=lambda a: (a.ex_date, a.type)))

    def _bars(self, instrument: Instrument, request: BarRequest) -> Bars:
        base, wanted, first_day, last_day, fill = request
        all_spans = instrument.spans(base)
        if len(all_spans) == 1 and all_spans[0].is_unbounded and not instrument.applied_by(self.adjustment).actions:
            return self._cache.bars(all_spans[0].stored, request)  # the usual case
        basis = self._basis(instrument)
        spans = spans_between(all_spans, first_day, last_day)
        if not spans:
            return Bars.empty()
        begin = spans[0].first_day
        whole = wanted.is_intraday or str(wanted) == base or begin == first_day
        if len(spans) == 1 and whole and not self._is_changed(basis, begin):
            return self._cache.bars(spans[0].stored, BarRequest(base, wanted, begin, spans[0].last_day, fill))
        series = self._series(basis, base, wanted, first_day, last_day)
        return (self._cache.forward_filled(series, wanted) if fill else series).between(first_day, last_day)

    def _basis(self, instrument: Instrument) -> PriceBasis:
        """Return the price basis of an instrument on the day."""
        ex_days = instrument.applied_by(self.adjustment).ex_days
        return PriceBasis(instrument, int(ex_days.searchsorted(self._day, side="right")) if len(ex_days) else 0)

    def _is_changed(self, basis: PriceBasis, first_day: int) -> bool:
        """Return whether bars from ``first_day`` on may differ from those stored."""
        ex_days = basis.instrument.applied_by(self.adjustment).ex_days
        return basis.applied > 0 and int(ex_days[basis.applied - 1]) > first_day

    def _read_dividends_ahead(self, instruments: Sequence[Instrument], first: date) -> None:
        """Read the closes before the dividends of many instruments with one read."""
        paying = [
            instrument
            for instrument in instruments
            if any(a.type == "dividend" and a.reference is None for a in self._actions(instrument, first))
        ]
        if paying:
            self._cache.dividends.read_ahead(_stored_under(paying, "1d"), first, self.day)

    def _adjust_ahead(self, instruments: Sequence[Instrument], base: str, first_day: int, last_day: int) -> None:
        """Adjust cached bars of many instruments where an action changes them."""
        bases = [self._basis(instrument) for instrument in instruments]
        changed = [basis for basis in bases if self._is_changed(basis, first_day) and basis.instrument.spans(base)]
        if not changed:
            return
        stored, arena = parse_interval(base), Arena()
        for basis in changed:
            key = basis.instrument.symbol, base, stored
            if self._cache.adjusted(key, basis, first_day, last_day) is None:
                self._cache.put_adjusted(key, basis, self._adjusted(basis, base, first_day, last_day, arena))

    def _series(self, basis: PriceBasis, base: str, wanted: Interval, first_day: int, last_day: int) -> CachedSeries:
        """Return an adjusted series that covers a range of days."""
        key = basis.instrument.symbol, base, wanted
        series = self._cache.adjusted(key, basis, first_day, last_day)
        if series is not None:
            return series
        stored = parse_interval(base)
        if wanted == stored:
            series = self._adjusted(basis, base, first_day, last_day, Arena(0))
        else:
            _, whole_last = self._cache.time_manager.widened(wanted, date_of(first_day), date_of(last_day))
            source = self._series(basis, base, stored, first_day, max(last_day, day_number(whole_last)))
            series = self._cache.derived(source, stored, wanted)
        self._cache.put_adjusted(key, basis, series)
        return series

    def _adjusted(self, basis: PriceBasis, base: str, first_day: int, last_day: int, arena: Arena) -> CachedSeries:
        """Join the stored spans of an instrument and adjust them to a basis.

        The series goes on past ``last_day`` as far as the basis holds and bars are in memory.
        """
        instrument = basis.instrument
        depth = self._cache.adjusted_depth(instrument.symbol, base, last_day - first_day)
        first_day = min(first_day, last_day - depth)
        spans = spans_between(instrument.spans(base), first_day, last_day)
        series = [self._cache.stored(s.stored, base, s.first_day, s.last_day) for s in spans]
        if spans:
            last_day = max(last_day, self._last_day_to_adjust(basis, spans, series[-1].last_day, last_day, depth))
        spans = spans_between(instrument.spans(base), first_day, last_day)
        bars = Bars.concat([one.between(s.first_day, s.last_day) for one, s in zip(series, spans, strict=True)])
        sessions = self._cache.times.sessions(first_day, last_day)
        return CachedSeries(sessions, self._back_adjusted(basis, base, bars, sessions, arena))

    def _last_day_to_adjust(
        self, basis: PriceBasis, spans: Sequence[StoredSpan], in_memory: int, last_day: int, depth: int
    ) -> int:
        """Return the last day that an adjusted copy will be asked for."""
        ex_days = basis.instrument.applied_by(self.adjustment).ex_days
        ahead = min(in_memory, basis.instrument.period.last_day)
        if basis.applied < len(ex_days):
            ahead = min(ahead, int(ex_days[basis.applied]) - 1)
        # Windows that begin after the last change need no copy, so the copy need not go on for them.
        changes = [s.first_day for s in spans[1:]] + ex_days[: basis.applied][-1:].tolist()
        return min(ahead, max(changes, default=last_day) + depth)

    def _back_adjusted(self, basis: PriceBasis, base: str, bars: Bars, sessions: SessionRange, arena: Arena) -> Bars:
        applied = basis.instrument.applied_by(self.adjustment)
        since = int(applied.ex_days.searchsorted(sessions.first_day, side="right"))
        place = sessions.days.searchsorted(applied.ex_days[since : basis.applied])
        rows = bars.timestamp.searchsorted(sessions.starts_ns[place])
        before_all = int(rows.searchsorted(0, side="right"))
        actions = applied.actions[since + before_all : basis.applied]
        if not actions:
            return bars
        require_fitting_splits(actions, rows[before_all:].tolist(), bars)
        shares = [a.value or 1.0 if a.type == "split" else 1.0 for a in actions]
        payouts = [1.0] * len(actions)
        for n, (action, row) in enumerate(zip(actions, rows[before_all:].tolist(), strict=True)):
            if action.type == "dividend":
                payouts[n] = self._cache.dividends.factor(basis.instrument, action, bars, row, base)
        return back_adjusted(bars, rows[before_all:], shares, payouts, arena)


def _stored_under(instruments: Sequence[Instrument], base: str) -> list[str]:
    """Return the symbols under which the bars of instruments are stored."""
    return list(dict.fromkeys(span.stored for instrument in instruments for span in instrument.spans(base)))


def _clipped(coverage: Coverage | None, span: StoredSpan) -> Coverage | None:
    """Return a coverage with its first and last time within a span of days."""
    if coverage is None or span.is_unbounded:  # the usual case
        return coverage
    first, last = coverage.first, coverage.last
    if span.first_day > day_number(first.date()):
        first = datetime.combine(date_of(span.first_day), time(), UTC)
    if span.last_day < day_number(last.date()):
        last = datetime.combine(date_of(span.last_day), time(), UTC)
    return coverage if (first, last) == (coverage.first, coverage.last) else replace(coverage, first=first, last=last)

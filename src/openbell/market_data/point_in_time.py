"""The view of bars as they were known on one day."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from openbell.actions.securities import spans_between
from openbell.errors import OpenbellError
from openbell.market_data.adjusted import AdjustedBars
from openbell.market_data.bar_requests import BarRequest, gap_policy_of, unknown_symbol
from openbell.market_data.stored_facts import clipped, facts_on, spans_beyond_sessions
from openbell.market_data.stored_history import READ_ROWS
from openbell.model.bars import Bars
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from datetime import date, datetime
    from typing import TypeAlias

    import numpy as np
    from numpy.typing import NDArray

    from openbell.actions.securities import Security
    from openbell.actions.table import Action, Adjustment
    from openbell.market_data.bar_requests import GapPolicy
    from openbell.market_data.cache import BarCache
    from openbell.market_data.column_memo import Origin
    from openbell.store.store import BarStore, Coverage

    Columns: TypeAlias = Mapping[str, NDArray[np.float64]]

__all__ = ["PointInTimeView"]

T = TypeVar("T")
W = TypeVar("W")
Arguments = TypeVarTuple("Arguments")


class PointInTimeView:
    """Bars under the names and on the price basis of one day.

    Methods with the name of one of the `DataManager` raise the same errors. All methods see one state of the store,
    from the first call on until the next `refresh`.

    Raw bars stay as they are in the cache, and where no action changes the bars of a request, they are returned as
    views. Else an adjusted copy is made and serves all days until the next ex-date, when the basis changes.

    Args:
        cache: The bars in memory, of any state of the store.
        day: The day.

    Attributes:
        day: The day.
        adjustment: What the bars are adjusted for.
    """

    def __init__(self, cache: BarCache, day: date) -> None:
        self.day = day
        self.adjustment: Adjustment = cache.settings.adjustment
        self._day = day_number(day)
        self._lock = cache.lock
        self._last_seen = cache
        self._refresh_is_due = True
        self._known = facts_on(self.day, cache)

    def refresh(self) -> bool:
        """Switch to the present state of the store, and return whether it differs."""
        with self._lock:
            before, self._refresh_is_due = self._last_seen, True
            return self._cache is not before

    def forget(self, symbols: Sequence[str]) -> None:
        """Drop everything cached of symbols that nobody needs any more."""
        with self._lock:
            self._cache.forget(symbols)
            for symbol in symbols:
                self._known.securities.pop(symbol, None)
                self._known.bases.pop(symbol, None)
            for key in [key for key in self._known.coverages if key[0] in symbols]:
                del self._known.coverages[key]

    def grow(self, symbols: Sequence[str], interval: str) -> None:
        """Extend the cached series of symbols by the running session's latest bars.

        Args:
            symbols: The symbols.
            interval: The interval in which bars have arrived.
        """
        with self._lock:
            self._cache.grow(symbols, interval)

    @property
    def _cache(self) -> BarCache:
        """The cache of the state that the view sees, to be used with the lock held."""
        if self._refresh_is_due:
            seen, self._refresh_is_due = self._last_seen.current(), False
            if seen is not self._last_seen:
                self._last_seen, self._known = seen, facts_on(self.day, seen)
        return self._last_seen

    @property
    def _adjusted(self) -> AdjustedBars:
        """Adjusted bars of the state that the view sees, to be used with the lock held."""
        return AdjustedBars(self._cache, self.adjustment, self._day)

    def computed(
        self,
        key: tuple[Hashable, ...],
        held: object,
        origin: Origin,
        make: Callable[[], Columns],
    ) -> Columns:
        """Return columns computed from others, from the memo where an earlier run computed them.

        The arguments are those of `ColumnMemo.of`.
        """
        with self._lock:
            memo = self._cache.computed
        return make() if memo is None else memo.of((self._day, *key), held, origin, make)

    @property
    def comes_again(self) -> bool:
        """Whether repeated runs request the day, so that `remembered` has a memo."""
        return self._last_seen.remembered is not None

    def remembered(
        self,
        function: Callable[[W, *Arguments], T],
        context: W,
        *arguments: *Arguments,
        size: int = 1,
        keep: Callable[[T], bool] | None = None,
    ) -> T:
        """Return ``function(context, *arguments)``, from the memo where an earlier run computed it.

        The arguments are those of `DayMemo.of`. Where runs do not repeat the days, or the days do not all fit in
        memory, the function is called each time.
        """
        with self._lock:
            memo, rows = self._cache.remembered, self._cache.stored_rows
        if memo is None:
            return function(context, *arguments)
        if rows > READ_ROWS:
            memo.clear()  # it would hold bars that the cache has dropped
            return function(context, *arguments)
        return memo.of(self.day, function, context, arguments, size=size, keep=keep)

    @property
    def store(self) -> BarStore:
        """The store."""
        return self._last_seen.store

    def symbols(self) -> tuple[str, ...]:
        """Return all symbols that the store has bars under, sorted.

        On the view's day, a security may have had a name that is not among them.
        """
        return self.store.symbols()

    def available_intervals(self, symbol: str) -> tuple[str, ...]:
        """Return the stored intervals of a symbol of the day, finest first."""
        with self._lock:
            return self._security(symbol).intervals()

    def stored_under(self, symbol: str) -> tuple[str, ...]:
        """Return the names under which the bars of a symbol of the day are stored."""
        with self._lock:
            security = self._security(symbol)
            return tuple({span.stored: None for name in security.intervals() for span in security.spans(name)})

    def base_intervals(self, symbol: str) -> tuple[str, ...]:
        """Return the stored intervals on the grid of the sessions.

        Bars are read and derived from these.
        """
        with self._lock:
            return self._bases_of(self._security(symbol))

    def _bases_of(self, security: Security) -> tuple[str, ...]:
        bases = self._known.bases
        known = bases.get(security.symbol)
        if known is None:
            known = bases[security.symbol] = self._find_bases(security)
        return known

    def _find_bases(self, security: Security) -> tuple[str, ...]:
        bases = tuple(
            interval
            for interval in security.intervals()
            if all(self._cache.facts.is_on_grid(span.stored, interval) for span in security.spans(interval))
        )
        # Daily bars that end after their sessions are left out where finer bars can take their place; daily bars alone
        # stay, and loading them raises an error that says why.
        if len(bases) > 1 and "1d" in bases and self._span_of_days(security):
            return tuple(interval for interval in bases if interval != "1d")
        return bases

    def coverage(self, symbol: str, interval: str) -> Coverage | None:
        """Return the coverage of one symbol and interval, or None where nothing is stored.

        Files that hold bars of another security as well are counted whole.
        """
        with self._lock:
            security, key = self._security(symbol), (symbol, interval)
            known = self._known.coverages
            if key not in known:
                known[key] = self._find_coverage(security, interval)
            return known[key]

    def first_stored(self, symbols: Sequence[str], interval: str) -> list[datetime | None]:
        """Return the start of each symbol's first stored bar, None where nothing is stored."""
        with self._lock:
            return [self._first_stored(self._security(symbol), interval) for symbol in symbols]

    def _first_stored(self, security: Security, interval: str) -> datetime | None:
        spans = security.spans(interval)
        if len(spans) == 1 and spans[0].is_unbounded:  # the usual case
            return self._cache.facts.first_stored(spans[0].stored, interval)
        coverage = self.coverage(security.symbol, interval)
        return None if coverage is None else coverage.first

    def _find_coverage(self, security: Security, interval: str) -> Coverage | None:
        found = [
            part
            for span in security.spans(interval)
            if (part := clipped(self._cache.facts.coverage(span.stored, interval), span)) is not None
        ]
        if len(found) <= 1:
            return found[0] if found else None
        totals = {name: sum(getattr(c, name) for c in found) for name in ("rows", "files", "bytes")}
        return replace(found[0], symbol=security.symbol, last=found[-1].last, **totals)

    def actions(self, symbol: str, first: date) -> tuple[Action, ...]:
        """Return the actions that bars from ``first`` on are adjusted for, and renames, sorted by ex-date."""
        with self._lock:
            return self._actions(self._security(symbol), first)

    def unadjusted_split(self, symbol: str, day: date) -> float:
        """Return how many units one has become by splits since a day that its bars are not adjusted for."""
        if self.adjustment != "raw":
            return 1.0
        with self._lock:
            splits = self._security(symbol).applied_by("split").actions
        return prod(a.value for a in splits if a.value is not None and day < a.ex_date <= self.day)

    def hint(self, symbol: str) -> str:
        """Return advice on an unknown symbol, with a leading blank, or an empty text."""
        with self._lock:
            return self._cache.facts.securities.hint(symbol, self._day) or self._cache.facts.near_names(symbol)

    def prefetch(self, symbols: Sequence[str], base: str, first: date, last: date) -> None:
        """Bring stored bars of many symbols into the cache with one read.

        Symbols without bars are skipped.
        """
        first_day, last_day = day_number(first), day_number(last)
        with self._lock:
            securities = [self._security(symbol) for symbol in dict.fromkeys(symbols)]
            self._cache.provide(_stored_under(securities, base), base, first_day, last_day)
            self._read_dividends_ahead(securities, first)
            self._adjusted.prepare(securities, base, first_day, last_day)

    def load_historical_bars(
        self, symbol: str, interval: str, first: date, last: date, *, base: str | None = None
    ) -> Bars:
        """Return the bars of the sessions from ``first`` to ``last``, both inclusive."""
        with self._lock:
            security = self._security(symbol)
            if not security.intervals():
                raise unknown_symbol(symbol, self.store.path, self.hint(symbol))
            held = self._bases_of(security)
            off = [name for name in security.intervals() if name not in held]
            request = self._cache.request(symbol, interval, first, last, base=base, held=held, off_grid=off)
            return self._bars_of(security, request)

    def load_bars_of(
        self, symbols: Sequence[str], interval: str, first: date, last: date, *, base: str
    ) -> list[Bars | OpenbellError]:
        """Return for each symbol its bars, or the error why they cannot be read.

        Args:
            symbols: The symbols, all stored in the same intervals.
            interval: The interval of the bars.
            first: First session date; need not be a session.
            last: Last session date, inclusive.
            base: The stored interval to derive the bars from.
        """
        found: list[Bars | OpenbellError] = []
        policies = self._cache.settings.gap_policy
        requests: dict[GapPolicy, BarRequest | None] = {}
        with self._lock:
            for symbol in symbols:
                policy = gap_policy_of(policies, symbol, interval)
                try:
                    security = self._security(symbol)
                    if policy not in requests:
                        held = self._bases_of(security)
                        requests[policy] = self._cache.request(symbol, interval, first, last, base=base, held=held)
                    found.append(self._bars_of(security, requests[policy]))
                except OpenbellError as error:
                    found.append(error)
        return found

    def _bars_of(self, security: Security, request: BarRequest | None) -> Bars:
        if request is None:
            return Bars.empty()
        if request.base == "1d" and (days := self._span_of_days(security)):
            exchange = self._cache.time_manager.exchange
            raise spans_beyond_sessions(security.symbol, days, exchange, self.store.path)
        return self._bars(security, request)

    def _security(self, symbol: str) -> Security:
        cache = self._cache  # before `_known` is read, which this access replaces when the state has changed
        securities = self._known.securities
        known = securities.get(symbol)
        if known is None:
            known = securities[symbol] = cache.facts.securities.of(symbol, self._day)
        return known

    def _span_of_days(self, security: Security) -> str | None:
        """Return which days a security's daily bars span, or None for sessions.

        Only days that end after their sessions count.
        """
        stored = [span.stored for span in security.spans("1d")]
        return self._cache.facts.span_of_days(stored, self.day)

    def _actions(self, security: Security, first: date) -> tuple[Action, ...]:
        actions = (*security.applied_by(self.adjustment).actions, *security.renames())
        if not actions:  # the usual case
            return ()
        return tuple(sorted((a for a in actions if first < a.ex_date <= self.day), key=lambda a: (a.ex_date, a.type)))

    def _bars(self, security: Security, request: BarRequest) -> Bars:
        base, wanted, first_day, last_day, fill = request
        all_spans = security.spans(base)
        if len(all_spans) == 1 and all_spans[0].is_unbounded and not security.applied_by(self.adjustment).actions:
            return self._cache.bars(all_spans[0].stored, request)  # the usual case
        adjusted = self._adjusted
        basis = adjusted.basis(security)
        spans = spans_between(all_spans, first_day, last_day)
        if not spans:
            return Bars.empty()
        begin = spans[0].first_day
        whole = wanted.is_intraday or str(wanted) == base or begin == first_day
        if len(spans) == 1 and whole and not adjusted.is_changed(basis, begin):
            return self._cache.bars(spans[0].stored, BarRequest(base, wanted, begin, spans[0].last_day, fill))
        series = adjusted.series(basis, base, wanted, first_day, last_day)
        return (self._cache.forward_filled(series, wanted) if fill else series).between(first_day, last_day)

    def _read_dividends_ahead(self, securities: Sequence[Security], first: date) -> None:
        """Read the closes before the dividends of many securities with one read."""
        paying = [
            security
            for security in securities
            if any(a.type == "dividend" and a.reference is None for a in self._actions(security, first))
        ]
        if paying:
            self._cache.dividends.read_ahead(_stored_under(paying, "1d"), first, self.day)


def _stored_under(securities: Sequence[Security], base: str) -> list[str]:
    """Return the symbols under which the bars of securities are stored."""
    return list(dict.fromkeys(span.stored for security in securities for span in security.spans(base)))

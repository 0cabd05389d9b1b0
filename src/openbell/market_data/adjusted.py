"""Bars on the price basis of a day, adjusted from stored bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.actions.adjust import Arena, back_adjusted, require_fitting_splits
from openbell.actions.securities import PriceBasis, StoredSpan, spans_between
from openbell.market_data.series import CachedSeries
from openbell.model.bars import Bars
from openbell.model.interval import Interval, parse_interval
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openbell.actions.securities import Security
    from openbell.actions.table import Adjustment
    from openbell.market_data.cache import BarCache
    from openbell.market_data.series import SessionRange

__all__ = ["AdjustedBars"]


class AdjustedBars:
    """Adjusted series as of one day.

    Each is a copy that serves all days until the next ex-date.

    Use it with the cache's ``lock`` held. Days are counted from 1970-01-01, and ranges of days include both ends.

    Args:
        cache: The bars in memory.
        adjustment: What the bars are adjusted for.
        day: The day on whose price basis the bars are.
    """

    def __init__(self, cache: BarCache, adjustment: Adjustment, day: int) -> None:
        self._cache = cache
        self._adjustment: Adjustment = adjustment
        self._day = day

    def basis(self, security: Security) -> PriceBasis:
        """Return the price basis of a security on the day."""
        ex_days = security.applied_by(self._adjustment).ex_days
        return PriceBasis(security, int(ex_days.searchsorted(self._day, side="right")) if len(ex_days) else 0)

    def is_changed(self, basis: PriceBasis, first_day: int) -> bool:
        """Return whether bars from ``first_day`` on may differ from those stored."""
        ex_days = basis.security.applied_by(self._adjustment).ex_days
        return basis.applied > 0 and int(ex_days[basis.applied - 1]) > first_day

    def prepare(self, securities: Sequence[Security], base: str, first_day: int, last_day: int) -> None:
        """Cache adjusted series of the securities whose bars an action changes."""
        bases = [self.basis(security) for security in securities]
        changed = [basis for basis in bases if self.is_changed(basis, first_day) and basis.security.spans(base)]
        if not changed:
            return
        stored, arena = parse_interval(base), Arena()
        for basis in changed:
            key = basis.security.symbol, base, stored
            if self._cache.adjusted.of(key, basis, first_day, last_day) is None:
                self._make(basis, base, stored, first_day, last_day, arena)

    def series(self, basis: PriceBasis, base: str, wanted: Interval, first_day: int, last_day: int) -> CachedSeries:
        """Return an adjusted series that covers a range of days."""
        key = basis.security.symbol, base, wanted
        series = self._cache.adjusted.of(key, basis, first_day, last_day)
        return series or self._make(basis, base, wanted, first_day, last_day, Arena(0))

    def _make(
        self, basis: PriceBasis, base: str, wanted: Interval, first_day: int, last_day: int, arena: Arena
    ) -> CachedSeries:
        """Make an adjusted series of the interval ``wanted``, cache it and return it."""
        stored, security = parse_interval(base), basis.security

        def make() -> CachedSeries:
            if wanted == stored:
                return self._adjusted(basis, base, first_day, last_day, arena)
            _, whole_last = self._cache.time_manager.widened(wanted, date_of(first_day), date_of(last_day))
            source = self.series(basis, base, stored, first_day, max(last_day, day_number(whole_last)))
            return self._cache.derived(source, stored, wanted)

        name = security.symbol, security.period.first_day, basis.applied, base, wanted
        series = self._cache.shared.of(name, first_day, last_day, make)
        self._cache.adjusted.put((security.symbol, base, wanted), basis, series)
        return series

    def _adjusted(self, basis: PriceBasis, base: str, first_day: int, last_day: int, arena: Arena) -> CachedSeries:
        """Join the stored spans of a security and adjust them to a basis.

        The series goes on past ``last_day`` as far as the basis holds and bars are in memory.
        """
        security = basis.security
        depth = self._cache.adjusted.depth(security.symbol, base, last_day - first_day)
        first_day = min(first_day, last_day - depth)
        spans = spans_between(security.spans(base), first_day, last_day)
        series = [self._cache.stored(s.stored, base, s.first_day, s.last_day) for s in spans]
        if spans:
            last_day = max(last_day, self._last_day_to_adjust(basis, spans, series[-1].last_day, last_day, depth))
        spans = spans_between(security.spans(base), first_day, last_day)
        bars = Bars.concat([one.between(s.first_day, s.last_day) for one, s in zip(series, spans, strict=True)])
        sessions = self._cache.times.sessions(first_day, last_day)
        return CachedSeries(sessions, self._back_adjusted(basis, base, bars, sessions, arena))

    def _last_day_to_adjust(
        self, basis: PriceBasis, spans: Sequence[StoredSpan], in_memory: int, last_day: int, depth: int
    ) -> int:
        """Return the last day up to which requests will need an adjusted copy."""
        ex_days = basis.security.applied_by(self._adjustment).ex_days
        ahead = min(in_memory, basis.security.period.last_day)
        if basis.applied < len(ex_days):
            ahead = min(ahead, int(ex_days[basis.applied]) - 1)
        # Windows that begin after the last change need no copy, so the copy need not go on for them.
        changes = [s.first_day for s in spans[1:]] + ex_days[: basis.applied][-1:].tolist()
        return min(ahead, max(changes, default=last_day) + depth)

    def _back_adjusted(self, basis: PriceBasis, base: str, bars: Bars, sessions: SessionRange, arena: Arena) -> Bars:
        """Return bars adjusted for the actions of a basis that have bars before them."""
        applied = basis.security.applied_by(self._adjustment)
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
                payouts[n] = self._cache.dividends.factor(basis.security, action, bars, row, base)
        return back_adjusted(bars, rows[before_all:], shares, payouts, arena)

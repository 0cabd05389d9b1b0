"""`PointInTime`: bars as they were known on a day: under the names and on the price basis of that day.

The raw bars stay as they are in the DataManager's cache, and where no action changes a window, its bars are views of
them. Else a copy of the range is made once and serves until the next ex-date, when the basis changes.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, NamedTuple

from openbell.actions.adjust import Room, back_adjusted
from openbell.actions.book import FAR_FUTURE, FAR_PAST
from openbell.actions.instrument import Instrument, Instruments, Piece
from openbell.errors import DataError
from openbell.market_data.cache import CachedBars, SessionRange
from openbell.market_data.closes import Closes
from openbell.model.bars import Bars
from openbell.model.interval import Interval, parse_interval
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet
    from datetime import date

    from openbell.actions.book import ActionBook
    from openbell.actions.table import Action, Adjustment
    from openbell.market_data.raw_series import RawSeries
    from openbell.store.store import Coverage

__all__ = ["PointInTime"]


class _Basis(NamedTuple):
    """What bars were adjusted for: an instrument, and its first so many actions."""

    instrument: Instrument
    applied: int


class PointInTime:
    """Adjusted series of one state of the store; the DataManager makes a new one when that changes, and holds its lock.

    Args:
        raw: The bars as they are stored; an attribute, too.
        book: All actions.
        adjustment: Which of them are applied to prices; names are followed in any case.
    """

    def __init__(self, raw: RawSeries, book: ActionBook, adjustment: Adjustment) -> None:
        self.raw = raw
        self._book = book
        self._adjustment: Adjustment = adjustment
        self._instruments = Instruments(book, raw.store.manifest)
        self._made: dict[tuple[str, str, Interval], tuple[_Basis, CachedBars]] = {}
        self._depth: dict[tuple[str, str], int] = defaultdict(int)
        self._closes = Closes(raw.store, raw.time_manager)
        self._payouts: dict[Action, float] = {}
        self._coverages: dict[tuple[str, str], Coverage] = {}

    def without(self, changed: AbstractSet[tuple[str, str]], raw: RawSeries) -> PointInTime:
        """The same of a later state of the store, in which the files of these (symbol, interval) are not the same."""
        later = PointInTime(raw, self._book, self._adjustment)
        kept = later._instruments.keep(self._instruments, {symbol for symbol, _ in changed})
        later._made.update((key, made) for key, made in self._made.items() if made[0].instrument in kept)
        later._depth.update(self._depth)
        return later

    def instrument(self, symbol: str, as_of: date) -> Instrument:
        """What has the name ``symbol`` on a day."""
        return self._instruments.of(symbol, day_number(as_of))

    def hint(self, symbol: str, as_of: date) -> str:
        """What to do about a symbol that is no name on a day, with a leading blank; empty when nothing is known."""
        return self._book.hint(symbol, day_number(as_of))

    def actions(self, symbol: str, first: date, as_of: date) -> tuple[Action, ...]:
        """The actions that bars from ``first`` on are adjusted for on a day, and the renames since; by ex-date."""
        instrument = self.instrument(symbol, as_of)
        actions = (*instrument.applied_by(self._adjustment).actions, *instrument.renames())
        if not actions:  # as of most
            return ()
        return tuple(sorted((a for a in actions if first < a.ex_date <= as_of), key=lambda a: (a.ex_date, a.type)))

    def stored_under(self, symbols: Sequence[str], base: str, as_of: date) -> list[str]:
        """The symbols under which the store has the bars of these names of a day."""
        return [piece.stored for symbol in symbols for piece in self.instrument(symbol, as_of).pieces(base)]

    def read_ahead(self, symbols: Sequence[str], first: date, as_of: date) -> None:
        """Read the closes that the dividends of many symbols are set against, all at once."""
        dividends = {
            symbol: action
            for symbol in symbols
            for action in self.actions(symbol, first, as_of)
            if action.type == "dividend" and action.reference is None
        }
        if dividends:
            self._closes.read_ahead(self.stored_under(tuple(dividends), "1d", as_of), first, as_of)

    def coverage(self, symbol: str, interval: str, as_of: date) -> Coverage | None:
        """What the store has of what has a name on a day, all files that it is in counted whole; None: nothing."""
        found = [
            cut
            for piece in self.instrument(symbol, as_of).pieces(interval)
            if (cut := _cut(self._coverage_of(piece.stored, interval), piece)) is not None
        ]
        if len(found) <= 1:
            return found[0] if found else None
        totals = {name: sum(getattr(c, name) for c in found) for name in ("rows", "files", "bytes")}
        return replace(found[0], symbol=symbol, last=found[-1].last, **totals)

    def _coverage_of(self, stored: str, interval: str) -> Coverage | None:
        known = self._coverages.get((stored, interval))
        if known is None and (known := self.raw.store.coverage_of(stored, interval)) is not None:
            self._coverages[stored, interval] = known
        return known

    def bars(
        self, symbol: str, base: str, wanted: Interval, first_day: int, last_day: int, *, fill: bool, as_of: date
    ) -> Bars:
        """Bars of sessions from ``first_day`` to ``last_day``, as known on ``as_of``; its grid must not be empty.

        ``fill`` puts synthetic bars into their gaps.
        """
        basis = self._basis(symbol, as_of)
        pieces = _between(basis.instrument.pieces(base), first_day, last_day)
        if not pieces:
            return Bars.empty()
        begin = pieces[0].first_day
        whole = wanted.is_intraday or str(wanted) == base or begin == first_day
        if len(pieces) == 1 and whole and not self._is_changed(basis, begin):
            return self.raw.bars(pieces[0].stored, base, wanted, begin, pieces[0].last_day, fill=fill)
        series = self._series(basis, base, wanted, first_day, last_day)
        return (self.raw.forward_filled(series, wanted) if fill else series).between(first_day, last_day)

    def adjust_ahead(self, symbols: Sequence[str], base: str, first: date, last: date, as_of: date) -> None:
        """Adjust the stored bars of many symbols, all in memory, at once where an action changes them.

        Raises:
            DamagedFileError: A file of the bars that dividends are set against cannot be read.
        """
        first_day, last_day, stored = day_number(first), day_number(last), parse_interval(base)
        bases = [self._basis(symbol, as_of) for symbol in dict.fromkeys(symbols)]
        room = Room()
        for basis in bases:
            if self._is_changed(basis, first_day) and basis.instrument.pieces(base):
                key = basis.instrument.symbol, base, stored
                if self._fitting(key, basis, first_day, last_day) is None:
                    self._made[key] = basis, self._adjusted(basis, base, first_day, last_day, room)

    def _basis(self, symbol: str, as_of: date) -> _Basis:
        instrument = self.instrument(symbol, as_of)
        ex_days = instrument.applied_by(self._adjustment).ex_days
        return _Basis(instrument, int(ex_days.searchsorted(day_number(as_of), side="right")) if len(ex_days) else 0)

    def _is_changed(self, basis: _Basis, first_day: int) -> bool:
        """Whether bars from ``first_day`` on may differ from those stored."""
        ex_days = basis.instrument.applied_by(self._adjustment).ex_days
        return basis.applied > 0 and int(ex_days[basis.applied - 1]) > first_day

    def _fitting(
        self, key: tuple[str, str, Interval], basis: _Basis, first_day: int, last_day: int
    ) -> CachedBars | None:
        """What was made of a series, if it is on this basis and covers this range."""
        made = self._made.get(key)
        return made[1] if made is not None and made[0] == basis and made[1].covers(first_day, last_day) else None

    def _series(self, basis: _Basis, base: str, wanted: Interval, first_day: int, last_day: int) -> CachedBars:
        key = (basis.instrument.symbol, base, wanted)
        made = self._fitting(key, basis, first_day, last_day)
        if made is not None:
            return made
        stored = parse_interval(base)
        if wanted == stored:
            series = self._adjusted(basis, base, first_day, last_day, Room(0))
        else:
            _, whole_last = self.raw.time_manager.widened(wanted, date_of(first_day), date_of(last_day))
            source = self._series(basis, base, stored, first_day, max(last_day, day_number(whole_last)))
            series = self.raw.derived(source, stored, wanted)
        self._made[key] = basis, series
        return series

    def _adjusted(self, basis: _Basis, base: str, first_day: int, last_day: int, room: Room) -> CachedBars:
        """Stored bars on a basis, joined from where they are, as far ahead as it holds and bars are in memory."""
        instrument, count = basis.instrument, basis.applied
        self._depth[instrument.symbol, base] = depth = max(self._depth[instrument.symbol, base], last_day - first_day)
        first_day = min(first_day, last_day - depth)
        applied = instrument.applied_by(self._adjustment)
        pieces = _between(instrument.pieces(base), first_day, last_day)
        series = [self.raw.stored(p.stored, base, p.first_day, p.last_day) for p in pieces]
        ahead = min(series[-1].last_day, instrument.tenure.last_day) if pieces else last_day
        if count < len(applied.ex_days):
            ahead = min(ahead, int(applied.ex_days[count]) - 1)
        # Windows that begin after the last change need no copy, so the copy need not go on for them.
        changes = [p.first_day for p in pieces[1:]] + applied.ex_days[:count][-1:].tolist()
        ahead = min(ahead, max(changes, default=last_day) + depth)
        last_day = max(last_day, ahead)
        pieces = _between(instrument.pieces(base), first_day, last_day)
        bars = Bars.concat([s.between(p.first_day, p.last_day) for s, p in zip(series, pieces, strict=True)])
        sessions = self.raw.times.sessions(first_day, last_day)
        return CachedBars(sessions, self._back_adjusted(basis, base, bars, sessions, room))

    def _back_adjusted(self, basis: _Basis, base: str, bars: Bars, sessions: SessionRange, room: Room) -> Bars:
        instrument, count = basis.instrument, basis.applied
        applied = instrument.applied_by(self._adjustment)
        since = int(applied.ex_days.searchsorted(sessions.first_day, side="right"))
        place = sessions.days.searchsorted(applied.ex_days[since:count])
        rows = bars.timestamp.searchsorted(sessions.starts_ns[place])
        some = int(rows.searchsorted(0, side="right"))
        actions = applied.actions[since + some : count]
        if not actions:
            return bars
        shares = [a.value or 1.0 if a.type == "split" else 1.0 for a in actions]
        payouts = [1.0] * len(actions)
        for n, (action, row) in enumerate(zip(actions, rows[some:].tolist(), strict=True)):
            if action.type == "dividend":
                payouts[n] = self._payout(instrument, action, bars, row, base)
        return back_adjusted(bars, rows[some:], shares, payouts, room)

    def _payout(self, instrument: Instrument, dividend: Action, bars: Bars, rows: int, base: str) -> float:
        """The factor of prices for a dividend: 1 - dividend / close before it; ``rows`` of the bars lie before it."""
        known = self._payouts.get(dividend)
        if known is None:
            close = dividend.reference or self._closes.last_in(bars, rows, instrument, base, dividend.ex_date)
            if close is None:
                close = self._closes.before(instrument, dividend.ex_date)
            if close is None:  # nothing lies before it that it could change
                return 1.0
            amount = dividend.value or 0.0
            if amount >= close:
                raise DataError(
                    f"{dividend.symbol}: the dividend of {amount:g} on {dividend.ex_date} is not below the close "
                    f"before it, {close:g}. Correct it with: openbell data import actions, or set adjustment: split."
                )
            known = self._payouts[dividend] = 1.0 - amount / close
        return known


def _cut(coverage: Coverage | None, piece: Piece) -> Coverage | None:
    """What of a coverage lies in a piece, told by its days."""
    if coverage is None:
        return None
    if (piece.first_day, piece.last_day) == (FAR_PAST, FAR_FUTURE):  # as of most
        return coverage
    first, last = coverage.first, coverage.last
    if piece.first_day > day_number(first.date()):
        first = datetime.combine(date_of(piece.first_day), time(), UTC)
    if piece.last_day < day_number(last.date()):
        last = datetime.combine(date_of(piece.last_day), time(), UTC)
    return coverage if (first, last) == (coverage.first, coverage.last) else replace(coverage, first=first, last=last)


def _between(pieces: tuple[Piece, ...], first_day: int, last_day: int) -> list[Piece]:
    """The pieces that lie in a range of days, cut to it."""
    return [
        Piece(p.stored, max(p.first_day, first_day), min(p.last_day, last_day))
        for p in pieces
        if p.first_day <= last_day and first_day <= p.last_day
    ]

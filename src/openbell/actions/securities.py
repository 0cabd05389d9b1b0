"""Securities, with their symbols, stored spans and corporate actions.

A security is found by the name that it has on the day of a session. Its earlier bars are looked for under the name
that it had then and, where there are none, under its later names: sources differ in which of them they use. A later
name is skipped for times at which another security had it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from openbell.actions.store import FAR_FUTURE, FAR_PAST, SymbolPeriod
from openbell.model.interval import DAY_NS, parse_interval
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import date

    from numpy.typing import NDArray

    from openbell.actions.store import ActionBook
    from openbell.actions.table import Action, Adjustment
    from openbell.store.manifest import Manifest

__all__ = ["PriceActions", "PriceBasis", "RunningDay", "Securities", "Security", "StoredSpan", "spans_between"]


class RunningDay(Protocol):
    """Day of a live session, of which a feed sends the bars of every symbol under the name of that day.

    Attributes:
        day: The day.
        sent: Function that returns the intervals in which the feed sends bars of a symbol.
    """

    day: date
    sent: Callable[[str], tuple[str, ...]]


class StoredSpan(NamedTuple):
    """A range of days of which a security's bars are stored under one symbol.

    Attributes:
        stored: The symbol.
        first_day: The first day, in days since 1970-01-01.
        last_day: The last day, inclusive.
    """

    stored: str
    first_day: int
    last_day: int

    @property
    def is_unbounded(self) -> bool:
        """Whether the span holds all days."""
        return self.first_day == FAR_PAST and self.last_day == FAR_FUTURE


def spans_between(spans: tuple[StoredSpan, ...], first_day: int, last_day: int) -> list[StoredSpan]:
    """Return the spans that lie in a range of days, cut to it."""
    return [
        StoredSpan(s.stored, max(s.first_day, first_day), min(s.last_day, last_day))
        for s in spans
        if s.first_day <= last_day and first_day <= s.last_day
    ]


@dataclass(frozen=True, slots=True)
class PriceActions:
    """The actions that an adjustment applies, by ex-date.

    Attributes:
        actions: The actions.
        ex_days: Their ex-dates in days since 1970-01-01; int64, ascending.
    """

    actions: tuple[Action, ...]
    ex_days: NDArray[np.int64]

    @staticmethod
    def of(dated: list[tuple[int, Action]]) -> PriceActions:
        """Make them from (day, action) pairs in ascending order of day."""
        if not dated:
            return _NO_ACTIONS
        return PriceActions(tuple(action for _, action in dated), np.array([day for day, _ in dated], np.int64))


_NO_ACTIONS = PriceActions((), np.empty(0, np.int64))
_NOTHING_APPLIED: Mapping[Adjustment, PriceActions] = dict.fromkeys(("raw", "split", "total"), _NO_ACTIONS)


class Security:
    """A security that was traded under a symbol on a day, with its past.

    Args:
        book: All actions.
        manifest: The store's manifest.
        symbol: The symbol on the day.
        day: The day, in days since 1970-01-01.
        running: The day whose bars a feed sends; None when all bars are stored.

    Attributes:
        symbol: The symbol.
        period: The period of that symbol; the security is the same on each day of it.
        past: Its symbol periods up to and including that one, in the order of time.
    """

    def __init__(
        self, book: ActionBook, manifest: Manifest, symbol: str, day: int, running: RunningDay | None = None
    ) -> None:
        self._book = book
        self._running = running
        self._manifest = manifest
        self._was_renamed = book.was_renamed(symbol)
        self._chain = book.chain(symbol, day) if self._was_renamed else (SymbolPeriod(symbol, FAR_PAST, FAR_FUTURE),)
        now = next(i for i, period in enumerate(self._chain) if period.first_day <= day <= period.last_day)
        self.symbol = symbol
        self.period = self._chain[now]
        self.past = self._chain[: now + 1]
        self._spans: dict[str, tuple[StoredSpan, ...]] = {}
        self._intervals: tuple[str, ...] | None = None
        self._applied: Mapping[Adjustment, PriceActions] = _NOTHING_APPLIED
        if self._was_renamed or book.of(symbol):
            splits, everything = self._price_actions()
            self._applied = {**_NOTHING_APPLIED, "split": PriceActions.of(splits), "total": PriceActions.of(everything)}

    def applied_by(self, adjustment: Adjustment) -> PriceActions:
        """Return the actions that an adjustment applies, those after the day included."""
        return self._applied[adjustment]

    def renames(self) -> tuple[Action, ...]:
        """Return the renames that led to the security's symbol, in the order of time."""
        if not self._was_renamed:
            return ()
        pairs = zip(self.past, self.past[1:], strict=False)
        return tuple(self._book.rename(old.symbol, new.first_day) for old, new in pairs)

    def intervals(self) -> tuple[str, ...]:
        """Return the intervals in which there are bars of the security, finest first."""
        if self._intervals is None:
            self._intervals = self._held_intervals()
        return self._intervals

    def _held_intervals(self) -> tuple[str, ...]:
        if not self._was_renamed:
            stored = self._manifest.intervals(self.symbol)
            return stored if self._running is None else _joined(stored, self._running.sent(self.symbol))
        held = {i: None for period in self._chain for i in self._manifest.intervals(period.symbol) if self.spans(i)}
        return _joined(held, () if self._running is None else self._running.sent(self.symbol))

    def note_manifest(self, manifest: Manifest) -> None:
        """Use a later manifest of the store, in which the security has the same files."""
        # Manifests are large, and each security would keep the one in memory that it was made with.
        self._manifest = manifest

    def spans(self, interval: str) -> tuple[StoredSpan, ...]:
        """Return the stored spans of an interval, in the order of time."""
        known = self._spans.get(interval)
        if known is None:
            found = self._located(interval) if self._was_renamed else self._under_its_name(interval)
            known = self._spans[interval] = tuple(found)
        return known

    def _under_its_name(self, interval: str) -> Iterator[StoredSpan]:
        """Yield the span of a security that was never renamed."""
        if self._manifest.files.get((self.symbol, interval)) or self._is_sent(interval, self.period):
            yield StoredSpan(self.symbol, FAR_PAST, FAR_FUTURE)

    def _located(self, interval: str) -> Iterator[StoredSpan]:
        joined: StoredSpan | None = None
        for place, period in enumerate(self.past):
            stored = next((n for n in self._names_of(place) if self._holds(n, interval, period)), None)
            if stored is None or (stored == period.symbol and self._is_of_another(period, interval)):
                continue
            if joined is not None and joined.stored == stored and joined.last_day == period.first_day - 1:
                joined = StoredSpan(stored, joined.first_day, period.last_day)
                continue
            if joined is not None:
                yield joined
            joined = StoredSpan(stored, period.first_day, period.last_day)
        if joined is not None:
            yield joined

    def _names_of(self, place: int) -> Iterator[str]:
        """Yield the symbol of a period, then the later ones that may hold its bars."""
        period = self._chain[place]
        yield period.symbol
        for later in self._chain[place + 1 :]:
            if not self._book.left(later.symbol, after=period.first_day, through=later.first_day):
                yield later.symbol

    def _holds(self, name: str, interval: str, period: SymbolPeriod) -> bool:
        """Return whether there are bars under a symbol in a period."""
        if name == period.symbol and self._is_sent(interval, period):
            return True
        begin, end = period.first_day * DAY_NS, (period.last_day + 1) * DAY_NS
        files = self._manifest.files.get((name, interval), ())
        return any(file.first_ns < end and begin <= file.last_ns for file in files)

    def _is_sent(self, interval: str, period: SymbolPeriod) -> bool:
        """Return whether a feed sends bars of the running day, and that day is in a period."""
        running = self._running
        sends = running is not None and interval in running.sent(period.symbol)
        return running is not None and sends and period.first_day <= day_number(running.day) <= period.last_day

    def _is_of_another(self, period: SymbolPeriod, interval: str) -> bool:
        """Return whether bars of a period belong to a later holder of its symbol."""
        old = self._book.renamed_from(period.symbol, period.last_day + 1)
        if old is None or self._book.left(period.symbol, after=period.last_day, through=period.last_day + 1):
            return False
        theirs = next(t for t in self._book.chain(old, period.last_day) if t.last_day == period.last_day)
        return not self._holds(old, interval, theirs)

    def _price_actions(self) -> tuple[list[tuple[int, Action]], list[tuple[int, Action]]]:
        """Return the security's splits, and its splits and dividends, as (day, action) by day.

        They are looked for under all symbols under which the security's data may be stored.
        """
        found: dict[tuple[int, str], Action] = {}
        for place, period in enumerate(self._chain):
            for name in self._names_of(place):
                for action in self._book.of(name):
                    day = day_number(action.ex_date)
                    if action.type != "rename" and period.first_day <= day <= period.last_day:
                        found.setdefault((day, action.type), action)
        dated = [(day, found[day, kind]) for day, kind in sorted(found)]
        return [pair for pair in dated if pair[1].type == "split"], dated


def _joined(stored: Iterable[str], sent: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*stored, *sent}, key=parse_interval))


class PriceBasis(NamedTuple):
    """The price basis of a day.

    Attributes:
        security: The security.
        applied: How many of the actions that an adjustment applies are in effect on the day.
    """

    security: Security
    applied: int


class Securities:
    """The securities of one state of a store, one object each.

    Args:
        book: All actions.
        manifest: The store's manifest.
        running: The day whose bars a feed sends; None when all bars are stored.
    """

    def __init__(self, book: ActionBook, manifest: Manifest, running: RunningDay | None = None) -> None:
        self._book = book
        self._manifest = manifest
        self._running = running
        self._known: dict[str, list[Security]] = {}

    def of(self, symbol: str, day: int) -> Security:
        """Return the security that has a symbol on a day (days since 1970-01-01)."""
        for known in self._known.get(symbol, ()):
            if known.period.first_day <= day <= known.period.last_day:
                return known
        made = Security(self._book, self._manifest, symbol, day, self._running)
        self._known.setdefault(symbol, []).append(made)
        return made

    def __contains__(self, security: Security) -> bool:
        return any(known is security for known in self._known.get(security.symbol, ()))

    def hint(self, symbol: str, day: int) -> str:
        """Return advice on a symbol that no security has on a day, as `ActionBook.hint` does."""
        return self._book.hint(symbol, day)

    def of_later_state(self, manifest: Manifest, changed: AbstractSet[str]) -> Securities:
        """Return the securities of a later state, with the same objects for unchanged symbols.

        The actions must be the same in both states.
        """
        later = Securities(self._book, manifest, self._running)
        for symbol, known in self._known.items():
            # The spans of a renamed security depend on several symbols.
            if symbol not in changed and not self._book.was_renamed(symbol):
                for one in known:
                    one.note_manifest(manifest)
                later._known[symbol] = list(known)
        return later

    def forget(self, symbols: Iterable[str]) -> None:
        """Forget the securities of symbols, which are then made again when requested."""
        for symbol in symbols:
            self._known.pop(symbol, None)

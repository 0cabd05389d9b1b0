"""`Instrument`: what a symbol meant on a day: the names it had before, where its bars are, and its corporate actions.

An instrument is found by the name that it has on the day of a session. Its earlier bars are looked for under the name
of their time and, where there are none, under the names that it has later: sources differ in which of them they use. A
later name is passed over in a time in which something else had it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.actions.book import FAR_FUTURE, FAR_PAST, Tenure
from openbell.model.interval import DAY_NS
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from numpy.typing import NDArray

    from openbell.actions.book import ActionBook
    from openbell.actions.table import Action, Adjustment
    from openbell.store.manifest import Manifest

__all__ = ["Instrument", "Instruments", "Piece", "PriceActions"]


class Piece(NamedTuple):
    """Where an instrument's bars of a range of days are: under the symbol ``stored``, from first_day to last_day.

    Both days are inclusive, in days since 1970-01-01.
    """

    stored: str
    first_day: int
    last_day: int


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
        """Of (day, action) pairs in ascending order of day."""
        if not dated:
            return _NO_ACTIONS
        return PriceActions(tuple(action for _, action in dated), np.array([day for day, _ in dated], np.int64))


_NO_ACTIONS = PriceActions((), np.empty(0, np.int64))


class Instrument:
    """What was traded under a symbol on a day, with its past.

    Args:
        book: All actions.
        manifest: What the store holds.
        symbol: The name on the day.
        day: The day, in days since 1970-01-01.

    Attributes:
        symbol: The name.
        tenure: For how long it has that name; within that time the same instrument answers.
        past: Its names up to and including that, in the order of time.
    """

    def __init__(self, book: ActionBook, manifest: Manifest, symbol: str, day: int) -> None:
        self._book = book
        self._manifest = manifest
        self._chain = book.chain(symbol, day) if book.was_renamed(symbol) else (Tenure(symbol, FAR_PAST, FAR_FUTURE),)
        now = next(i for i, tenure in enumerate(self._chain) if tenure.first_day <= day <= tenure.last_day)
        self.symbol = symbol
        self.tenure = self._chain[now]
        self.past = self._chain[: now + 1]
        self._pieces: dict[str, tuple[Piece, ...]] = {}
        self._intervals: tuple[str, ...] | None = None
        splits, everything = self._price_actions()
        self._applied: dict[Adjustment, PriceActions] = {
            "raw": PriceActions.of([]),
            "split": PriceActions.of(splits),
            "total": PriceActions.of(everything),
        }

    def applied_by(self, adjustment: Adjustment) -> PriceActions:
        """The actions that an adjustment applies, later ones included."""
        return self._applied[adjustment]

    def renames(self) -> tuple[Action, ...]:
        """The renames that led to its name, in the order of time."""
        pairs = zip(self.past, self.past[1:], strict=False)
        return tuple(self._book.rename(old.name, new.first_day) for old, new in pairs)

    def intervals(self) -> tuple[str, ...]:
        """The intervals in which the store has bars of it, finest first."""
        if self._intervals is None:
            self._intervals = self._held_intervals()
        return self._intervals

    def _held_intervals(self) -> tuple[str, ...]:
        if len(self._chain) == 1 and self.tenure == Tenure(self.symbol, FAR_PAST, FAR_FUTURE):
            return self._manifest.intervals(self.symbol)
        held = {i: None for tenure in self._chain for i in self._manifest.intervals(tenure.name) if self.pieces(i)}
        return tuple(i for i in ("1s", "1m", "60m", "1d") if i in held)

    def pieces(self, interval: str) -> tuple[Piece, ...]:
        """Where its stored bars of an interval are, in the order of time; empty when there are none."""
        known = self._pieces.get(interval)
        if known is None:
            known = self._pieces[interval] = tuple(self._located(interval))
        return known

    def _located(self, interval: str) -> Iterator[Piece]:
        joined: Piece | None = None
        for place, tenure in enumerate(self.past):
            stored = next((n for n in self._names_of(place) if self._holds(n, interval, tenure)), None)
            if stored is None or (stored == tenure.name and self._is_of_another(tenure, interval)):
                continue
            if joined is not None and joined.stored == stored and joined.last_day == tenure.first_day - 1:
                joined = Piece(stored, joined.first_day, tenure.last_day)
                continue
            if joined is not None:
                yield joined
            joined = Piece(stored, tenure.first_day, tenure.last_day)
        if joined is not None:
            yield joined

    def _names_of(self, place: int) -> Iterator[str]:
        """The names that its data of one tenure may be stored under: that of the time, then later ones."""
        tenure = self._chain[place]
        yield tenure.name
        for later in self._chain[place + 1 :]:
            if not self._book.left(later.name, after=tenure.first_day, through=later.first_day):
                yield later.name

    def _holds(self, name: str, interval: str, tenure: Tenure) -> bool:
        """Whether the store has bars under a name in the time of a tenure."""
        begin, end = tenure.first_day * DAY_NS, (tenure.last_day + 1) * DAY_NS
        files = self._manifest.files.get((name, interval), ())
        return any(file.first_ns < end and begin <= file.last_ns for file in files)

    def _is_of_another(self, tenure: Tenure, interval: str) -> bool:
        """Whether the bars stored under its own name belong to an instrument that only later takes this name."""
        old = self._book.taken_from(tenure.name, tenure.last_day + 1)
        if old is None or self._book.left(tenure.name, after=tenure.last_day, through=tenure.last_day + 1):
            return False
        theirs = next(t for t in self._book.chain(old, tenure.last_day) if t.last_day == tenure.last_day)
        return not self._holds(old, interval, theirs)

    def _price_actions(self) -> tuple[list[tuple[int, Action]], list[tuple[int, Action]]]:
        """Its splits, and its splits and dividends, as (day, action) by day; each once, under whatever name it is."""
        found: dict[tuple[int, str], Action] = {}
        for place, tenure in enumerate(self._chain):
            for name in self._names_of(place):
                for action in self._book.of(name):
                    day = day_number(action.ex_date)
                    if action.type != "rename" and tenure.first_day <= day <= tenure.last_day:
                        found.setdefault((day, action.type), action)
        dated = [(day, found[day, kind]) for day, kind in sorted(found)]
        return [pair for pair in dated if pair[1].type == "split"], dated


class Instruments:
    """Finds instruments, each made once; of one state of the store.

    Args:
        book: All actions.
        manifest: What the store holds.
    """

    def __init__(self, book: ActionBook, manifest: Manifest) -> None:
        self._book = book
        self._manifest = manifest
        self._known: dict[str, list[Instrument]] = {}

    def keep(self, earlier: Instruments, changed: AbstractSet[str]) -> set[Instrument]:
        """Take over the instruments of an earlier state of the store that do not depend on the ``changed`` symbols."""
        for symbol, known in earlier._known.items():
            # Where the bars of a renamed one are is asked of several symbols.
            if symbol not in changed and not self._book.was_renamed(symbol):
                self._known[symbol] = list(known)
        return {one for known in self._known.values() for one in known}

    def of(self, symbol: str, day: int) -> Instrument:
        """The instrument that has the name ``symbol`` on ``day`` (days since 1970-01-01)."""
        for known in self._known.get(symbol, ()):
            if known.tenure.first_day <= day <= known.tenure.last_day:
                return known
        made = Instrument(self._book, self._manifest, symbol, day)
        self._known.setdefault(symbol, []).append(made)
        return made

"""Bars of a running session, in memory, as a feed sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypeVar

import numpy as np

from openbell.model.feed_events import FeedBar
from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from numpy.typing import NDArray

    from openbell.timing.time_manager import TimeManager

__all__ = ["TodayBars", "TodayColumns", "Verdict"]

Kind: TypeAlias = Literal["new", "late", "revised", "same"]

_ROOM = 64
"""For so many bars there is room when nobody says how many are to come, or more have come than that."""


class Verdict(NamedTuple):
    """Relation of a bar to those that came before it.

    Attributes:
        kind: "new" after the last one, "late" before it, "revised" with other values, or the "same" again.
        old: The bar that it replaces.
    """

    kind: Kind
    old: FeedBar | None = None


class TodayColumns(NamedTuple):
    """Stored form of today's bars of one symbol and interval, views that never change.

    Attributes:
        start_ns: When they begin; int64, ascending.
        prices: Open, high, low, close and volume; float64, a column each.
        edition: The same object for as long as bars were only put after all others.
    """

    start_ns: NDArray[np.int64]
    prices: NDArray[np.float64]
    edition: object


class TodayBars:
    """Bars of one day by symbol and interval, each once.

    Args:
        day: The session's day; an attribute, too.
        time_manager: The calendar. There is room for all bars that it has of the day from a symbol's first bar on, so
            that the memory of a session is taken when it begins.

    Attributes:
        sent: Says in which intervals the feed sends bars of a symbol.
    """

    def __init__(self, day: date, time_manager: TimeManager | None = None) -> None:
        self.day = day
        self.sent: Callable[[str], tuple[str, ...]] = _nothing
        self._time_manager = time_manager
        self._rooms: dict[str, int] = {}
        self._rows: dict[tuple[str, str], _Rows] = {}

    def begin(self, day: date) -> None:
        """Begin another day without bars."""
        if day != self.day:
            self.day = day
            self._rows.clear()
            self._rooms.clear()

    def add(self, bar: FeedBar) -> Verdict:
        """Put a bar in its place, and say what it is."""
        key = bar.symbol, bar.interval
        rows = self._rows.get(key)
        if rows is None:
            rows = self._rows[key] = _Rows(self._room_of(bar.interval))
        return rows.add(bar)

    def _room_of(self, interval: str) -> int:
        """Return for how many bars of a symbol there is room at first."""
        if interval not in self._rooms:
            room, parsed = _ROOM, parse_interval(interval)
            if self._time_manager is not None:
                grid = self._time_manager.grid(self.day, self.day)
                room = max(1, len(grid.possible_bars(parsed).start_ns)) if parsed.is_intraday else 1
            self._rooms[interval] = room
        return self._rooms[interval]

    def columns(self, symbol: str, interval: str) -> TodayColumns | None:
        """Return the bars of a symbol and interval, or None when none has come."""
        rows = self._rows.get((symbol, interval))
        return rows.columns() if rows is not None and rows.count else None

    def has(self, symbol: str, interval: str, start_ns: int) -> bool:
        """Return whether the bar that begins at a time has come."""
        rows = self._rows.get((symbol, interval))
        return rows is not None and rows.has(start_ns)

    def last_start_ns(self, symbol: str, interval: str) -> int | None:
        """Return when the last bar begins, or None when none has come."""
        rows = self._rows.get((symbol, interval))
        return rows.last_start_ns if rows is not None and rows.count else None

    def forget(self, symbols: Iterable[str]) -> None:
        """Drop all bars of symbols."""
        gone = set(symbols)
        for key in [key for key in self._rows if key[0] in gone]:
            del self._rows[key]

    def all(self) -> Iterable[tuple[tuple[str, str], TodayColumns]]:
        """Iterate over all bars by symbol and interval."""
        return ((key, rows.columns()) for key, rows in self._rows.items() if rows.count)


def _nothing(_: str) -> tuple[str, ...]:
    return ()


class _Rows:
    """Bars of one symbol and interval, with room for more.

    Rows below ``count`` are only written anew in a copy: views of them stay as they were.
    """

    def __init__(self, room: int) -> None:
        self.count = 0
        self._edition = object()
        self._starts: NDArray[np.int64] = np.empty(room, np.int64)
        self._prices: NDArray[np.float64] = np.empty((5, room), np.float64)

    @property
    def last_start_ns(self) -> int:
        return int(self._starts[self.count - 1])

    def columns(self) -> TodayColumns:
        return TodayColumns(self._starts[: self.count], self._prices[:, : self.count], self._edition)

    def has(self, start_ns: int) -> bool:
        place = self._place(start_ns)
        return place < self.count and int(self._starts[place]) == start_ns

    def add(self, bar: FeedBar) -> Verdict:
        values = bar[3:]
        if not self.count or bar.start_ns > self.last_start_ns:
            self._append(bar.start_ns, values)
            return Verdict("new")
        place = self._place(bar.start_ns)
        if int(self._starts[place]) != bar.start_ns:
            room = len(self._starts)
            self._starts = _with_room(np.insert(self._starts[: self.count], place, bar.start_ns), room)
            self._prices = _with_room(np.insert(self._prices[:, : self.count], place, values, axis=1), room)
            self.count += 1
            self._edition = object()
            return Verdict("late")
        known = tuple(self._prices[:, place].tolist())
        if known == values:
            return Verdict("same")
        self._prices = self._prices.copy()
        self._prices[:, place] = values
        self._edition = object()
        return Verdict("revised", FeedBar(bar.symbol, bar.interval, bar.start_ns, *known))

    def _append(self, start_ns: int, values: tuple[float, ...]) -> None:
        if self.count == len(self._starts):
            room = self.count + max(_ROOM, self.count)
            self._starts, self._prices = _with_room(self._starts, room), _with_room(self._prices, room)
        self._starts[self.count] = start_ns
        self._prices[:, self.count] = values
        self.count += 1

    def _place(self, start_ns: int) -> int:
        return int(self._starts[: self.count].searchsorted(start_ns))


S = TypeVar("S", np.int64, np.float64)


def _with_room(rows: NDArray[S], least: int) -> NDArray[S]:
    """Return the same rows in an array with room for so many at the least."""
    room = np.empty((*rows.shape[:-1], max(least, rows.shape[-1])), rows.dtype)
    room[..., : rows.shape[-1]] = rows
    return room

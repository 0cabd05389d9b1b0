"""Results that follow from a state of the store and a day, for runs that come again over the same days."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

__all__ = ["DayMemo"]

_MOST = 200_000
"""The most objects in memory: some 100 MB of windows of bars."""

T = TypeVar("T")
W = TypeVar("W")
Arguments = TypeVarTuple("Arguments")


class DayMemo:
    """Results of functions, computed once per day for all runs of a process, the latest of them.

    It belongs to the cache of one state of the store, and goes with it: what is imported, changed or declared makes a
    new state. The rest of a key is the function, the day and the arguments. Besides these a function reads only what
    follows from the state and the day; it knows no session, no clock and no config. So there is nothing to go stale.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._results: OrderedDict[tuple[object, ...], tuple[Any, int]] = OrderedDict()
        self._size = 0

    def of(
        self,
        day: date,
        function: Callable[[W, *Arguments], T],
        world: W,
        arguments: tuple[*Arguments],
        *,
        size: int = 1,
        keep: Callable[[T], bool] | None = None,
    ) -> T:
        """Return ``function(world, *arguments)``, from memory when it was called with them for this day before.

        Args:
            day: The day.
            function: A function without a closure, of positional arguments only.
            world: What it reads the store and the calendar through; not a part of the key.
            arguments: Hashable values; those that compare by identity are the same only when they are one object.
            size: About how many objects the result keeps in memory.
            keep: Says whether a result is to be remembered; all are unless given.

        Raises:
            TypeError: The function is a closure, or an argument is not hashable.
        """
        key = day, function, arguments
        with self._lock:
            known = self._results.get(key)
            if known is not None:
                self._results.move_to_end(key)
                found: T = known[0]
                return found
        if getattr(function, "__closure__", None):
            raise TypeError(f"{function!r} is a closure: what it reads would not be in the key")
        result = function(world, *arguments)
        return self._kept(key, result, size) if keep is None or keep(result) else result

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._results.clear()
            self._size = 0

    def _kept(self, key: tuple[object, ...], result: T, size: int) -> T:
        """Remember a result, and return that of the first of several threads that computed it."""
        with self._lock:
            first: T = self._results.setdefault(key, (result, size))[0]
            if first is result:
                self._size += size
            while self._size > _MOST:
                self._size -= self._results.popitem(last=False)[1][1]
            return first

"""Memo of results that follow from a state of the store and a day.

It serves repeated runs over the same days.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

__all__ = ["DayMemo"]

_MAX_SIZE = 200_000
"""The most objects that all results together hold, some 100 MB of windows of bars."""

T = TypeVar("T")
W = TypeVar("W")
Arguments = TypeVarTuple("Arguments")


class DayMemo:
    """Results of functions, computed once per day for all runs of a process.

    The least recently used are dropped above a total size. A memo belongs to the cache of one state of the store, and
    is dropped with it: any import or other change of the store makes a new state. A key is the day, the function and
    its arguments. Besides its arguments, a function reads only what follows from the state and the day, never a
    session, a clock or a config. So no result goes stale.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._results: OrderedDict[tuple[object, ...], tuple[Any, int]] = OrderedDict()
        self._size = 0

    def of(
        self,
        day: date,
        function: Callable[[W, *Arguments], T],
        context: W,
        arguments: tuple[*Arguments],
        *,
        size: int = 1,
        keep: Callable[[T], bool] | None = None,
    ) -> T:
        """Return ``function(context, *arguments)``, from the memo if it was called for this day before.

        Args:
            day: The day.
            function: A function without a closure, of positional arguments only.
            context: What the function reads the store and the calendar through; not a part of the key.
            arguments: Hashable values; one that compares by identity is found again only as the same object.
            size: About how many objects the result keeps in memory.
            keep: Returns whether to store a result in the memo; None stores all.

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
        result = function(context, *arguments)
        return self._remember(key, result, size) if keep is None or keep(result) else result

    def clear(self) -> None:
        """Drop all results."""
        with self._lock:
            self._results.clear()
            self._size = 0

    def _remember(self, key: tuple[object, ...], result: T, size: int) -> T:
        """Store a result, unless another thread has, and return the stored one."""
        with self._lock:
            first: T = self._results.setdefault(key, (result, size))[0]
            if first is result:
                self._size += size
            while self._size > _MAX_SIZE:
                self._size -= self._results.popitem(last=False)[1][1]
            return first

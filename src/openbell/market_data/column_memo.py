"""Columns computed of other columns, for runs that come again over the same bars."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Column: TypeAlias = NDArray[np.generic]
    Columns: TypeAlias = Mapping[str, NDArray[np.float64]]

__all__ = ["ColumnMemo", "Origin"]

_MOST_BYTES = 128 * 2**20


class _Entry(NamedTuple):
    """Columns, and what they were made of, whose memory gets no other content as long as somebody has it."""

    columns: Columns
    made_of: Sequence[object]
    size: int


class Origin(NamedTuple):
    """Read-only columns that others are computed of, the same when they are the same memory.

    Attributes:
        columns: The columns.
        places: Where they lie in memory.
    """

    columns: Sequence[Column]
    places: tuple[object, ...]

    @staticmethod
    def of(columns: Sequence[Column]) -> Origin:
        """Look up where columns lie."""
        return Origin(columns, tuple(_places(columns)))


class ColumnMemo:
    """Columns that follow from others and a key, computed once for all runs of a process, the latest of them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._size = 0

    def of(self, key: tuple[Hashable, ...], held: object, origin: Origin, make: Callable[[], Columns]) -> Columns:
        """Return what ``make`` returned for the same key and origin, or returns now.

        Args:
            key: What the columns follow from besides the origin.
            held: An object whose identity is in the key.
            origin: What the columns are computed of.
            make: Computes the columns.
        """
        whole = key, origin.places
        with self._lock:
            if whole in self._entries:
                self._entries.move_to_end(whole)
                return self._entries[whole].columns
        columns = make()
        entry = _Entry(columns, (held, origin.columns), sum(column.nbytes for column in columns.values()))
        with self._lock:
            if whole not in self._entries:
                self._entries[whole] = entry
                self._size += entry.size
            while self._size > _MOST_BYTES:
                self._size -= self._entries.popitem(last=False)[1].size
        return columns


def _places(columns: Iterable[Column]) -> Iterable[tuple[object, ...]]:
    for column in columns:
        yield column.__array_interface__["data"][0], len(column), column.strides

"""Memo of columns computed from other columns, for repeated runs over the same bars."""

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
    """Computed columns, with references to their inputs.

    While an entry holds its inputs, their memory is not used for anything else, so the places in the key stay true.
    """

    columns: Columns
    made_of: Sequence[object]
    size: int


class Origin(NamedTuple):
    """Read-only columns that others are computed from, identified by their place in memory.

    Attributes:
        columns: The columns.
        places: The address, length and strides of each column.
    """

    columns: Sequence[Column]
    places: tuple[object, ...]

    @staticmethod
    def of(columns: Sequence[Column]) -> Origin:
        """Return the origin of columns, with their places in memory."""
        return Origin(columns, tuple(_places(columns)))


class ColumnMemo:
    """Columns that follow from others and a key, computed once for all runs of a process.

    The least recently used are dropped above 128 MiB.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._size = 0

    def of(self, key: tuple[Hashable, ...], held: object, origin: Origin, make: Callable[[], Columns]) -> Columns:
        """Return the columns of this key and origin, from the memo or computed by ``make``.

        Args:
            key: What the columns follow from besides the origin.
            held: An object whose identity is in the key; held in memory, so that no other object gets its identity.
            origin: What the columns are computed from.
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

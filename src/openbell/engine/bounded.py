"""Bound on what a user's code returns at one time."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["bounded"]

_MOST_ITEMS = 100_000

T = TypeVar("T")


def bounded(items: Iterable[T], what: str) -> list[T]:
    """Take the items of what a user's code returned, which may have no end.

    Raises:
        ValueError: There are more than any session has.
    """
    taken = list(islice(items, _MOST_ITEMS + 1))
    if len(taken) > _MOST_ITEMS:
        raise ValueError(f"more than {_MOST_ITEMS:,} {what} at one time: does a generator never end?")
    return taken

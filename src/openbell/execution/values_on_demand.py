"""Values that are made when they are first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ValuesOnDemand"]

T = TypeVar("T")


class ValuesOnDemand(dict[str, T]):
    """A dictionary that makes missing values, and looks up others without a Python call.

    Args:
        make: Makes the value of a key.
    """

    def __init__(self, make: Callable[[str], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: str) -> T:
        made = self[key] = self._make(key)
        return made

"""Registry of named things that users may add to.

Operations, sources, rules, steps and indicators have one each.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

from openbell.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Registry"]

T = TypeVar("T")


class Registry(Generic[T]):
    """An ordered collection of named values of one kind.

    Args:
        kind: The kind of value, in the singular, for error messages ("unknown indicator 'smma'").
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}

    def add(self, name: str, item: T) -> T:
        """Register ``item`` under ``name``, and return it.

        Raises:
            ConfigError: The name is taken.
        """
        if name in self._items:
            raise ConfigError(f"the {self.kind} {name!r} is registered already")
        self._items[name] = item
        return item

    def get(self, name: str) -> T:
        """Return the item registered under ``name``.

        Raises:
            UnknownNameError: There is none; the message names the nearest.
        """
        try:
            return self._items[name]
        except KeyError:
            raise UnknownNameError(self.kind, name, self._items) from None

    def remove(self, name: str) -> None:
        """Remove the item registered under ``name``.

        Raises:
            UnknownNameError: There is none.
        """
        self.get(name)
        del self._items[name]

    def names(self) -> tuple[str, ...]:
        """Return all names, in the order of registration."""
        return tuple(self._items)

    def __contains__(self, name: str) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[T]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    @contextmanager
    def temporarily(self, name: str, item: T) -> Iterator[T]:
        """Register ``item`` for the length of a ``with`` block."""
        self.add(name, item)
        try:
            yield item
        finally:
            self.remove(name)

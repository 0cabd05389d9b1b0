"""A read-only mapping over the JSON form of a result."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openbell.model.json_object import JsonObject

__all__ = ["JsonMapping"]


class JsonMapping(Mapping[str, Any]):
    """A result with typed attributes that is also a mapping of its JSON form."""

    @abstractmethod
    def to_dict(self) -> JsonObject:
        """Return the JSON object, made of plain values."""

    @cached_property
    def _json(self) -> JsonObject:
        return self.to_dict()

    def __getitem__(self, key: str) -> Any:
        return self._json[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._json)

    def __len__(self) -> int:
        return len(self._json)

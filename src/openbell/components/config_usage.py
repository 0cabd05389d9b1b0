"""Keys of a scanner's or strategy's ``config`` that are never read, such as misspelt ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yaml.representer import Representer, SafeRepresenter

from openbell.errors import did_you_mean

if TYPE_CHECKING:
    from _collections_abc import dict_items, dict_keys, dict_values
    from collections.abc import Iterator, Mapping

__all__ = ["ConfigUsage"]


class ConfigUsage:
    """The keys that one scanner or strategy has read of its config, on all days so far.

    Args:
        config: Its config.

    Attributes:
        unread: The keys of the config that were not read.
        missing: The keys that were asked for and are not in the config.
        by_name: Whether any key was asked for by its name.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.unread = set(config)
        self.missing: set[str] = set()
        self.by_name = False

    def noting(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return the config as a dict that records here which keys are read."""
        return _RecordingDict(config, self) if self.unread else config

    def add(self, other: ConfigUsage) -> None:
        """Add what was read elsewhere, such as in another process."""
        self.unread &= other.unread
        self.missing |= other.missing
        self.by_name |= other.by_name

    def warnings(self, component: str) -> list[str]:
        """Return a warning about each unread key, with the key that may have been meant.

        There is none when no key was asked for by its name, because compiled code, such as pydantic's, may have read
        the dict unnoticed.

        Args:
            component: The owner of the config, e.g. "strategy EmaCross".
        """
        if not self.by_name:
            return []
        names = ", ".join(map(repr, sorted(self.missing)))
        others = f" It looked for {names}, which the config does not have." if self.missing else ""
        return [
            f"{component} never read the key {key!r} of its config in this run."
            f"{did_you_mean(key, self.missing) or others}"
            for key in sorted(self.unread)
        ]


class _PlainDict(dict[str, Any]):
    """A `_RecordingDict` that has nothing left to record, and is as fast as a dict."""

    __slots__ = ("_keys",)
    _keys: ConfigUsage

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)  # pickled and copied as a plain dict


class _RecordingDict(_PlainDict):  # noqa: PLW1641  it has no hash, as a dict has none
    """A dict that records which keys are asked for.

    Iterating over it, copying and comparing it count as reading all keys, ``repr`` and ``len`` as reading none. Reads
    by compiled code that bypasses the methods of a dict go unnoticed.
    """

    __slots__ = ()

    def __init__(self, config: Mapping[str, Any], keys: ConfigUsage) -> None:
        super().__init__(config)
        self._keys = keys

    def _record(self, key: object) -> None:
        self._keys.by_name = True
        self._keys.unread.discard(key)
        if not dict.__contains__(self, key):  # not super(): the class may just have changed
            self._keys.missing.add(str(key))
        if not self._keys.unread:
            self.__class__ = _PlainDict  # type: ignore[assignment]  # from now on as fast as a dict

    def _record_all(self) -> None:
        self._keys.unread.clear()

    def __getitem__(self, key: str) -> Any:
        self._record(key)
        return dict.__getitem__(self, key)

    def __contains__(self, key: object) -> bool:
        self._record(key)
        return dict.__contains__(self, key)

    def __delitem__(self, key: str) -> None:
        self._record(key)
        dict.__delitem__(self, key)

    def get(self, key: str, default: Any = None) -> Any:
        self._record(key)
        return dict.get(self, key, default)

    def pop(self, key: str, *default: Any) -> Any:
        self._record(key)
        return dict.pop(self, key, *default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        self._record(key)
        return dict.setdefault(self, key, default)

    def popitem(self) -> tuple[str, Any]:
        self._record_all()
        return dict.popitem(self)

    def __iter__(self) -> Iterator[str]:
        self._record_all()
        return dict.__iter__(self)

    def __reversed__(self) -> Iterator[str]:
        self._record_all()
        return dict.__reversed__(self)

    def __eq__(self, other: object) -> bool:
        self._record_all()
        return dict.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        self._record_all()
        return dict.__ne__(self, other)

    def keys(self) -> dict_keys[str, Any]:
        self._record_all()
        return dict.keys(self)

    def items(self) -> dict_items[str, Any]:
        self._record_all()
        return dict.items(self)

    def values(self) -> dict_values[str, Any]:
        self._record_all()
        return dict.values(self)

    def copy(self) -> dict[str, Any]:
        return dict(self)

    def __or__(self, other: Any) -> Any:
        return dict(self) | other


for _representer in (SafeRepresenter, Representer):
    _representer.add_multi_representer(_PlainDict, SafeRepresenter.represent_dict)

"""State of a strategy over the sessions of a run, and states of sessions that are over."""

from __future__ import annotations

import json
import weakref
from collections.abc import Mapping
from math import isfinite
from threading import RLock
from typing import TYPE_CHECKING, Any, NoReturn, Self

from openbell.errors import SessionOverError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from threading import _RLock

__all__ = ["EndedStates", "StrategyState"]


class StrategyState(dict[str, Any]):
    """A dictionary of JSON values, which refuses other values when they are assigned.

    Strings, finite numbers, True and False, None, lists, and dictionaries with strings as keys are JSON values. Each
    session begins with the values at the end of the one before, where a tuple has become a list. When its session is
    over, a state can be read but not changed.

    Raises:
        TypeError: A value is not JSON, or a key is not a string.
        SessionOverError: It is changed when its session is over.
    """

    __slots__ = ("__weakref__", "_at_end", "_ended", "_lock")
    _at_end: dict[str, str]
    _ended: date | None
    _lock: _RLock

    def __init__(self, *values: Any, **more: Any) -> None:
        super().__init__()
        # What a thread writes while the session ends is either saved or refused.
        object.__setattr__(self, "_lock", RLock())
        object.__setattr__(self, "_ended", None)
        object.__setattr__(self, "_at_end", {})
        self.update(*values, **more)

    def end(self, day: date) -> None:
        """Refuse changes from now on, because the session of ``day`` is over."""
        with self._lock:
            if self._ended is None:
                nested = {key: repr(value) for key, value in self.items() if isinstance(value, list | dict)}
                object.__setattr__(self, "_ended", day)
                object.__setattr__(self, "_at_end", nested)

    def _require_open(self) -> None:
        if self._ended is not None:
            raise SessionOverError(
                f"the session of {self._ended} is over: its state can be read, and no longer be changed. "
                "Use the state of the current session, which began with what this one held at the end."
            )

    def __setitem__(self, key: str, value: Any) -> None:
        with self._lock:
            self._require_open()
            _require_json(key, value)
            super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        with self._lock:
            self._require_open()
            super().__delitem__(key)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"a state keeps what is assigned by key: write state[{name!r}] = {value!r}")

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, after setting it to ``default`` if it is missing."""
        with self._lock:
            if key not in self:
                self[key] = default
            return self[key]

    def update(self, *others: Any, **more: Any) -> None:
        """Assign all values of others."""
        with self._lock:
            self._require_open()
            for key, value in dict(*others, **more).items():
                self[key] = value

    def __ior__(self, other: Any) -> Self:  # type: ignore[override,misc]  # dict allows more than it need
        self.update(other)
        return self

    def pop(self, key: str, *default: Any) -> Any:
        """Remove a key and return its value."""
        with self._lock:
            self._require_open()
            return super().pop(key, *default)

    def popitem(self) -> tuple[str, Any]:
        """Remove the last key, and return it with its value."""
        with self._lock:
            self._require_open()
            return super().popitem()

    def clear(self) -> None:
        """Remove all keys."""
        with self._lock:
            self._require_open()
            super().clear()

    def assign(self, values: Mapping[str, Any]) -> None:
        """Replace all values by those of a mapping.

        Raises:
            TypeError: It is not a mapping of JSON values; nothing was changed.
            SessionOverError: The session is over.
        """
        if not isinstance(values, Mapping):
            raise TypeError(f"state is a dictionary of JSON values, not {values!r}. Give your attribute another name.")
        new = StrategyState(values)
        with self._lock:
            self.clear()
            self.update(new)

    def copy(self) -> NoReturn:
        """Raise TypeError, because ``dict(state)`` makes a plain copy."""
        raise TypeError("a state is one object; dict(state) makes a plain copy of it")

    def __reduce__(self) -> tuple[type[StrategyState], tuple[dict[str, Any]]]:
        return StrategyState, (dict(self),)

    def changed_after_end(self) -> list[str]:
        """Return the keys whose lists or dictionaries were changed in place after the end."""
        return [key for key, text in self._at_end.items() if repr(self[key]) != text]

    def to_json(self) -> str:
        """Return the state as JSON text.

        Raises:
            TypeError: A list or dictionary in it has got a value that is not JSON.
        """
        for key, value in self.items():
            _require_json(key, value)
        return json.dumps(self)

    @staticmethod
    def of_json(text: str) -> StrategyState:
        """Return the state from its JSON text."""
        return StrategyState(json.loads(text))


def _require_json(key: object, value: object) -> None:
    """Raise TypeError unless a key is a string and its value, with all in it, is JSON."""
    if not isinstance(key, str):
        raise TypeError(f"a key of state is a text, not {key!r}")
    bad = _not_json(value)
    if bad is not None:
        place = f"state[{key!r}]"
        raise TypeError(
            f"{place} cannot hold {bad[0]!r}: state takes JSON values, which are texts, finite numbers, True, False, "
            "None, lists and dictionaries of them with texts as keys"
        )


def _not_json(value: object) -> tuple[object] | None:
    """Return the first thing in a value that is not JSON, in a tuple, or None."""
    if value is None or isinstance(value, str | bool):
        return None
    # Of numpy's numbers only float64 is a float; the others would come back as something else.
    if isinstance(value, int | float):
        return None if isfinite(value) else (value,)
    if isinstance(value, list | tuple):
        return next((bad for item in value if (bad := _not_json(item)) is not None), None)
    if isinstance(value, dict):
        strangers = [key for key in value if not isinstance(key, str)]
        return (strangers[0],) if strangers else _not_json(list(value.values()))
    return (value,)


class EndedStates:
    """The states of the sessions of a run that are over, as long as somebody holds them.

    A state itself refuses changes. A list or a dictionary in it cannot, so that changes of these are found by
    comparison.
    """

    def __init__(self) -> None:
        self._states: list[tuple[date, str, weakref.ref[StrategyState]]] = []

    def add(self, day: date, states: Mapping[str, StrategyState]) -> None:
        """Add the states of a session that is over, by strategy."""
        alive = [entry for entry in self._states if entry[2]() is not None]
        self._states = [*alive, *((day, name, weakref.ref(state)) for name, state in states.items())]

    def warnings(self) -> Iterator[str]:
        """Iterate over warnings about changes that came too late, one per state."""
        for entry in list(self._states):
            day, name, reference = entry
            state = reference()
            changed = [] if state is None else state.changed_after_end()
            if changed:
                self._states.remove(entry)
                keys = ", ".join(f"state[{key!r}]" for key in changed)
                yield (
                    f"{name} changed {keys} of the session of {day} when that session was over; the change is lost. "
                    "Change the state of the current session."
                )

"""State of a strategy that lasts over the sessions of a run."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, NoReturn, Self

__all__ = ["StrategyState"]


class StrategyState(dict[str, Any]):
    """A dictionary of JSON values, which refuses everything else when it is assigned.

    Texts, finite numbers, True and False, None, lists, and dictionaries with texts as keys are JSON values. Each
    session begins with what they were at the end of the one before: a tuple has become a list by then.

    Raises:
        TypeError: A value is none, or a key is no text.
    """

    def __setitem__(self, key: str, value: Any) -> None:
        _require_json(key, value)
        super().__setitem__(key, value)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, which is ``default`` from now on when there was none."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *others: Any, **more: Any) -> None:
        """Assign all values of others."""
        for key, value in dict(*others, **more).items():
            self[key] = value

    def __ior__(self, other: Any) -> Self:  # type: ignore[override,misc]  # dict allows more than it need
        self.update(other)
        return self

    def copy(self) -> NoReturn:
        """Refuse to be copied, since ``dict(state)`` makes a plain copy."""
        raise TypeError("a state is one object; dict(state) makes a plain copy of it")

    def to_json(self) -> str:
        """Return it as JSON text.

        Raises:
            TypeError: A list or dictionary in it holds something else by now.
        """
        for key, value in self.items():
            _require_json(key, value)
        return json.dumps(self)

    @staticmethod
    def of_json(text: str) -> StrategyState:
        """Return the state that a text was made of."""
        state = StrategyState()
        state.update(json.loads(text))
        return state


def _require_json(key: object, value: object) -> None:
    """Raise unless a value, with all in it, is JSON."""
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
    """Return what is no JSON value in a value, or None."""
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

"""Places in a config, as text and as tuples of keys and list positions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openbell.config.error_messages import Place

__all__ = ["place_of", "text_of", "with_value"]

_PART = re.compile(r"""\[(\d+)\]|\[(["'])(.*?)\2\]|(?:^|\.)([^.\[\]"']+)""")


def place_of(text: str) -> Place:
    """Parse a place such as ``strategies.0.config.fast`` or ``strategies[0].config.fast``.

    A part with a dot in it is written ``["BRK.B"]``.

    Raises:
        ValueError: The text is not a place.
    """
    place: list[str | int] = []
    at = 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None or found.end() == at:
            place = []
            break
        number, _, quoted, plain = found.groups()
        place.append(int(number) if number is not None else quoted if plain is None else _part(plain))
        at = found.end()
    if not place:
        raise ValueError(f"{text!r} is not a place in a config. Write it as in strategies.0.config.fast.")
    return tuple(place)


def _part(text: str) -> str | int:
    return int(text) if text.isascii() and text.isdigit() and str(int(text)) == text else text.strip()


def text_of(place: Place) -> str:
    """Return a place as one text, such as ``strategies.0.config.fast``."""
    plain = (f'["{part}"]' if isinstance(part, str) and set(part) & set(".[]\"'") else f".{part}" for part in place)
    return "".join(plain).removeprefix(".")


def value_at(values: Any, place: Place, default: Any = None) -> Any:
    """Return the value at a place of a config's values, or the default where there is no such place."""
    for part in place:
        if isinstance(values, dict):
            is_there = part in values
        else:
            is_there = isinstance(values, list | tuple) and isinstance(part, int) and part in range(len(values))
        if not is_there:
            return default
        values = values[part]
    return values


def with_value(values: Any, place: Place, value: Any) -> Any:
    """Return a copy of a config's values with the value at one place set.

    Missing levels are created, because all their keys may have been left at their defaults.

    Raises:
        ValueError: The place leads through a value that has no keys, or to a list entry that does not exist.
    """
    return _with_value(values, place, 0, value)


def _with_value(values: Any, place: Place, depth: int, value: Any) -> Any:
    if depth == len(place):
        return value
    part = place[depth]
    if isinstance(values, list | tuple):
        if not isinstance(part, int) or part >= len(values):
            has = "is empty" if not values else f"has entries 0 to {len(values) - 1}"
            raise ValueError(f"{text_of(place[:depth])} {has}, not {part!r}. Entries are counted from 0.")
        return [_with_value(v, place, depth + 1, value) if n == part else v for n, v in enumerate(values)]
    if values is None and not isinstance(part, int):
        return {str(part): _with_value(None, place, depth + 1, value)}
    if not isinstance(values, dict):
        what = "is not in the config" if values is None else f"is {values!r}, which has no keys"
        raise ValueError(f"{text_of(place[:depth])} {what}. Write it out in the config first.")
    key = next((k for k in values if k == part or str(k) == str(part)), str(part))
    return {**values, key: _with_value(values.get(key), place, depth + 1, value)}

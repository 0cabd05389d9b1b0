"""Validation of the fields of messages in JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from openbell.errors import IntervalError, shortened
from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from openbell.model.json_object import JsonObject

__all__ = ["BadMessageError", "Hello", "json_object", "symbol_of", "symbols_of", "text_of", "whole_number_of"]

_LONGEST_SYMBOL = 64


class BadMessageError(ValueError):
    """A message that is not valid, with the reason as text."""


def json_object(text: str | bytes) -> JsonObject:
    """Return the object in a message.

    Raises:
        BadMessageError: The message is not an object in JSON.
    """
    if not isinstance(text, str):
        raise BadMessageError("a message is text, not bytes")
    try:
        message = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise BadMessageError(f"a message is nested too deep: {shortened(text)}") from None
    except ValueError as exc:
        raise BadMessageError(f"a message is not JSON ({exc}): {shortened(text)}") from None
    if not isinstance(message, dict):
        raise BadMessageError(f"a message is an object with a type: {shortened(text)}")
    return message


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number in JSON")


def text_of(message: JsonObject, key: str, default: str | None = None) -> str:
    """Return the text under a key.

    Raises:
        BadMessageError: The value is not a text, or is missing without a default.
    """
    value = message.get(key, default)
    if not isinstance(value, str):
        raise BadMessageError(f"{key} must be a text, not {_shown(value)}")
    return value


def whole_number_of(message: JsonObject, key: str) -> int:
    """Return the whole number under a key.

    Raises:
        BadMessageError: The value is not a whole number.
    """
    value = message.get(key)
    if type(value) is not int:
        raise BadMessageError(f"{key} must be a whole number, not {_shown(value)}")
    return value


def symbol_of(value: object) -> str:
    """Return a value if it is valid as a symbol.

    Raises:
        BadMessageError: The value is not a short printable text.
    """
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_SYMBOL or not value.isprintable():
        raise BadMessageError(f"a symbol is a text of at most {_LONGEST_SYMBOL} letters, not {_shown(value)}")
    return value


def symbols_of(value: object, most: int) -> list[str]:
    """Return the symbols in a list, or in the keys of an object.

    Raises:
        BadMessageError: The value is neither, has more than ``most`` entries, or one that is not a symbol.
    """
    if not isinstance(value, list | dict):
        raise BadMessageError(f"symbols are a list, not {_shown(value)}")
    if len(value) > most:
        raise BadMessageError(f"there are more than {most:,} symbols")
    return [symbol_of(each) for each in value]


class Hello:
    """A feed's first message.

    Args:
        message: The message.

    Attributes:
        name: The label of the feed's bars.
        intervals: The intervals that the feed sends, finest first.
        limit: The most symbols of a subscription; None when the feed does not name one.

    Raises:
        BadMessageError: The message is not a valid hello.
    """

    def __init__(self, message: JsonObject) -> None:
        if message.get("type") != "hello":
            raise BadMessageError(f"the first message must be a hello, not {_shown(message.get('type'))}")
        if message.get("protocol") != 1:
            raise BadMessageError(f"the hello must say protocol 1, not {_shown(message.get('protocol'))}")
        self.name = text_of(message, "name")
        self.intervals = _intervals(message.get("intervals"))
        self.limit = None if message.get("limit") is None else whole_number_of(message, "limit")
        if self.limit is not None and self.limit < 1:
            raise BadMessageError(f"limit must be at least 1, or null, not {self.limit}")


def interval_of(message: JsonObject, key: str) -> str:
    """Return the canonical interval under a key.

    Raises:
        BadMessageError: There is none.
    """
    try:
        return str(parse_interval(text_of(message, key)))
    except IntervalError as exc:
        raise BadMessageError(str(exc)) from None


def _intervals(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= 100:
        raise BadMessageError(f"intervals must be a list such as ['1m', '1d'], not {_shown(value)}")
    try:
        return tuple(str(each) for each in sorted({parse_interval(each) for each in value}))
    except IntervalError as exc:
        raise BadMessageError(f"intervals: {exc}") from None


def _shown(value: Any) -> str:
    return "nothing" if value is None else shortened(f"{value}")

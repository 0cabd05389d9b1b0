"""Bounds on the values of a config, for every file format."""

from __future__ import annotations

from openbell.config.error_messages import Place, Problem
from openbell.errors import ConfigError, InvalidConfigError, shortened

__all__ = ["DEEPEST", "MOST_CHARACTERS", "MOST_VALUES", "require_bounds"]

DEEPEST = 32
"""The most levels of nested values."""
MOST_VALUES = 50_000
"""The most values, those of all levels counted."""
MOST_CHARACTERS = 8_000_000
"""The most characters of a config file."""

_MOST_BITS = 1024


def require_bounds(values: object, subject: str) -> None:
    """Check the number and nesting of values, the size of integers and the characters of texts.

    Args:
        values: The values of a config, or of a part of it.
        subject: Where they come from, for the message.

    Raises:
        ConfigError: A bound is exceeded; the message names it, and the value that exceeds it.
    """
    level: list[tuple[Place, object]] = [((), values)]
    count = 0
    for _ in range(DEEPEST):
        count += len(level)
        if count > MOST_VALUES:
            raise ConfigError(f"{subject}: more than {MOST_VALUES:,} values, too many for a config")
        inner: list[tuple[Place, object]] = []
        for place, value in level:
            if isinstance(value, dict):
                inner += [((*place, str(key)), key) for key in value]
                inner += [((*place, str(key)), item) for key, item in value.items()]
            elif isinstance(value, list | tuple):
                inner += [((*place, at), item) for at, item in enumerate(value)]
            elif problem := _problem_of(place, value):
                raise InvalidConfigError(subject, [str(Problem(place, problem))])
        if not inner:
            return
        level = inner
    raise ConfigError(f"{subject}: values nested more than {DEEPEST} levels deep")


def _problem_of(place: Place, value: object) -> str | None:
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return f"an integer of {value.bit_length():,} bits; at most {_MOST_BITS:,} are allowed"
    if isinstance(value, str) and (("\0" in value and "config" not in place) or not _is_unicode(value)):
        return f"the text {shortened(value)} has characters that no file may hold"
    return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

"""Bounds on the values of a config, which hold for every form that it is written in."""

from __future__ import annotations

from openbell.config.error_messages import Place, Problem
from openbell.errors import ConfigError, InvalidConfigError, shortened

__all__ = ["DEEPEST", "MOST_CHARACTERS", "MOST_VALUES", "require_bounds"]

DEEPEST = 32
MOST_VALUES = 50_000
MOST_CHARACTERS = 8_000_000

_MOST_BITS = 1024


def require_bounds(values: object, subject: str) -> None:
    """Refuse values that are nested too deep or too many, and such that no part of openbell could take.

    Raises:
        ConfigError: The bound that is broken, with the value.
    """
    level: list[tuple[Place, object]] = [((), values)]
    count = 0
    for _ in range(DEEPEST):
        count += len(level)
        if count > MOST_VALUES:
            raise ConfigError(f"{subject}: more than {MOST_VALUES:,} values, which is no config")
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
        return f"a number of {value.bit_length():,} bits; they have at most {_MOST_BITS}"
    if isinstance(value, str) and (("\0" in value and "config" not in place) or not _is_unicode(value)):
        return f"the text {shortened(value)} has characters that no file may hold"
    return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

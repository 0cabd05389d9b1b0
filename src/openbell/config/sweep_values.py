"""Values that a key of the config takes in a sweep, as a list or a range."""

from __future__ import annotations

import re
from datetime import date, time
from decimal import Decimal
from typing import Any

__all__ = ["MOST_OF_A_KEY", "read_values", "values_of_text"]

MOST_OF_A_KEY = 100_000
"""The most values of one key in a sweep."""

_NUMBER = r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"\s*({_NUMBER})\s*:\s*({_NUMBER})\s*:\s*({_NUMBER})\s*")


def read_values(value: object) -> tuple[Any, ...]:
    """Read a list of values, a range such as ``5:50:5`` with both its ends, or one value.

    Raises:
        ValueError: There is no value, a range does not reach its end or has too many values, or a value occurs twice.
    """
    value = _plain(value)
    if isinstance(value, list):
        values = tuple(value)
    elif isinstance(value, str) and (found := _RANGE.fullmatch(value)):
        values = _range(value.strip(), *found.groups())
    else:
        values = (value,)
    if not values:
        raise ValueError("has no values. Write a list such as [5, 10, 20], or a range such as 5:50:5.")
    seen: list[str] = [f"{type(v).__name__} {v!r}" for v in values]
    if len(set(seen)) < len(seen):
        twice = next(v for n, v in enumerate(values) if seen[n] in seen[:n])
        raise ValueError(f"{twice!r} occurs twice. Write each value once.")
    return values


def values_of_text(text: str) -> tuple[Any, ...]:
    """Read the values of the option ``--set``, such as ``5:50:5``, ``20,50,100`` or ``[A,B],[C]``.

    Raises:
        ValueError: They cannot be read.
    """
    import yaml

    from openbell.config.yaml12 import read_yaml

    if _RANGE.fullmatch(text):
        return read_values(text)
    try:
        return read_values(read_yaml(f"[{text}]"))
    except yaml.YAMLError as error:
        raise ValueError(
            f"{text!r} cannot be read as values. Write them with commas between, such as 20,50,100, or a range such as "
            "5:50:5."
        ) from error


def _plain(value: object) -> object:
    """Return a value as a config file would hold it."""
    if hasattr(value, "tolist"):  # NumPy's arrays and numbers
        value = value.tolist()
    if isinstance(value, list | tuple | range):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.isoformat() if isinstance(value, date | time) else value


def _range(text: str, first: str, last: str, step: str) -> tuple[int | float, ...]:
    begin, end, by = (Decimal(part) for part in (first, last, step))
    if not by or (end > begin and by < 0) or (end < begin and by > 0):
        raise ValueError(f"the range {text} does not lead from {first} to {last}. A range is first:last:step.")
    try:
        count = int((end - begin) / by) + 1
    except ArithmeticError:  # beyond what decimals reach
        count = MOST_OF_A_KEY + 1
    if count > MOST_OF_A_KEY:
        raise ValueError(f"the range {text} has more than {MOST_OF_A_KEY:,} values, the most that a key takes.")
    # Decimals, because multiples of 0.1 as floats are not the numbers that people write.
    numbers = [begin + by * n for n in range(count)]
    whole = all(re.fullmatch(r"[+-]?\d+", part) for part in (first, last, step))
    return tuple(int(number) if whole else float(number) for number in numbers)

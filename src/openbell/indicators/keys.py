"""Keys of indicators with their parameters and interval, such as ``sma_20_5m``."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from openbell.errors import ConfigError, UnknownNameError
from openbell.indicators.registry import get, names
from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openbell.indicators.indicator import Indicator, Parameter

__all__ = ["key", "parse_key"]


def key(name: str, params: Mapping[str, Any], interval: str) -> str:
    """Write the key of an indicator.

    It consists of the name, the values of all parameters in declared order, and the interval.

    Args:
        name: The indicator, in any case.
        params: Its parameters; those that are missing take their defaults.
        interval: The interval of its bars; equal intervals give equal keys (``1h`` is ``60m``).

    Returns:
        For example ``sma_20_5m``, ``macd_12_26_9_15m``, ``bbands_20_2_2_0_5m``, ``vwap_5m``.

    Raises:
        ConfigError: An unknown indicator or parameter, or a value that it does not take.
        IntervalError: Not an interval.
    """
    return _key(name.casefold(), tuple(params.items()), interval)


@lru_cache(maxsize=8192)
def _key(name: str, items: tuple[tuple[str, Any], ...], interval: str) -> str:
    values = get(name).resolve(None, dict(items)).values()
    return "_".join([name, *map(_write, values), str(parse_interval(interval))])


def _write(value: float | str) -> str:
    """Write a value as in a key, 2.0 as 2."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)


def parse_key(key: str) -> tuple[str, dict[str, Any], str]:
    """Read the indicator, all its parameters and the interval from a key.

    Parameters at the end may be missing and take their defaults: ``macd_15m`` is ``macd_12_26_9_15m``. Where several
    registered names begin the key, the longest is meant.

    Raises:
        UnknownNameError: No registered name begins the key.
        ConfigError: A value that the indicator does not take, or too many of them.
        IntervalError: The key does not end in an interval.
    """
    head, _, interval = key.strip().casefold().rpartition("_")
    if not head:
        raise ConfigError(f"bad indicator key {key!r}: write name_parameters_interval, for example sma_20_5m.")
    canonical = str(parse_interval(interval))
    indicator, values = _split(head, key)
    if len(values) > len(indicator.parameters):
        takes = ", ".join(p.name for p in indicator.parameters) or "no parameters"
        raise ConfigError(f"bad indicator key {key!r}: {indicator.name} takes {takes}, and {len(values)} are given.")
    given = {p.name: _read(p, text, key) for p, text in zip(indicator.parameters, values, strict=False)}
    return indicator.name, indicator.resolve(None, given), canonical


def _split(head: str, key: str) -> tuple[Indicator, list[str]]:
    words = head.split("_")
    known = frozenset(names())
    for count in range(len(words), 0, -1):
        name = "_".join(words[:count])
        if name in known:
            return get(name), words[count:]
    wordlike = [word for word in words if not word.replace(".", "").lstrip("-").isdigit()]
    raise UnknownNameError("indicator", "_".join(wordlike) or head, known, where=f"key {key!r}")


def _read(parameter: Parameter, text: str, key: str) -> int | float | str:
    if parameter.type is str:
        return text
    try:
        return parameter.type(text)
    except ValueError:
        raise ConfigError(f"bad indicator key {key!r}: {parameter.name} must be a number, not {text!r}.") from None

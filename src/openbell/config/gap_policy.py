"""Policies for missing bars, for all series or by interval and symbol."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Tag

from openbell.config.fields import read_interval, read_symbol
from openbell.model.interval import parse_interval

__all__ = ["GapPolicies", "symbols_named"]

_DEFAULT = "default"
_LIKE_AN_INTERVAL = re.compile(
    r"\d+ *(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?|months?|t|ticks?)", re.IGNORECASE
)


def symbols_named(policies: GapPolicies) -> tuple[str, ...]:
    """Return the symbols that have a policy of their own."""
    named = () if isinstance(policies, str) else policies
    return tuple(key for key in named if key != _DEFAULT and not _is_interval(key))


def _is_interval(key: object) -> bool:
    return isinstance(key, str) and _LIKE_AN_INTERVAL.fullmatch(key) is not None


def _read_key(key: object) -> str:
    return read_interval(key) if _is_interval(key) else read_symbol(key)


def _read_interval_key(key: object) -> str:
    return _DEFAULT if key == _DEFAULT else read_interval(key)


def _with_keys(value: object, read: Callable[[object], str]) -> object:
    """Return a mapping with its keys read by ``read``, and anything else unchanged."""
    if not isinstance(value, Mapping):
        return value
    keys = [read(key) for key in value]
    if twice := [key for key, n in Counter(keys).items() if n > 1]:
        raise ValueError(f"{', '.join(twice)} occurs twice (1h and 60m are the same interval). Write each once.")
    return dict(zip(keys, value.values(), strict=True))


def _filled_within_sessions(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuse to fill bars of a day or longer, which are never filled."""
    for key, policy in value.items():
        if key == _DEFAULT or not _is_interval(key):
            continue
        if policy == "forward" and not parse_interval(key).is_intraday:
            raise ValueError(
                f"{key}: bars of a day or longer are never filled, for a day without any trade is a hole. Take it out, "
                "or see historical.gap_fill, which builds days from minutes."
            )
    return value


def _read_mapping(value: object) -> object:
    """Read the keys of a mapping by symbol or interval, and return anything else unchanged."""
    read = _with_keys(value, _read_key)
    for key, policy in read.items() if isinstance(read, Mapping) else ():
        if isinstance(policy, Mapping) and (key == _DEFAULT or _is_interval(key)):
            turned = "{SYMBOL: {" + f"{key}: none" + "}}"
            raise ValueError(f"{key} takes one word. Write the symbol first, then its intervals: {turned}.")
    return read


def _kind(value: object) -> str:
    return "<series>" if isinstance(value, Mapping) else "<word>"


_Policy = Literal["none", "forward"]

_Word = Annotated[_Policy, Tag("<word>")]

_OfSymbol = Annotated[
    _Word
    | Annotated[
        dict[str, _Policy],
        AfterValidator(_filled_within_sessions),
        BeforeValidator(lambda value: _with_keys(value, _read_interval_key)),
        Tag("<series>"),
    ],
    Discriminator(_kind),
]

GapPolicies = Annotated[
    _Word
    | Annotated[
        dict[str, _OfSymbol],
        AfterValidator(_filled_within_sessions),
        BeforeValidator(_read_mapping),
        Tag("<series>"),
    ],
    Discriminator(_kind),
]
"""One policy for all series, or policies by interval and symbol, with ``default`` for all others; under a symbol, again
one policy, or policies by interval and ``default``."""

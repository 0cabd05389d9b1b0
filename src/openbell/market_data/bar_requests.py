"""Requests for bars, and the settings that hold for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from openbell.errors import DataError, IntervalError, command_on
from openbell.model.interval import Interval, builds, determine_required_base

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from openbell.actions.table import Adjustment
    from openbell.model.address import Place

__all__ = [
    "BarRequest",
    "GapPolicies",
    "GapPolicy",
    "LoadSettings",
    "SeriesKey",
    "gap_policy_of",
    "stored_interval",
    "unknown_symbol",
]

GapPolicy = Literal["none", "forward"]
"""``none`` leaves gaps; ``forward`` fills those within a session with synthetic bars."""

GapPolicies = GapPolicy | Mapping[str, GapPolicy | Mapping[str, GapPolicy]]
"""One policy for all series, or a mapping by interval, symbol or "default"; a symbol's value may be a mapping again."""


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """Settings of a `DataManager`, described at its arguments."""

    min_completeness: float = 0.0
    gap_policy: GapPolicies = "none"
    gap_fill: bool = False
    horizon: date | None = None
    adjustment: Adjustment = "split"
    rerun: bool = False
    shared: Path | None = None


class BarRequest(NamedTuple):
    """Bars to load of a symbol, over a range of days with at least one session.

    Attributes:
        base: The stored interval to read.
        interval: The interval of the bars.
        first_day: The first day, in days since 1970-01-01.
        last_day: The last day, inclusive.
        fill: Whether synthetic bars fill gaps.
    """

    base: str
    interval: Interval
    first_day: int
    last_day: int
    fill: bool


def stored_interval(
    symbol: str, interval: str, base: str | None, held: Sequence[str], store: Place, off_grid: Sequence[str] = ()
) -> str:
    """Return the stored interval to read, ``base`` if it is given.

    Args:
        symbol: The symbol, for messages.
        interval: The interval of the bars to return in the end.
        base: The stored interval that the caller asked for; None: the coarsest that builds ``interval`` exactly.
        held: The intervals in which the store has the symbol.
        store: The store's folder, for messages.
        off_grid: Further ones, whose bars lie off the grid of the sessions and build nothing.

    Raises:
        DataError: ``base`` is not stored.
        IntervalError: ``base``, or without it no stored interval, builds ``interval``.
    """
    if base is None:
        return determine_required_base(interval, held, off_grid)
    if not builds(base, interval):
        raise IntervalError(f"{interval} bars cannot be made of {base} bars.")
    if base not in held:
        raise DataError(
            f"the store {store} has no {base} bars of {symbol}; it has {', '.join(held) or 'no bars of it at all'}."
        )
    return base


def gap_policy_of(policies: GapPolicies, symbol: str, interval: str) -> GapPolicy:
    """Return the policy for a symbol, else for an interval, else the default."""
    if isinstance(policies, str):
        return policies
    own = policies.get(symbol, {})
    if isinstance(own, str):
        return own
    for level in (own, policies):
        policy = level.get(interval, level.get("default"))
        if isinstance(policy, str):
            return policy
    return "none"


def unknown_symbol(symbol: str, store: Place, hint: str) -> DataError:
    """Return the error that a store has no bars of a symbol.

    Args:
        symbol: The symbol.
        store: The store's folder.
        hint: Advice that is added to the message; empty, or with a leading blank.
    """
    remedy = command_on("data import csv FILES", store)
    return DataError(f"the store {store} has no bars of {symbol}.{hint} Import some with: {remedy}")


SeriesKey = tuple[str, str, Interval]
"""The symbol that bars are stored under, the stored interval that is read, and the interval of the series."""

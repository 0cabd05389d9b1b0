"""Equity, returns of months and distributions of a run, in data of bounded size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from openbell.results.measures.returns import drawdowns, session_returns
from openbell.results.measures.unavailable import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import polars as pl
    from numpy.typing import NDArray

    from openbell.model.json_object import JsonObject

__all__ = ["Histogram", "MonthTable", "SessionEnds", "equity_points", "histogram", "month_table", "session_ends"]

_MOST_POINTS = 2000
_FEWEST_VALUES = 5
_MOST_BINS = 24
_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class SessionEnds:
    """Equity at the end of each session.

    Attributes:
        days: The sessions.
        start_equity: Equity before the first session.
        equity: Equity at the end of each session.
    """

    days: Sequence[date]
    start_equity: float
    equity: NDArray[np.float64]

    @property
    def returns(self) -> NDArray[np.float64] | None:
        """Return of each session as a fraction, or None when equity fell to zero."""
        found = session_returns(self.start_equity, self.equity)
        return None if isinstance(found, Unavailable) else found


def session_ends(equity: pl.DataFrame, start_equity: float) -> SessionEnds:
    """Return the equity at the end of each session, from the frame of ``equity.parquet``."""
    last = equity.group_by("date", maintain_order=True).last()
    return SessionEnds(last["date"].to_list(), start_equity, last["equity"].to_numpy())


def equity_points(equity: pl.DataFrame, start_equity: float) -> JsonObject:
    """Return equity and drawdown by bar time for a chart.

    More than 2,000 bar times are thinned to the lowest and the highest equity of each stretch, so that no drawdown is
    hidden.

    Returns:
        ``time`` in seconds since 1970 UTC, ``equity``, ``drawdown`` in percent, ``start`` and ``thinned``.
    """
    seconds = equity["time"].to_physical().to_numpy() // 1_000_000_000
    values = equity["equity"].to_numpy()
    down = drawdowns(start_equity, values) * 100
    rows = _kept(values)
    return {
        "time": seconds[rows].tolist(),
        "equity": [round(value, 2) for value in values[rows].tolist()],
        "drawdown": [round(value, 3) for value in down[rows].tolist()],
        "start": start_equity,
        "thinned": len(rows) < len(values),
    }


def _kept(values: NDArray[np.float64]) -> NDArray[np.int64]:
    if len(values) <= _MOST_POINTS:
        return np.arange(len(values))
    bounds = np.linspace(0, len(values), _MOST_POINTS // 2, endpoint=False).astype(np.int64)
    ends = np.append(bounds[1:], len(values))
    kept = {0, len(values) - 1}
    for first, after in zip(bounds.tolist(), ends.tolist(), strict=True):
        stretch = values[first:after]
        kept |= {first + int(stretch.argmin()), first + int(stretch.argmax())}
    return np.array(sorted(kept))


@dataclass(frozen=True, slots=True)
class MonthTable:
    """Returns of months by year, as fractions.

    Attributes:
        years: The years, each with the returns of its twelve months, None without a session, and its own return.
    """

    years: tuple[tuple[int, tuple[float | None, ...], float], ...]

    @staticmethod
    def shade(value: float | None) -> str:
        """Return the CSS class of a cell for a return."""
        if value is None:
            return ""
        size = min(4, math.ceil(abs(value) / 0.02)) if value else 0
        return f"gain{size}" if value > 0 else f"loss{size}" if value < 0 else "flat"


def month_table(ends: SessionEnds) -> MonthTable | None:
    """Return the returns of months, compounded from sessions, or None when equity fell to zero."""
    returns = ends.returns
    if returns is None or not len(returns):
        return None
    growth: dict[tuple[int, int], float] = {}
    for day, value in zip(ends.days, returns.tolist(), strict=True):
        key = day.year, day.month
        growth[key] = growth.get(key, 1.0) * (1 + value)
    years = []
    for year in range(min(growth)[0], max(growth)[0] + 1):
        months = tuple(growth[year, m] - 1 if (year, m) in growth else None for m in range(1, 13))
        whole = math.prod(1 + value for value in months if value is not None) - 1
        years.append((year, months, whole))
    return MonthTable(tuple(years))


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of returns in ranges of equal width.

    Attributes:
        edges: Edges of the ranges, as fractions, one more than there are ranges.
        counts: Number of returns in each range.
        mean: The mean return.
        median: The median return.
        best: The largest return.
        worst: The smallest return.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    mean: float
    median: float
    best: float
    worst: float

    @property
    def total(self) -> int:
        """Number of returns."""
        return sum(self.counts)


_NO_SPREAD = 1e-15
"""Spread of returns below which they are equal but for rounding."""


def histogram(values: NDArray[np.float64]) -> Histogram | None:
    """Return a histogram with round edges, one of them at zero, or None for fewer than five returns."""
    values = values[np.isfinite(values)]
    if len(values) < _FEWEST_VALUES:
        return None
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    wanted = min(_MOST_BINS, max(6, round(2 * len(values) ** 0.5)))
    spread = (high - low) / wanted
    width = _round_up(spread) if spread > _NO_SPREAD else 0.01
    first, last = math.floor(low / width), max(math.ceil(high / width), math.floor(low / width) + 1)
    places = np.clip(np.floor(values / width).astype(np.int64) - first, 0, last - first - 1)
    counts = np.bincount(places, minlength=last - first)
    return Histogram(
        tuple(n * width for n in range(first, last + 1)),
        tuple(counts.tolist()),
        float(values.mean()),
        float(np.median(values)),
        float(values.max()),
        float(values.min()),
    )


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return power * next(step for step in _STEPS if step * power >= value * (1 - 1e-9))

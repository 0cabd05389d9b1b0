"""Findings about intraday bars that do not agree with the daily bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from openbell.market_data.aggregate import aggregate
from openbell.model.interval import parse_interval
from openbell.quality.finding import Finding
from openbell.quality.stale import runs_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from openbell.model.bars import Bars
    from openbell.quality.finding import Severity
    from openbell.quality.series import Series

__all__ = [
    "AUCTION_TOLERANCE",
    "RANGE_TOLERANCE",
    "VOLUME_SHARE",
    "daily_prices",
    "daily_volumes",
    "near_daily",
    "outside_daily",
    "unlike_daily",
]

RANGE_TOLERANCE = 0.001
"""High and low may differ by 0.1 %, or by one tick where that is more."""
AUCTION_TOLERANCE = 0.0025
"""Open and close may differ by 0.25 %, because the daily bar has auction prices, intraday bars the nearest trades."""
VOLUME_SHARE = (0.75, 1.05)
"""Volumes may sum to 75 to 105 % of the daily one, which alone has auctions and trades at other exchanges."""
_TOLERANCES = {"open": AUCTION_TOLERANCE, "high": RANGE_TOLERANCE, "low": RANGE_TOLERANCE, "close": AUCTION_TOLERANCE}
_ROUNDING = 1e-9
_OTHER_BASIS = 0.2
"""The share of bars beyond their daily bar above which there is one finding about all of them."""
_LONGEST_GAP = 0.02
"""Only sessions without a gap longer than this share of their length are compared."""


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """The sessions that have both a daily bar and intraday bars.

    Attributes:
        series: The intraday series.
        day: The daily bar of each session.
        total: The bar that is aggregated from the intraday bars of each session, row by row as ``day``.
        tick: The smallest step between prices.
    """

    series: Series
    day: Bars
    total: Bars
    tick: float


def unlike_daily(series: Series, daily: Bars) -> list[Finding]:
    """Return findings about all differences between intraday bars and the daily bar of their session.

    If prices are on another basis, one finding says so, and no other compares prices.
    """
    outside = outside_daily(series, daily)
    other_basis = any(found.kind == "other_basis" for found in outside)
    if other_basis:
        return [*outside, *daily_volumes(series, daily)]
    return [*outside, *daily_prices(series, daily), *daily_volumes(series, daily), *near_daily(series, daily)]


def outside_daily(series: Series, daily: Bars) -> list[Finding]:
    """Return findings about intraday bars beyond the range of their daily bar.

    If more than a fifth of the bars are, there is one finding of the kind ``other_basis``.
    """
    bars = series.bars
    if not len(daily) or not len(bars):
        return []
    place = np.maximum(np.searchsorted(daily.timestamp, bars.timestamp, side="right") - 1, 0)
    known = (bars.timestamp >= daily.timestamp[place]) & (bars.timestamp < daily.end[place])
    room = np.maximum(RANGE_TOLERANCE * bars.close, _tick(bars))
    above, below = bars.high - daily.high[place], daily.low[place] - bars.low
    beyond = known & (np.maximum(above, below) > room)
    if beyond.sum() > _OTHER_BASIS * known.sum():
        text = (
            f"{100 * beyond.sum() / known.sum():.0f} % of the bars trade beyond the range of their daily bar: are the "
            "two on different price bases (one adjusted, one not), or of different instruments?"
        )
        start, end = int(bars.timestamp[0]), int(bars.end[-1])
        return [Finding("other_basis", "serious", start, end, int(beyond.sum()), text)]
    found = []
    for first, after in runs_of(beyond):
        part, high, low = bars[first:after], float(above[first:after].max()), float(below[first:after].max())
        side, far = ("above the high", high) if high >= low else ("below the low", low)
        text = f"up to {100 * far / part.close[0]:.2f} % {side} of the daily bar: a bad print here, or a bad daily bar"
        start, end = int(part.timestamp[0]), int(part.end[-1])
        found.append(Finding("outside_daily", "doubt", start, end, len(part), text, part.timestamp))
    return found


def daily_prices(series: Series, daily: Bars) -> list[Finding]:
    """Return findings about sessions whose prices differ from the daily bar's.

    Prices are aggregated from intraday bars, and usual differences are tolerated.

    Sessions with a gap of more than 2 % of their length are left out. A high or low beyond the daily one is left to
    `outside_daily`.
    """
    pairs = _pairs(series, daily)
    return [
        *_price_runs("open", pairs, AUCTION_TOLERANCE, np.abs),
        *_price_runs("high", pairs, RANGE_TOLERANCE, lambda off: -off),
        *_price_runs("low", pairs, RANGE_TOLERANCE, lambda off: off),
        *_price_runs("close", pairs, AUCTION_TOLERANCE, np.abs),
    ]


def daily_volumes(series: Series, daily: Bars) -> list[Finding]:
    """Return findings about sessions whose volume differs from the daily bar's.

    The sum of intraday volumes is usually 75 to 105 % of it.

    Sessions with a gap of more than 2 % of their length are left out.
    """
    pairs = _pairs(series, daily)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(pairs.day.volume > 0, pairs.total.volume / pairs.day.volume, 1.0)
    low, high = VOLUME_SHARE
    found = []
    for first, after in runs_of((share < low) | (share > high)):
        sums = f"the {series.interval} volumes sum to {100 * np.median(share[first:after]):.0f} % of the daily one"
        text = f"{sums} (usual: {100 * low:.0f} to {100 * high:.0f} %)"
        found.append(_of_sessions(pairs, first, after, "daily_volume", text, "note"))
    return found


def near_daily(series: Series, daily: Bars) -> list[Finding]:
    """Return notes about sessions that differ from their daily bar within what is usual."""
    pairs = _pairs(series, daily)
    off = {name: np.abs(getattr(pairs.total, name) - getattr(pairs.day, name)) for name in _TOLERANCES}
    room = {name: np.maximum(share * getattr(pairs.day, name), pairs.tick) for name, share in _TOLERANCES.items()}
    within = np.all([off[name] <= room[name] for name in off], axis=0)
    differs = np.any([off[name] > _ROUNDING * getattr(pairs.day, name) for name in off], axis=0)
    other_volume = np.abs(pairs.total.volume - pairs.day.volume) > _ROUNDING * pairs.day.volume
    found = []
    for first, after in runs_of(within & (differs | other_volume)):
        text = f"the {series.interval} bars differ from the daily one within what is usual: "
        text += _how_far(pairs, off, first, after)
        found.append(_of_sessions(pairs, first, after, "daily_near", text, "note"))
    return found


def _how_far(pairs: _Pairs, off: dict[str, NDArray[np.float64]], first: int, after: int) -> str:
    """Return a text about the greatest differences of a run of sessions.

    Differences of prices below 0.005 % are left out.
    """
    day, total = pairs.day[first:after], pairs.total[first:after]
    shares = {name: 100 * float((far[first:after] / getattr(day, name)).max()) for name, far in off.items()}
    texts = [f"the {name} by up to {share:.2f} %" for name, share in shares.items() if share >= 0.005]
    traded = day.volume > 0
    if traded.any():
        sums = 100 * total.volume[traded] / day.volume[traded]
        least, most = f"{sums.min():.1f}", f"{sums.max():.1f}"
        texts.append(f"volumes sum to {least if least == most else f'{least} to {most}'} % of the daily one")
    return ", ".join(texts) or "in the last digits"


def _price_runs(
    name: str, pairs: _Pairs, tolerance: float, excess: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> list[Finding]:
    """Return findings about runs of sessions in which a price differs by more than the tolerance.

    ``excess`` turns the signed difference into the amount that is compared with the tolerance.
    """
    ours, theirs = getattr(pairs.total, name), getattr(pairs.day, name)
    found = []
    for first, after in runs_of(excess(ours - theirs) > np.maximum(tolerance * theirs, pairs.tick)):
        worst = first + int(np.argmax(np.abs(ours[first:after] / theirs[first:after] - 1)))
        text = (
            f"the {name} of the {pairs.series.interval} bars is {ours[worst]:g}, the daily bar's {theirs[worst]:g} "
            f"({100 * (ours[worst] / theirs[worst] - 1):+.2f} %)"
        )
        found.append(_of_sessions(pairs, first, after, "daily_price", text, "doubt"))
    return found


def _of_sessions(pairs: _Pairs, first: int, after: int, kind: str, text: str, severity: Severity) -> Finding:
    """Return a finding about a run of sessions.

    A doubt blames one bar of each session, because it is unknown which are wrong.
    """
    start, end = int(pairs.day.timestamp[first]), int(pairs.day.end[after - 1])
    blamed = pairs.total.timestamp[first:after] if severity == "doubt" else pairs.total.timestamp[:0]
    return Finding(kind, severity, start, end, after - first, text, blamed)


def _pairs(series: Series, daily: Bars) -> _Pairs:
    """Return the sessions with a daily bar and intraday bars without a long gap."""
    bars = series.bars
    total = aggregate(bars, series.grid, parse_interval("1d"), base=series.interval)
    total = total.take(_longest_gaps(series, total) <= _LONGEST_GAP)
    _, ours, theirs = np.intersect1d(total.timestamp, daily.timestamp, assume_unique=True, return_indices=True)
    return _Pairs(series, daily.take(theirs), total.take(ours), _tick(bars))


def _longest_gaps(series: Series, total: Bars) -> NDArray[np.float64]:
    """Return the longest gap of each session that has bars, as a share of the session."""
    bars = series.bars
    if not len(bars):
        return np.empty(0)
    first = np.flatnonzero(np.diff(series.session, prepend=-1))
    last = np.append(first[1:], len(bars)) - 1
    since = bars.timestamp - np.concatenate([bars.end[:1], bars.end[:-1]])
    since[first] = bars.timestamp[first] - total.timestamp
    # A lunch break is not a gap.
    breaks = np.isin(bars.timestamp, series.grid.segment_open_ns)
    since[breaks] = 0
    longest = np.maximum(np.maximum.reduceat(since, first), total.end - bars.end[last])
    return np.asarray(longest / (total.end - total.timestamp), np.float64)


def _tick(bars: Bars) -> float:
    """Return the smallest step between prices, or 0.0 without steps.

    A small allowance is added to it.
    """
    steps = np.diff(np.unique(np.concatenate([bars.high, bars.low]).round(6)))
    return float(steps.min()) * 1.0001 if len(steps) else 0.0

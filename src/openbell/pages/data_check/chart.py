"""Chart of the bars around one finding, as inline SVG.

Doubtful bars are marked, and missing bars are an empty band.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from datetime import tzinfo

    from numpy.typing import NDArray

    from openbell.quality.check_report import Excerpt

__all__ = ["chart"]

_WIDTH, _HEIGHT = 520, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 8, 10, 24
_MISSING = ("hole", "halt", "missing_sessions")
_BAND = (4, 24)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def chart(excerpt: Excerpt, interval: str, timezone: tzinfo) -> str:
    """Return a drawing of the bars around a finding as an SVG element, empty if there are no bars."""
    bars, found = excerpt.bars, excerpt.finding
    if not len(bars):
        return ""
    inside = (bars.timestamp >= found.start_ns) & (bars.timestamp < found.end_ns)
    place = np.arange(len(bars), dtype=np.float64)
    gap = found.kind in _MISSING
    if gap:
        after = int(np.searchsorted(bars.timestamp, found.start_ns))
        band = float(np.clip(found.bars, *_BAND))
        place[after:] += band
        marked = (after - 0.5, after - 0.5 + band)
    else:
        rows = np.flatnonzero(inside) if inside.any() else np.array([len(bars) // 2])
        marked = (rows[0] - 0.7, rows[-1] + 0.7)
    x = _scale(place, (-1.0, float(place[-1]) + 1.0), (_LEFT, _WIDTH - _RIGHT))
    low, high = float(bars.low.min()), float(bars.high.max())
    room = (high - low or abs(high) or 1.0) * 0.06
    y_range = (low - room, high + room)
    edges = _scale(np.array(marked), (-1.0, float(place[-1]) + 1.0), (_LEFT, _WIDTH - _RIGHT))
    mark = (
        f'<rect class="mark {"gap" if gap else "doubt"}" x="{edges[0]:.1f}" y="{_TOP}" '
        f'width="{edges[1] - edges[0]:.1f}" height="{_HEIGHT - _TOP - _BOTTOM}"/>'
    )
    parts = [
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Bars around it">',
        _grid(y_range),
        mark,
        _candles(excerpt, x, y_range, inside & (not gap)),
        _times(excerpt, x, interval, timezone),
        "</svg>",
    ]
    return "".join(parts)


def _scale(
    values: NDArray[np.float64], domain: tuple[float, float], target: tuple[float, float]
) -> NDArray[np.float64]:
    return target[0] + (values - domain[0]) / (domain[1] - domain[0]) * (target[1] - target[0])


def _grid(y_range: tuple[float, float]) -> str:
    parts = []
    for price in _round_prices(y_range):
        y = _y(np.array([price]), y_range)[0]
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="axis" x="{_LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{price:,.6g}</text>')
    return "".join(parts)


def _round_prices(y_range: tuple[float, float]) -> NDArray[np.float64]:
    """Return about four prices with few digits."""
    rough = (y_range[1] - y_range[0]) / 4
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * next(n for n in (1, 2, 5, 10) if n * power >= rough)
    return np.asarray(np.arange(np.ceil(y_range[0] / step), y_range[1] / step) * step, np.float64)


def _y(prices: NDArray[np.float64], y_range: tuple[float, float]) -> NDArray[np.float64]:
    return _scale(prices, y_range, (_HEIGHT - _BOTTOM, _TOP))


def _candles(
    excerpt: Excerpt, x: NDArray[np.float64], y_range: tuple[float, float], doubtful: NDArray[np.bool_]
) -> str:
    """Return all candles, with one path for the wicks and one for the bodies of bars that look alike."""
    bars = excerpt.bars
    half = max(0.8, 0.36 * float(np.min(np.diff(x))) if len(x) > 1 else 4.0)
    opens, high, low, close = (_y(getattr(bars, name), y_range) for name in ("open", "high", "low", "close"))
    parts = []
    for look, rows in (
        ("up", (bars.close >= bars.open) & ~doubtful),
        ("down", (bars.close < bars.open) & ~doubtful),
        ("bad", doubtful),
    ):
        wick, body = [], []
        for i in np.flatnonzero(rows):
            wick.append(f"M{x[i]:.1f} {high[i]:.1f}V{low[i]:.1f}")
            top, depth = min(opens[i], close[i]), max(abs(opens[i] - close[i]), 0.8)
            body.append(f"M{x[i] - half:.1f} {top:.1f}h{2 * half:.1f}v{depth:.1f}h{-2 * half:.1f}z")
        if wick:
            parts.append(
                f'<path class="wick {look}" d="{"".join(wick)}"/><path class="body {look}" d="{"".join(body)}"/>'
            )
    return "".join(parts)


def _times(excerpt: Excerpt, x: NDArray[np.float64], interval: str, timezone: tzinfo) -> str:
    form = {"1d": "%Y-%m-%d", "1s": "%H:%M:%S"}.get(interval, "%m-%d %H:%M")
    times = excerpt.bars.timestamp
    middle = int(np.clip(np.searchsorted(times, excerpt.finding.start_ns), 0, len(times) - 1))
    parts = []
    far = (_WIDTH - _LEFT) * 0.22
    for row, anchor in ((0, "start"), (middle, "middle"), (len(times) - 1, "end")):
        if anchor == "middle" and not x[0] + far < x[row] < x[-1] - far:
            continue
        local = (_EPOCH + timedelta(microseconds=int(times[row]) // 1000)).astimezone(timezone)
        parts.append(
            f'<text class="axis" x="{x[row]:.1f}" y="{_HEIGHT - 8}" text-anchor="{anchor}">{local:{form}}</text>'
        )
    return "".join(parts)

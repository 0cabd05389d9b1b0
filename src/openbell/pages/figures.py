"""Figures as inline SVG without scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from openbell.results.number_text import percent

if TYPE_CHECKING:
    from openbell.pages.report.curves import Histogram

__all__ = ["histogram_figure"]

_WIDTH, _HEIGHT = 520, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 8, 12, 26


def histogram_figure(found: Histogram, what: str) -> Markup:
    """Return a histogram with a line at zero, and losses on its left in another colour.

    Args:
        found: The histogram.
        what: The name of the counted things, such as "sessions".
    """
    most, bins = max(found.counts), len(found.counts)
    width = (_WIDTH - _LEFT - _RIGHT) / bins
    depth = _HEIGHT - _TOP - _BOTTOM
    label = (
        f"Distribution of {found.total:,} {what}: from {percent(found.worst)} to {percent(found.best)}, "
        f"median {percent(found.median)}"
    )
    parts = [
        f'<svg class="figure" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">',
        _counts(most, depth),
    ]
    for number, count in enumerate(found.counts):
        if not count:
            continue
        low, high = found.edges[number], found.edges[number + 1]
        tall = max(count / most * depth, 1.0)
        look = "loss" if high <= 1e-12 else "gain"
        parts.append(
            f'<rect class="bar {look}" x="{_LEFT + number * width + 0.75:.1f}" y="{_TOP + depth - tall:.1f}" '
            f'width="{max(width - 1.5, 1):.1f}" height="{tall:.1f}"><title>'
            f"{percent(low)} to {percent(high)}: {count:,}</title></rect>"
        )
    zero = _LEFT + found.edges.index(min(found.edges, key=abs)) * width
    parts.append(f'<line class="zero" x1="{zero:.1f}" x2="{zero:.1f}" y1="{_TOP - 6}" y2="{_TOP + depth}"/>')
    parts += _ends(found, width, zero)
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 -- numbers, and one escaped label


def _counts(most: int, depth: int) -> str:
    parts = []
    for count in sorted({most, round(most / 2), 0}):
        y = _TOP + depth - count / most * depth
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="axis" x="{_LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{count:,}</text>')
    return "".join(parts)


def _ends(found: Histogram, width: float, zero: float) -> list[str]:
    """Return labels of zero, and of both ends where there is room."""
    last = _LEFT + len(found.counts) * width
    ends = [(zero, 0.0, "middle")]
    if zero - _LEFT > 60:
        ends.append((float(_LEFT), found.edges[0], "start"))
    if last - zero > 60:
        ends.append((last, found.edges[-1], "end"))
    return [
        f'<text class="axis" x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="{anchor}">{percent(value)}</text>'
        for x, value, anchor in ends
    ]

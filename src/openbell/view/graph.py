"""Drawing of a graph of boxes in columns, as inline SVG."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup, escape

from openbell.errors import printable

__all__ = ["Edge", "Node", "graph_figure"]

_WIDTH, _HEIGHT, _ACROSS, _DOWN, _HEAD = 286, 63, 350, 77, 24
_MOST_LETTERS = 42


class Node(NamedTuple):
    """A box.

    Attributes:
        key: The key by which edges name the box.
        column: Its column, from 0.
        title: Its first line.
        words: Its second line.
        look: "asker", "added", "refused", "bars", "poor" or "indicator".
        address: The address that a click opens; empty for none.
        more: Its third line.
    """

    key: str
    column: int
    title: str
    words: str
    look: str
    address: str = ""
    more: str = ""


class Edge(NamedTuple):
    """A line from one box to another, by their keys."""

    start: str
    end: str


def graph_figure(nodes: list[Node], edges: list[Edge], heads: tuple[str, ...], label: str) -> Markup:
    """Return a drawing of boxes in columns and the lines between them.

    Args:
        nodes: The boxes, in the order in which they stand below each other.
        edges: The lines.
        heads: The headings of the columns.
        label: A description of the drawing, for screen readers.
    """
    places: dict[str, tuple[int, int]] = {}
    rows = [0] * len(heads)
    for node in nodes:
        places[node.key] = (node.column * _ACROSS, _HEAD + rows[node.column] * _DOWN)
        rows[node.column] += 1
    width, height = (len(heads) - 1) * _ACROSS + _WIDTH, _HEAD + max(rows) * _DOWN
    size = f'viewBox="-1 0 {width + 2} {height}" width="{width + 2}" height="{height}"'
    parts = [f'<svg class="graph" {size} role="group" aria-label="{escape(printable(label))}">']
    parts += [f'<text class="head" x="{n * _ACROSS}" y="12">{escape(text)}</text>' for n, text in enumerate(heads)]
    parts += [_line(places[edge.start], places[edge.end]) for edge in dict.fromkeys(edges)]
    parts += [_box(node, *places[node.key]) for node in nodes]
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 -- numbers, and texts that were escaped


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1, x2, y2 = start[0] + _WIDTH, start[1] + _HEIGHT / 2, end[0], end[1] + _HEIGHT / 2
    if x2 < x1:  # both boxes in one column: the line runs around their left side
        x1 = x2 = start[0]
        return f'<path d="M{x1} {y1} C{x1 - 22} {y1} {x2 - 22} {y2} {x2} {y2}"/>'
    middle = (x1 + x2) / 2
    return f'<path d="M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}"/>'


def _box(node: Node, x: int, y: int) -> str:
    title, words, more = printable(node.title), printable(node.words), printable(node.more)
    whole = f"{title}: {words}" + (f". {more}" if more else "")
    box = (
        f'<g class="node {node.look}"><title>{escape(whole)}</title>'
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="7"/>'
        f'<text class="name" x="{x + 12}" y="{y + 19}">{escape(_short(title))}</text>'
        f'<text class="words" x="{x + 12}" y="{y + 36}">{escape(_short(words))}</text>'
        f'<text class="words" x="{x + 12}" y="{y + 53}">{escape(_short(more))}</text></g>'
    )
    return f'<a href="{escape(node.address)}">{box}</a>' if node.address else box


def _short(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"

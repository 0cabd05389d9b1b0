"""Parts of HTML for notebooks, which look well on light and dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["MOST_ROWS", "counted", "items", "more", "table", "text", "title", "whole"]

MOST_ROWS = 20
"""Rows that a table shows; the others are counted."""


def whole(parts: Iterable[str]) -> str:
    """Return parts as one element."""
    return f"<div>{''.join(parts)}</div>"


def title(name: str, head: str) -> str:
    """Return a name in bold with words behind it."""
    return f"<p><b>{text(name)}</b> {text(head)}</p>"


def items(texts: Sequence[str], what: str = "warnings") -> str:
    """Return texts as a list, or nothing when there are none."""
    shown = "".join(f"<li>{text(one)}</li>" for one in texts[:MOST_ROWS])
    return f"<ul>{shown}</ul>{more(len(texts) - MOST_ROWS, what)}" if texts else ""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows of texts below their headings."""
    head = "".join(f"<th>{text(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def more(count: int, what: str) -> str:
    """Return how many are not shown, or nothing when none is left out."""
    return f"<p>and {count:,} more {what}</p>" if count > 0 else ""


def counted(count: int, what: str) -> str:
    """Return a number with its noun, such as "3 sessions"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def text(value: str) -> str:
    """Return a text with nothing in it that a browser obeys."""
    # Its tables of names are half a megabyte, and most processes show nothing in a notebook.
    from html import escape

    return escape(printable(value))

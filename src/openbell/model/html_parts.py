"""Fragments of HTML for notebooks, for light and dark themes alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["MOST_ROWS", "counted", "in_div", "items", "more", "table", "text", "title"]

MOST_ROWS = 20
"""The most entries that are shown; the number of the others is shown instead."""


def in_div(parts: Iterable[str]) -> str:
    """Return fragments of HTML joined in one element."""
    return f"<div>{''.join(parts)}</div>"


def title(name: str, head: str) -> str:
    """Return a name in bold, followed by a text."""
    return f"<p><b>{text(name)}</b> {text(head)}</p>"


def items(texts: Sequence[str], what: str = "warnings") -> str:
    """Return texts as an HTML list, or an empty text when there are none."""
    shown = "".join(f"<li>{text(one)}</li>" for one in texts[:MOST_ROWS])
    return f"<ul>{shown}</ul>{more(len(texts) - MOST_ROWS, what)}" if texts else ""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows of texts as an HTML table with headings."""
    head = "".join(f"<th>{text(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def more(count: int, what: str) -> str:
    """Return a line with the number of entries that are not shown, or an empty text for none."""
    return f"<p>and {count:,} more {what}</p>" if count > 0 else ""


def counted(count: int, what: str) -> str:
    """Return a number with its noun, such as "3 sessions"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def text(value: str) -> str:
    """Return a text with its control characters and HTML special characters escaped."""
    # Imported late: the module's tables of names are half a megabyte, and most processes show nothing in a notebook.
    from html import escape

    return escape(printable(value))

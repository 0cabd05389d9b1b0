"""Texts from elsewhere, cut and escaped so that a terminal may show them."""

from __future__ import annotations

__all__ = ["encodable", "printable", "shortened"]

_SHOWN = 40


def printable(text: str, most: int | None = None, *, lines: bool = False) -> str:
    """Cut a text and escape the codes in it that a terminal obeys.

    Args:
        text: A text from a file, a user's code or a server.
        most: How many characters of it are shown; all unless given.
        lines: Whether line ends and tabs stay.
    """
    shown = text if most is None or len(text) <= most else f"{text[:most]}..."
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() or (lines and c in "\n\t") else _escaped(c) for c in shown)


def shortened(text: str) -> str:
    """Return a text from elsewhere quoted, escaped and cut, as it may be shown."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def encodable(text: str) -> str:
    """Return a text whose surrogates, which no file takes, are written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")

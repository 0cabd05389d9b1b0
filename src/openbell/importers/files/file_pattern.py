"""Patterns of the names of files, by which symbols and dates are found."""

from __future__ import annotations

import re

from openbell.errors import ConfigError

__all__ = ["pattern_of"]

_MARKS = {
    "{symbol}": r"(?P<symbol>[^/]+?)",
    "{date}": r"(?P<date>\d{4}[-_.]?\d{2}[-_.]?\d{2})",
    "**/": "(?:.*/)?",
    "*": "[^/]*",
    "?": "[^/]",
}
_PIECES = re.compile(r"(\{symbol\}|\{date\}|\*\*/|\*|\?)")
_PIECES_OF_PATH = re.compile(rf"{_PIECES.pattern}|(\[[^\]]+\])")


def pattern_of(text: str, *, is_path: bool) -> re.Pattern[str]:
    """Return a regular expression for a pattern, with groups for symbol and date.

    Args:
        text: The pattern, with ``{symbol}``, ``{date}``, and ``*``, ``**/`` and ``?`` as in globs.
        is_path: Whether ``[ab]`` and ``[!ab]`` are read as in globs, too; else they stand for themselves.

    Raises:
        ConfigError: The pattern is not valid, such as ``[z-a]``.
    """
    seen: set[str] = set()
    built = ""
    for piece in filter(None, (_PIECES_OF_PATH if is_path else _PIECES).split(text)):
        if piece in _MARKS:
            # A symbol or date that comes twice, in the folder and in the name, must be the same in both.
            built += f"(?P={piece.strip('{}')})" if piece in seen and piece[0] == "{" else _MARKS[piece]
        elif is_path and piece[0] == "[" and piece[-1] == "]":
            built += _one_of(piece[1:-1])
        else:
            built += re.escape(piece)
        seen.add(piece)
    try:
        return re.compile(built)
    except re.error as error:
        raise ConfigError(f"{text} is not a valid file pattern: {error.msg}.") from None


def _one_of(characters: str) -> str:
    """Return a regular expression for one of some characters, or after ``!`` for any other one."""
    escaped = re.sub(r"([\\^\[&~|])", r"\\\1", characters.removeprefix("!"))
    return f"[{'^' if characters.startswith('!') else ''}{escaped}]"

"""Patterns of the names of files, which tell symbols and dates."""

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
    """Return what finds the symbol and the date in names that fit a pattern.

    Args:
        text: The pattern, with ``{symbol}``, ``{date}``, and ``*``, ``**/`` and ``?`` as in globs.
        is_path: Whether ``[ab]`` and ``[!ab]`` are as in globs, too; in the name of a file they are themselves.

    Raises:
        ConfigError: It cannot be one, such as ``[z-a]``.
    """
    seen: set[str] = set()
    built = ""
    for piece in filter(None, (_PIECES_OF_PATH if is_path else _PIECES).split(text)):
        if piece in _MARKS:
            # The same symbol may stand in the folder and in the name: both must agree.
            built += f"(?P={piece.strip('{}')})" if piece in seen and piece[0] == "{" else _MARKS[piece]
        elif is_path and piece[0] == "[" and piece[-1] == "]":
            built += _one_of(piece[1:-1])
        else:
            built += re.escape(piece)
        seen.add(piece)
    try:
        return re.compile(built)
    except re.error as error:
        raise ConfigError(f"{text} is no pattern of files: {error.msg}.") from None


def _one_of(characters: str) -> str:
    """Return what fits one of some characters, or with ``!`` before them one of all others."""
    escaped = re.sub(r"([\\^\[&~|])", r"\\\1", characters.removeprefix("!"))
    return f"[{'^' if characters.startswith('!') else ''}{escaped}]"

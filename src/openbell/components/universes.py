"""Universes of scanners, from the config or from a file."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbell.config.fields import symbol_list
from openbell.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["load_universe"]


def load_universe(universe: Sequence[str] | Path, folder: Path) -> tuple[str, ...]:
    """Return the symbols that a scanner looks through.

    Args:
        universe: The symbols themselves, or a file relative to ``folder``: .txt with one symbol a line (``#`` begins
            a comment), .csv with a column ``symbol``, .json with a list.
        folder: The folder of the config file.

    Raises:
        ConfigError: The file is not there or cannot be read, names no symbols, or names one twice.
    """
    if not isinstance(universe, Path):
        return tuple(universe)
    path = folder / universe.expanduser()
    read = _UNIVERSE_READERS.get(path.suffix.lower())
    if read is None:
        raise ConfigError(f"the universe file {path} must be one of {', '.join(_UNIVERSE_READERS)}")
    try:
        return symbol_list(read(path.read_text(encoding="utf-8-sig")))
    except FileNotFoundError:
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*") if p.suffix in _UNIVERSE_READERS])
        raise ConfigError(f"the universe file {path} is not there.{near}") from None
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise ConfigError(f"the universe file {path} cannot be read: {error}") from error


def _lines(text: str) -> list[str]:
    return [symbol for line in text.splitlines() if (symbol := line.partition("#")[0].strip())]


def _symbol_column(text: str) -> list[str]:
    header, *rows = [*csv.reader(text.splitlines())] or [[]]
    names = [name.strip().casefold() for name in header]
    if "symbol" not in names:
        raise ValueError(f"it has no column 'symbol'; it has {', '.join(header) or 'nothing'}")
    at = names.index("symbol")
    for line, row in enumerate(rows, start=2):
        if row and len(row) <= at:
            raise ValueError(f"line {line} has no symbol")
    return [row[at].strip() for row in rows if row]


_UNIVERSE_READERS: dict[str, Callable[[str], Any]] = {".txt": _lines, ".csv": _symbol_column, ".json": json.loads}

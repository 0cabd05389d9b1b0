"""Detection of the header of a table, of one or several lines."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbell.importers.sniffing.column_names import role_of
from openbell.importers.tables.wide_table import WideColumns

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Header", "find_header", "unique_names", "wide_by_names"]

NUMBER = re.compile(r"[-+$€£¥₹(]?\d[\d.,:/\- ]*(e[+-]?\d+)?[KMB%)]?", re.IGNORECASE)
_PRICES = {"open", "high", "low", "close"}
_LEVEL_NAMES = {"ticker", "tickers", "symbol", "symbols", "attributes", "price", "level_0", "level_1", ""}
_MOST_LINES = 5
_SPLIT = re.compile(r"[\s,._|:/'\"()\[\]-]+")


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a table.

    Attributes:
        names: The unique names of the columns.
        lines: The number of lines.
        wide: The columns of each symbol; None unless each symbol has columns of its own.
    """

    names: tuple[str, ...]
    lines: int
    wide: WideColumns | None = None


def find_header(rows: Sequence[Sequence[str]]) -> Header | None:
    """Return the header in the first rows of a table, or None without one."""
    block = _block(rows)
    if not block:
        return None
    levels = _levels(block)
    if levels is not None:
        return levels
    best = max(range(len(block)), key=lambda at: (len({role_of(cell) for cell in block[at]} - {None}), -at))
    # The line of names is the one with the most known roles: lines above it are titles, those below it units.
    names = unique_names(block[best])
    return Header(names, len(block), wide_by_names(names))


def unique_names(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the names of columns, with a number added to repeated ones."""
    # A table adds a column "line" of its own, so a column of that name in the file counts as repeated.
    seen: Counter[str] = Counter(line=1)
    names = []
    for place, cell in enumerate(cells, 1):
        base = cell.strip() or f"column_{place}"
        seen[base] += 1
        names.append(base if seen[base] == 1 else f"{base}_{seen[base]}")
    return tuple(names)


def wide_by_names(names: Sequence[str]) -> WideColumns | None:
    """Return the columns of each symbol by their names, or None.

    Such names are ``Close_AAA`` and ``BBB Close``; there must be two symbols or more.
    """
    found: dict[str, dict[str, str]] = {}
    for name in names:
        words = [word for word in _SPLIT.split(name) if word]
        for role, rest in ((words[0], words[1:]), (words[-1], words[:-1])) if len(words) > 1 else ():
            if role_of(role) in _PRICES | {"volume"} and len(role) > 1 and (symbol := " ".join(rest)):
                found.setdefault(symbol, {}).setdefault(role, name)
                break
    whole = {s: columns for s, columns in found.items() if {role_of(role) for role in columns} >= _PRICES}
    if len(whole) < 2:
        return None
    taken = {name for columns in whole.values() for name in columns.values()}
    return WideColumns(tuple(name for name in names if name not in taken), whole)


def _block(rows: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """Return the rows above the first one with numbers."""
    block: list[Sequence[str]] = []
    for row in rows[:_MOST_LINES]:
        if any(NUMBER.fullmatch(cell.strip()) for cell in row) and not _are_symbols(row, block):
            break
        block.append(row)
    return block


def _are_symbols(row: Sequence[str], block: Sequence[Sequence[str]]) -> bool:
    """Return whether a row of numbers has symbols, which are numbers at exchanges in Asia."""
    if len(block) != 1 or row[0].strip().casefold() not in _LEVEL_NAMES:
        return False
    roles = [role_of(cell) for cell in block[0][1:]]
    return all(roles) and len(set(row[1:])) * len(_PRICES) <= len(roles)


def _levels(block: Sequence[Sequence[str]]) -> Header | None:
    """Return a header with a line of names and a line of symbols, or None."""
    for at, other in ((0, 1), (1, 0)) if len(block) > 1 else ():
        roles, symbols = block[at], block[other]
        own = [
            i for i, cell in enumerate(roles) if _is_value(cell) and symbols[i].strip().casefold() not in _LEVEL_NAMES
        ]
        if len({role_of(roles[i]) for i in own} & _PRICES) < len(_PRICES):
            continue
        index = block[2] if len(block) > 2 else [""] * len(roles)
        cells = [_common(i, index, roles, symbols) for i in range(len(roles))]
        for i in own:
            cells[i] = f"{roles[i]} {symbols[i]}"
        names = unique_names(cells)
        found: dict[str, dict[str, str]] = {}
        for i in own:
            found.setdefault(symbols[i].strip(), {}).setdefault(roles[i].strip(), names[i])
        common = tuple(name for i, name in enumerate(names) if i not in own)
        return Header(names, len(block), WideColumns(common, found))
    return None


def _is_value(cell: str) -> bool:
    return role_of(cell) in _PRICES | {"volume"}


def _common(place: int, *levels: Sequence[str]) -> str:
    """Return the name of a column that all symbols share.

    It is the first name in the column's lines.
    """
    names = [level[place].strip() for level in levels if place < len(level)]
    return next((name for name in names if name.casefold() not in _LEVEL_NAMES), "Date" if place == 0 else "")

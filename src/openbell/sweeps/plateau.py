"""Neighbours of a point, and tables of a sweep by two of its keys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from openbell.config.sweep import sign_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

__all__ = ["Grid", "Neighbour", "grid_of", "neighbours_of", "ranked"]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A point that differs from another by one step of one key.

    Attributes:
        point: The number of the point.
        key: The key that differs.
        value: The value of that key.
        number: The objective of the point; None when it has none.
    """

    point: int
    key: str
    value: Any
    number: float | None


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of the objective by two keys.

    Attributes:
        rows: The key of the rows, and its values.
        columns: The key of the columns, and its values.
        cells: By row and column, the median of the objective over all other keys; None where there is no point.
    """

    rows: tuple[str, Sequence[Any]]
    columns: tuple[str, Sequence[Any]]
    cells: Sequence[Sequence[float | None]]


def ranked(frame: pl.DataFrame, objective: str) -> pl.DataFrame:
    """Return the points that have an objective, the best first."""
    return frame.filter(frame[objective].is_not_null()).sort(
        objective, "point", descending=[sign_of(objective) > 0, False]
    )


def neighbours_of(
    frame: pl.DataFrame, number: int, space: Mapping[str, Sequence[Any]], objective: str
) -> list[Neighbour]:
    """Return the points that differ from a point by the next lower or next higher value of one key.

    Args:
        frame: The table of points.
        number: The number of the point.
        space: The values of each key.
        objective: The name of the objective.
    """
    at = {_place(row, space): row for row in frame.iter_rows(named=True)}
    centre = next(row for row in frame.iter_rows(named=True) if row["point"] == number)
    found = []
    for key, values in space.items():
        ordered = _ordered(values)
        place = [_text(v) for v in ordered].index(_text(centre[key]))
        for beside in (place - 1, place + 1):
            if 0 <= beside < len(ordered):
                row = at.get(_place({**centre, key: ordered[beside]}, space))
                if row is not None:
                    found.append(Neighbour(row["point"], key, row[key], row[objective]))
    return found


def grid_of(frame: pl.DataFrame, space: Mapping[str, Sequence[Any]], objective: str) -> Grid | None:
    """Return the table of the objective by the two keys with most values.

    It is None when fewer than two keys vary.
    """
    varied = sorted((key for key, values in space.items() if len(values) > 1), key=lambda key: -len(space[key]))[:2]
    if len(varied) < 2:
        return None
    down, across = varied
    cells: dict[tuple[str, str], list[float]] = {}
    for row in frame.iter_rows(named=True):
        if row[objective] is not None:
            cells.setdefault((_text(row[down]), _text(row[across])), []).append(row[objective])
    rows, columns = _ordered(space[down]), _ordered(space[across])
    return Grid(
        (down, rows),
        (across, columns),
        [[median(found) if (found := cells.get((_text(r), _text(c)))) else None for c in columns] for r in rows],
    )


def _ordered(values: Sequence[Any]) -> list[Any]:
    """Return values in ascending order if they are numbers, else in their own order."""
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    return sorted(values) if numbers else list(values)


def _place(row: Mapping[str, Any], space: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_text(row[key]) for key in space)


def _text(value: Any) -> str:
    """Return a value as text, with an integer written as the float of the same value."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(float(value))
    return value if isinstance(value, str) else json.dumps(value)

"""Heat maps of a sweep's objective by two keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.cli.output.performance_view import shown
from openbell.cli.output.sweep_view import form_of, value_text
from openbell.cli.terminal.tables import make_table
from openbell.config.sweep import sign_of

if TYPE_CHECKING:
    from rich.table import Table

    from openbell.sweeps.plateau import Grid

__all__ = ["heat_map", "is_dense"]

_MOST_COLUMNS, _MOST_ROWS = 8, 30
"""Size of a grid above which a cell is shown as one digit."""

# One hue from light to dark, each shade with a text colour that is readable on light and dark terminals.
_SHADES = tuple(
    f"{text} on color({n})"
    for text, n in (("black", 195), ("black", 153), ("black", 111), ("white", 32), ("white", 24))
)


def is_dense(grid: Grid) -> bool:
    """Return whether a grid is so large that its cells are digits.

    They are from 0 for the worst to 9 for the best.
    """
    return len(grid.columns[1]) > _MOST_COLUMNS or len(grid.rows[1]) > _MOST_ROWS


def heat_map(grid: Grid, name: str, objective: str) -> Table:
    """Return a table of the objective by two keys, darker for better.

    Args:
        grid: The grid.
        name: The name to show for the key of the rows.
        objective: The name of the objective.
    """
    sign = sign_of(objective)
    known = [sign * cell for row in grid.cells for cell in row if cell is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)

    def drawn(cell: float | None) -> str:
        if cell is None:
            return " " if dense else shown(None, form_of(objective))
        share = (sign * cell - low) / (high - low) if high > low else 1.0
        text = str(min(int(share * 10), 9)) if dense else shown(cell, form_of(objective))
        weight = "bold " if sign * cell == high else ""
        return f"[{weight}{_SHADES[min(int(share * len(_SHADES)), len(_SHADES) - 1)]}]{text}[/]"

    dense, columns = is_dense(grid), grid.columns[1]
    heads = (
        [f"{value_text(columns[0])} to {value_text(columns[-1])}"] if dense else [f"{value_text(c)} >" for c in columns]
    )
    table = make_table("", f"{name} >", *heads)
    for value, cells in zip(grid.rows[1], grid.cells, strict=True):
        texts = [drawn(cell) for cell in cells]
        table.add_row(value_text(value), *(["".join(texts)] if dense else texts))
    return table

"""Tables of the performance of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.cli.terminal.tables import fits, make_table
from openbell.results.measures.performance_lines import BLOCKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from openbell.results.measures.performance_lines import Line

__all__ = ["performance_table", "shown"]


def shown(number: float | None, form: str) -> str:
    """Return a number as text, a dash if there is none."""
    if number is None:
        return "-"
    if form == "percent":
        return f"{number:,.2%}" if abs(number) < 1000 else f"{number:.3g} x"
    if form == "days":
        return f"{number:,.0f} day{'' if number == 1 else 's'}"
    return f"{number:,.0f}" if form == "count" else f"{number:,.2f}"


def performance_table(title: str, numbers: Mapping[str, float | None]) -> Table:
    """Return a table of the numbers in blocks side by side, or in one column on a narrow terminal.

    Numbers against a benchmark are left out without one, and rare costs and counts if they are zero.
    """
    from openbell.cli.terminal.console import out

    blocks = [[line for line in block if _is_shown(line, numbers)] for block in BLOCKS]
    table = _beside_each_other(title, blocks, numbers)
    return table if fits(table, out) else _below_each_other(title, blocks, numbers)


def _is_shown(line: Line, numbers: Mapping[str, float | None]) -> bool:
    beside = ("alpha", "beta", "correlation", "information_ratio")
    rare = ("slippage", "dividends", "borrow", "ambiguous_fills", "rejected")
    number = numbers.get(line.name)
    return number is not None if line.name in beside else bool(number) if line.name in rare else True


def _beside_each_other(title: str, blocks: list[list[Line]], numbers: Mapping[str, float | None]) -> Table:
    table = make_table(title, *(name for _ in blocks for name in (" <", " >")))
    table.show_header = False
    for row in range(max(map(len, blocks))):
        lines = [block[row] if row < len(block) else None for block in blocks]
        cells = [(line.label, shown(numbers.get(line.name), line.form)) if line else ("", "") for line in lines]
        table.add_row(*(cell for pair in cells for cell in pair))
    return table


def _below_each_other(title: str, blocks: list[list[Line]], numbers: Mapping[str, float | None]) -> Table:
    table = make_table(title, "", " >")
    table.show_header = False
    for line in (line for block in blocks for line in block):
        table.add_row(line.label, shown(numbers.get(line.name), line.form))
    return table

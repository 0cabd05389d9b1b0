"""Performance as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openbell.cli.terminal.tables import fits, make_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

__all__ = ["BLOCKS", "Line", "performance_table", "shown"]


class Line(NamedTuple):
    """A line of the table.

    Attributes:
        name: The number, as `Performance` names it.
        label: The same for people.
        form: How it is written: "money", "percent", "ratio", "count" or "days".
    """

    name: str
    label: str
    form: str


BLOCKS: tuple[tuple[Line, ...], ...] = (
    (
        Line("start_equity", "equity at the start", "money"),
        Line("end_equity", "equity at the end", "money"),
        Line("net_profit", "net profit", "money"),
        Line("total_return", "return", "percent"),
        Line("cagr", "growth a year (CAGR)", "percent"),
        Line("volatility", "volatility a year", "percent"),
        Line("sharpe", "Sharpe", "ratio"),
        Line("sortino", "Sortino", "ratio"),
        Line("calmar", "Calmar", "ratio"),
        Line("max_drawdown", "deepest drawdown", "percent"),
        Line("max_drawdown_days", "longest drawdown", "days"),
    ),
    (
        Line("orders", "orders accepted", "count"),
        Line("rejected", "orders rejected", "count"),
        Line("fills", "fills", "count"),
        Line("trades", "trades closed", "count"),
        Line("win_rate", "trades won", "percent"),
        Line("profit_factor", "profit factor", "ratio"),
        Line("expectancy", "mean of a trade", "money"),
        Line("average_win", "mean win", "money"),
        Line("average_loss", "mean loss", "money"),
        Line("largest_win", "largest win", "money"),
        Line("largest_loss", "largest loss", "money"),
    ),
    (
        Line("fees", "fees", "money"),
        Line("slippage", "slippage", "money"),
        Line("dividends", "dividends", "money"),
        Line("borrow", "borrowing", "money"),
        Line("exposure", "time in the market", "percent"),
        Line("turnover", "turnover a session", "percent"),
        Line("ambiguous_fills", "ambiguous fills", "count"),
        Line("alpha", "alpha a year", "percent"),
        Line("beta", "beta", "ratio"),
        Line("correlation", "correlation", "ratio"),
        Line("information_ratio", "information ratio", "ratio"),
    ),
)
"""All numbers of a performance, in blocks that stand beside each other."""


def shown(number: float | None, form: str) -> str:
    """Format a number, or a dash when there is none."""
    if number is None:
        return "-"
    if form == "percent":
        return f"{number:,.2%}" if abs(number) < 1000 else f"{number:.3g} x"
    if form == "days":
        return f"{number:,.0f} day{'' if number == 1 else 's'}"
    return f"{number:,.0f}" if form == "count" else f"{number:,.2f}"


def performance_table(title: str, numbers: Mapping[str, float | None]) -> Table:
    """Return the numbers in three blocks side by side, or one below the other on a narrow terminal.

    Numbers beside a benchmark are left out when there is none.
    """
    from openbell.cli.terminal.console import out

    blocks = [[line for line in block if _is_of_interest(line, numbers)] for block in BLOCKS]
    table = _beside_each_other(title, blocks, numbers)
    return table if fits(table, out) else _below_each_other(title, blocks, numbers)


def _is_of_interest(line: Line, numbers: Mapping[str, float | None]) -> bool:
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

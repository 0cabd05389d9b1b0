"""Tables of stored runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from openbell.cli.performance_view import BLOCKS, shown
from openbell.cli.terminal.console import out
from openbell.cli.terminal.printable import escape
from openbell.cli.terminal.tables import fits, make_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from openbell.results.run_comparison import RunComparison
    from openbell.results.stored_run import StoredRun

__all__ = ["comparison_views", "runs_table"]

_LONGEST_VALUE = 60
_NUMBERS = (
    ("equity at the end", "end_equity", "money"),
    ("return", "total_return", "percent"),
    ("drawdown", "max_drawdown", "percent"),
    ("Sharpe", "sharpe", "ratio"),
    ("trades", "trades", "count"),
)


def runs_table(runs: Sequence[StoredRun]) -> Table:
    """Return one line a run, with as many numbers as the terminal has room for."""
    for numbers in range(len(_NUMBERS), 1, -1):
        table = _table(runs, numbers)
        if fits(table, out):
            return table
    return _table(runs, 2)


def _table(runs: Sequence[StoredRun], numbers: int) -> Table:
    shown_numbers = _NUMBERS[:numbers]
    table = make_table(
        "", "run", "state", "sessions >", "first", "last", "signals >", *(f"{label} >" for label, *_ in shown_numbers)
    )
    for run in runs:
        days = [run.days[0].isoformat(), run.days[-1].isoformat()] if run.days else ["-", "-"]
        found = run.performance or {}
        table.add_row(
            escape(run.path.name),
            run.state,
            f"{len(run.days):,}",
            *days,
            f"{run.signals:,}",
            *(shown(found.get(name), form) for _, name, form in shown_numbers),
        )
    return table


def comparison_views(comparison: RunComparison) -> list[Table]:
    """Return a table of the numbers, and one of where the configs differ."""
    names = [escape(run.path.name) for run in (comparison.a, comparison.b)]
    pairs = {pair.name: pair for pair in comparison.numbers}
    numbers = make_table("", "", f"{names[0]} >", f"{names[1]} >", "difference >")
    for label, counts in (
        ("sessions", [len(run.days) for run in (comparison.a, comparison.b)]),
        ("signals", [run.signals for run in (comparison.a, comparison.b)]),
    ):
        numbers.add_row(label, *(f"{count:,}" for count in counts), f"{counts[1] - counts[0]:,}")
    for line in (line for block in BLOCKS for line in block if line.name in pairs):
        pair = pairs[line.name]
        numbers.add_row(line.label, *(shown(number, line.form) for number in (pair.a, pair.b, pair.difference)))
    views = [numbers]
    if comparison.config:
        config = make_table("Where the configs differ", "key", *names)
        for difference in comparison.config:
            config.add_row(escape(difference.key), _value(difference.a), _value(difference.b))
        views.append(config)
    return views


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return escape(text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}...")

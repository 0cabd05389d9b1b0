"""Tables of stored runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from openbell.cli.output.performance_view import shown
from openbell.cli.terminal.printable import escape
from openbell.cli.terminal.tables import fits, make_table
from openbell.results.measures.performance_lines import BLOCKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from openbell.results.folder.run_comparison import RunComparison
    from openbell.results.folder.stored_run import StoredRun

__all__ = ["comparison_views", "runs_table"]

_LONGEST_VALUE = 60
_NUMBERS = {
    "end equity >": ("end_equity", "money"),
    "return >": ("total_return", "percent"),
    "drawdown >": ("max_drawdown", "percent"),
    "Sharpe >": ("sharpe", "ratio"),
    "trades >": ("trades", "count"),
}
_COLUMNS = ("run", "state", "sessions >", "first", "last", "signals >", *_NUMBERS)
_LEAST_NEEDED_FIRST = ("trades >", "Sharpe >", "signals >", "first", "drawdown >", "sessions >")


def runs_table(runs: Sequence[StoredRun]) -> Table:
    """Return a table with a row for each run, and as many columns as fit the terminal."""
    from openbell.cli.terminal.console import out

    lines = [_cells(run) for run in runs]
    columns = list(_COLUMNS)
    for least in (None, *_LEAST_NEEDED_FIRST):
        if least:
            columns.remove(least)
        table = make_table("", *columns)
        for line in lines:
            table.add_row(*(line[column] for column in columns))
        if fits(table, out):
            break
    return table


def _cells(run: StoredRun) -> dict[str, str]:
    found = run.performance or {}
    return {
        "run": escape(run.path.name),
        "state": run.state,
        "sessions >": f"{len(run.days):,}",
        "first": run.days[0].isoformat() if run.days else "-",
        "last": run.days[-1].isoformat() if run.days else "-",
        "signals >": f"{run.signals:,}",
        **{column: shown(found.get(name), form) for column, (name, form) in _NUMBERS.items()},
    }


def comparison_views(comparison: RunComparison) -> list[Table]:
    """Return a table of the numbers, and one of the differences of the configs if there are any."""
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

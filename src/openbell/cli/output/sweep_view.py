"""Tables and sentences about a sweep."""

from __future__ import annotations

import json
from shlex import quote
from typing import TYPE_CHECKING

from openbell.cli.output.performance_view import shown
from openbell.cli.terminal.printable import escape
from openbell.cli.terminal.tables import counted, fits, make_table
from openbell.config.sweep_condition import short_names
from openbell.results.measures.performance_lines import LINES
from openbell.sweeps.plateau import ranked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import polars as pl
    from rich.table import Table

__all__ = ["closing_lines", "form_of", "label_of_number", "points_table", "value_text"]

_COLUMNS = ("sharpe", "total_return", "max_drawdown", "trades", "win_rate", "profit_factor")
_HEADS = {
    "sharpe": "Sharpe",
    "total_return": "return",
    "max_drawdown": "drawdown",
    "trades": "trades",
    "win_rate": "won",
    "profit_factor": "profit factor",
}
_MOST_ROWS = 10
_LONGEST_VALUE = 24
_MOST_ERRORS = 3


def form_of(objective: str) -> str:
    """Return the form in which a number of the performance is written, such as "percent"."""
    return LINES[objective].form


def label_of_number(objective: str) -> str:
    """Return the label of a number of the performance."""
    return LINES[objective].label


def points_table(frame: pl.DataFrame, keys: Sequence[str], objective: str, most: int = _MOST_ROWS) -> Table:
    """Return a table of the best points, with as many numbers as fit the terminal."""
    from openbell.cli.terminal.console import out

    best = ranked(frame, objective).head(most)
    names = short_names(keys)
    numbers = [objective, *(name for name in _COLUMNS if name != objective)]
    title = f"Best of {counted(len(frame), 'point')} by {LINES[objective].label}"
    while True:
        heads = [_HEADS.get(name, LINES[name].label) for name in numbers]
        table = make_table(title, "point >", *(f"{escape(names[key])} >" for key in keys), *(f"{h} >" for h in heads))
        for row in best.iter_rows(named=True):
            values = [value_text(row[key]) for key in keys]
            table.add_row(f"{row['point']:,}", *values, *(shown(row[n], LINES[n].form) for n in numbers))
        if len(numbers) == 1 or fits(table, out):
            return table
        numbers.pop()


def closing_lines(frame: pl.DataFrame, objective: str, folder: Path, tried: int) -> Iterator[str]:
    """Yield the lines below the table, on failed points, the best point and the sweep folder."""
    failed = frame.filter(frame["state"] == "failed")
    by_error = failed.group_by("error", maintain_order=True).agg("point")
    for error, points in by_error.head(_MOST_ERRORS).iter_rows():
        others = "" if len(points) == 1 else f" and {counted(len(points) - 1, 'other')}"
        yield f"point {points[0]:,}{others} failed: {error}"
    if len(failed):
        more = len(by_error) - _MOST_ERRORS
        where = folder / "points" / failed["run"][0] / "error.txt"
        if more > 0:
            yield f"{counted(more, 'other error')}: see the column error of the table."
        yield f"The traceback of point {failed['point'][0]:,}: {where}"
    best = ranked(frame, objective)
    if not len(best) and len(failed) < len(frame):
        traded = frame["end_equity"].is_not_null().any()
        why = f"no point has a {objective}" if traded else "the config has no execution: nothing trades"
        yield f"No point is best: {why}."
    if len(best):
        config = folder / "points" / best["run"][0] / "config.json"
        yield f"The best point as a run of its own: openbell run {quote(str(config))}"
    others = f"; {tried:,} were tried in this folder so far" if tried > len(frame) else ""
    yield f"sweep folder: {folder} (points.parquet has {counted(len(frame), 'row')}{others})"


def value_text(value: object) -> str:
    """Return the value of a key as text for a cell of a table."""
    text = value if isinstance(value, str) else json.dumps(value)
    return escape(text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}...")

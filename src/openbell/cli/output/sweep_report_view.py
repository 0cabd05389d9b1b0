"""Tables and sentences of ``openbell sweep report``."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from openbell.cli.output.heat_map import heat_map, is_dense
from openbell.cli.output.performance_view import shown
from openbell.cli.output.sweep_view import closing_lines, form_of, label_of_number, points_table
from openbell.cli.terminal.printable import escape
from openbell.cli.terminal.tables import counted, make_table
from openbell.config.sweep import sign_of
from openbell.config.sweep_condition import short_names
from openbell.results.measures.unavailable import Number, Unavailable
from openbell.sweeps.plateau import grid_of, neighbours_of, ranked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from openbell.sweeps.stored_sweep import StoredSweep
    from openbell.sweeps.walk_forward import WalkForward

__all__ = ["lines_of", "views_of"]


def views_of(sweep: StoredSweep, objective: str, walked: WalkForward | None, most: int) -> Iterator[Table | str]:
    """Yield the best points, the objective by two keys, and the windows of a walk-forward."""
    if not len(ranked(sweep.frame, objective)):
        return
    yield points_table(sweep.frame, list(sweep.space), objective, most)
    if (grid := grid_of(sweep.frame, sweep.space, objective)) is not None:
        # Not as the title of the table, which would be wrapped to the table's width.
        names = [escape(short_names(sweep.space)[key]) for key in (grid.rows[0], grid.columns[0])]
        median_of = ", median" if len(sweep.space) > 2 else ""
        digits = ", 0 the worst, 9 the best" if is_dense(grid) else ""
        yield f"[bold]{label_of_number(objective)}{median_of}: {names[0]} down, {names[1]} across{digits}[/]"
        yield heat_map(grid, names[0], objective)
    if walked is not None:
        yield _walk_table(walked)


def _walk_table(walked: WalkForward) -> Table:
    label, form = label_of_number(walked.objective), form_of(walked.objective)
    table = make_table(
        f"Walk-forward by {label}", "training", "test", "point >", "in sample >", "out of sample >", "equity >"
    )
    # The growth of one unit of money that followed the chosen points, at the end of each test.
    equity = np.cumprod(1 + walked.returns)[walked.cut.test - 1 :: walked.cut.test]
    for window, after in zip(walked.windows, equity.tolist(), strict=True):
        spans = [f"{first} to {last:%m-%d}" for first, last in (window.trained, window.tested)]
        point = "-" if window.point is None else f"{window.point:,}"
        table.add_row(*spans, point, shown(window.inside, form), shown(window.outside, form), f"{after:.4f}")
    return table


def lines_of(sweep: StoredSweep, objective: str, walked: WalkForward | None) -> Iterator[str]:
    """Yield sentences on the surroundings of the best point, the walk-forward and luck."""
    best = ranked(sweep.frame, objective)
    if len(sweep.frame) < sweep.planned:
        yield f"{sweep.planned - len(sweep.frame):,} of {counted(sweep.planned, 'point')} are not done yet."
    if len(best):
        yield from _surroundings(sweep, objective, best["point"][0])
    if walked is not None:
        yield from _walked(walked)
    yield from _luck(sweep, best["point"][0] if len(best) else None)
    yield from closing_lines(sweep.frame, objective, sweep.folder, sweep.tried)


def _surroundings(sweep: StoredSweep, objective: str, number: int) -> Iterator[str]:
    names, form = short_names(sweep.space), form_of(objective)
    beside = [n for n in neighbours_of(sweep.frame, number, sweep.space, objective) if n.number is not None]
    if not beside:
        return
    numbers = [n.number for n in beside if n.number is not None]
    sign = sign_of(objective)
    worst = min(beside, key=lambda n: sign * (n.number or 0.0))
    count = counted(len(beside), "neighbour")
    what = f"{label_of_number(objective)} of point {number:,}'s {count} (one step of one key)"
    at = f"{names[worst.key]} = {worst.value}"
    if len(beside) == 1:
        yield f"{what}: {shown(worst.number, form)} at {at}."
        return
    yield f"{what}: median {shown(median(numbers), form)}, worst {shown(worst.number, form)} at {at}."


def _walked(walked: WalkForward) -> Iterator[str]:
    form, cut = form_of(walked.objective), walked.cut
    kind = "anchored" if cut.anchored else "rolling"
    yield (
        f"Walk-forward: {counted(len(walked.windows), 'window')}, {kind}, {cut.train} sessions of training, "
        f"{cut.purge} purged, {cut.test} of test."
    )
    yield (
        f"  mean in sample {shown(walked.inside, form)}, out of sample {shown(walked.outside, form)}; over all tests "
        f"{shown(walked.overall, form)}, return {shown(walked.total_return, 'percent')}."
    )


def _luck(sweep: StoredSweep, number: int | None) -> Iterator[str]:
    yield f"Points tried in this folder: {sweep.tried:,}. The best of many looks good by luck; how much of it is luck:"
    if number is not None and number in sweep.numbers:
        found = sweep.deflated_sharpe(number)
        meaning = "that its true Sharpe ratio is above zero"
        yield f"  deflated Sharpe ratio of point {number:,}: {_share(found, meaning)}"
    found = sweep.overfitting_probability()
    meaning = "that the best on half of the sessions is below the median on the others"
    yield f"  probability of backtest overfitting: {_share(found, meaning)}"


def _share(number: Number, meaning: str) -> str:
    if isinstance(number, Unavailable):
        return f"not known: {number.reason}"
    return f"{number:.1%} ({meaning})"

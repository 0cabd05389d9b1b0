"""Pages of sweeps, with measures of overfitting and a walk-forward."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from openbell.config.sweep import OBJECTIVES, sign_of
from openbell.config.sweep_condition import short_names
from openbell.errors import ConfigError
from openbell.pages.page import EQUITY
from openbell.results.measures.performance_lines import LINES
from openbell.results.measures.returns import drawdowns
from openbell.results.measures.unavailable import Number, Unavailable
from openbell.results.number_text import number, percent
from openbell.sweeps.plateau import grid_of, neighbours_of, ranked
from openbell.sweeps.stored_sweep import read_stored_sweep
from openbell.sweeps.walk_forward import MEASURED, Windows
from openbell.view.responses import page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from openbell.model.json_object import JsonObject
    from openbell.sweeps.plateau import Grid
    from openbell.sweeps.stored_sweep import StoredSweep
    from openbell.sweeps.walk_forward import WalkForward
    from openbell.view.sweep_catalogue import KnownSweep

__all__ = ["sweep_page", "sweeps_page"]

_MOST_POINTS = 50
_MOST_CELLS = 2500
_COLUMNS = ("sharpe", "total_return", "max_drawdown", "trades", "win_rate", "profit_factor")
_SHADES = 5
_START = 100.0


class _Row(NamedTuple):
    id: str
    name: str
    problem: str
    points: str
    tried: int
    objective: str
    best: str


class _Cell(NamedTuple):
    text: str
    shade: int | None
    is_best: bool


def sweeps_page(sweeps: Sequence[KnownSweep]) -> Response:
    """Return the page of all sweeps, the last begun first."""
    return page("view_sweeps.html", {"sweeps": [_row(one) for one in sweeps]}, place="sweeps")


def _row(one: KnownSweep) -> _Row:
    try:
        sweep = read_stored_sweep(one.folder)
    except ConfigError as error:
        return _Row(one.id, one.name, str(error), "", 0, "", "")
    line, best = LINES[sweep.objective], ranked(sweep.frame, sweep.objective)
    shown = number(best[sweep.objective][0], line.form) if len(best) else ""
    points = f"{len(sweep.frame):,} of {sweep.planned:,}"
    return _Row(one.id, one.name, "", points, sweep.tried, line.label, shown)


def sweep_page(one: KnownSweep, asked: Mapping[str, str]) -> Response:
    """Return the page of a sweep.

    Args:
        one: The sweep.
        asked: The objective, and train, test, purge and anchored of a walk-forward.

    Raises:
        ConfigError: The sweep cannot be read, or an objective or a number is invalid.
    """
    sweep = read_stored_sweep(one.folder)
    by = asked.get("objective") or sweep.objective
    if by not in OBJECTIVES:
        raise ConfigError(f"there is no objective {by!r}. There are {', '.join(OBJECTIVES)}.")
    best = ranked(sweep.frame, by)
    cut = _windows(sweep, asked)
    walked, walk_problem = _walked(sweep, by, cut)
    values: JsonObject = {
        "name": one.name,
        "folder": str(one.folder),
        "address": f"/sweep/{one.id}",
        "objectives": [(name, LINES[name].label, name == by) for name in OBJECTIVES],
        "label": LINES[by].label,
        "done": len(sweep.frame),
        "planned": sweep.planned,
        "tried": sweep.tried,
        "failed": sweep.frame.filter(sweep.frame["state"] == "failed")["error"].unique().to_list(),
        "luck": _luck(sweep, best["point"][0] if len(best) else None),
        "best": best["point"][0] if len(best) else None,
        **_points(sweep, by, best.head(_MOST_POINTS).to_dicts()),
        "left": max(len(best) - _MOST_POINTS, 0),
        "heat": _heat(sweep, by),
        **_neighbours(sweep, by, best["point"][0] if len(best) else None),
        "cut": cut,
        "sessions": len(sweep.days),
        "walk": None if walked is None else _walk_values(walked),
        "walk_problem": walk_problem,
        "has_equity": walked is not None,
        "equity_label": "What 100 became that followed the choices of the walk-forward",
        "thinned": False,
        "zone": "UTC",
    }
    data: JsonObject = {"zone": "UTC", "equity": None if walked is None else _equity(walked), "windows": []}
    crumbs = (("Sweeps", "/sweeps"), (one.name, None))
    charts = EQUITY if walked is not None else ()
    return page("view_sweep.html", values, place="sweeps", crumbs=crumbs, charts=charts, data=data)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _points(sweep: StoredSweep, by: str, rows: Sequence[Mapping[str, Any]]) -> JsonObject:
    names = short_names(sweep.space)
    numbers = [by, *(name for name in _COLUMNS if name != by)]
    return {
        "keys": [(names[key], key) for key in sweep.space],
        "numbers": [LINES[name].label for name in numbers],
        "points": [
            (
                row["point"],
                [_text(row[key]) for key in sweep.space],
                [(number(row[name], LINES[name].form), row[name]) for name in numbers],
            )
            for row in rows
        ],
    }


def _heat(sweep: StoredSweep, by: str) -> JsonObject | None:
    grid = grid_of(sweep.frame, sweep.space, by)
    if grid is None or len(grid.rows[1]) * len(grid.columns[1]) > _MOST_CELLS:
        return None
    names = short_names(sweep.space)
    return {
        "down": names[grid.rows[0]],
        "across": names[grid.columns[0]],
        "is_median": len(sweep.space) > 2,
        "heads": [_text(value) for value in grid.columns[1]],
        "rows": [(_text(value), cells) for value, cells in zip(grid.rows[1], _cells(grid, by), strict=True)],
    }


def _cells(grid: Grid, by: str) -> list[list[_Cell]]:
    sign, form = sign_of(by), LINES[by].form
    known = [sign * cell for row in grid.cells for cell in row if cell is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)

    def cell(value: float | None) -> _Cell:
        if value is None:
            return _Cell("", None, False)
        share = (sign * value - low) / (high - low) if high > low else 1.0
        return _Cell(number(value, form), min(int(share * _SHADES), _SHADES - 1), sign * value == high)

    return [[cell(value) for value in row] for row in grid.cells]


def _neighbours(sweep: StoredSweep, by: str, best: int | None) -> JsonObject:
    names, form = short_names(sweep.space), LINES[by].form
    found = [] if best is None else neighbours_of(sweep.frame, best, sweep.space, by)
    known = [one.number for one in found if one.number is not None]
    sign = sign_of(by)
    middle = number(median(known), form) if known else ""
    worst = number(sign * min(sign * value for value in known), form) if known else ""
    return {
        "neighbours": [(one.point, names[one.key], _text(one.value), number(one.number, form)) for one in found],
        "neighbours_said": f"median {middle}, worst {worst}" if known else "",
    }


def _luck(sweep: StoredSweep, best: int | None) -> list[tuple[str, str, str]]:
    """Return measures of how much of the best result is luck.

    Each has a label, its value as text, and its meaning or why it is not available.
    """
    found = [
        (
            "Probability of overfitting",
            sweep.overfitting_probability(),
            "how often the best on half of the sessions is below the median on the others",
        )
    ]
    if best is not None and best in sweep.numbers:
        meaning = f"probability that the true Sharpe ratio of point {best:,} is above zero"
        found.insert(0, ("Deflated Sharpe", sweep.deflated_sharpe(best), meaning))
    return [(label, *_share(value, meaning)) for label, value, meaning in found]


def _share(value: Number, meaning: str) -> tuple[str, str]:
    return ("–", value.reason) if isinstance(value, Unavailable) else (percent(value), meaning)  # noqa: RUF001


def _windows(sweep: StoredSweep, asked: Mapping[str, str]) -> Windows:
    """Return the requested windows, by default with training of half of the sessions and tests of an eighth."""
    sessions = len(sweep.days)
    purge = min(sweep.warm_up, max(sessions // 4, 0))
    usual = {"train": max(sessions // 2, 1), "test": max(sessions // 8, 2), "purge": purge}
    given = {}
    for name, value in usual.items():
        text = asked.get(name, str(value))
        if not text.isdecimal() or (name != "purge" and not int(text[:9])):
            raise ConfigError(
                f"{name} of a walk-forward is a number of sessions, such as {value}: {text!r} is not valid."
            )
        given[name] = int(text[:9])
    return Windows(**given, anchored=asked.get("anchored") == "yes")


def _walked(sweep: StoredSweep, by: str, cut: Windows) -> tuple[WalkForward | None, str]:
    if by not in MEASURED:
        return None, f"A walk-forward goes by {', '.join(LINES[name].label for name in MEASURED)}: choose one of them."
    try:
        return sweep.walk_forward(cut, by), ""
    except ConfigError as error:
        return None, f"{str(error)[:1].upper()}{str(error)[1:]}"


def _walk_values(walked: WalkForward) -> JsonObject:
    form = LINES[walked.objective].form
    return {
        "windows": [
            (
                f"{one.trained[0]} to {one.trained[1]}", f"{one.tested[0]} to {one.tested[1]}", one.point,
                number(one.inside, form), number(one.outside, form),
            )
            for one in walked.windows
        ],
        "compared": None if walked.compared == len(walked.windows) else f"{walked.compared:,}",
        "inside": number(walked.inside, form),
        "outside": number(walked.outside, form),
        "overall": number(walked.overall, form),
        "total": percent(walked.total_return, signed=True),
    }  # fmt: skip


def _equity(walked: WalkForward) -> JsonObject:
    equity = np.asarray(_START * np.cumprod(1 + walked.returns), np.float64)
    return {
        "time": [int(datetime.combine(day, time(), UTC).timestamp()) for day in walked.days],
        "equity": np.round(equity, 4).tolist(),
        "drawdown": np.round(drawdowns(_START, equity) * 100, 3).tolist(),
        "start": _START,
        "daily": True,
    }

"""Page that compares runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from openbell.errors import ConfigError, printable
from openbell.pages.page import EQUITY
from openbell.pages.report.curves import equity_points
from openbell.results.folder.run_comparison import compare
from openbell.results.measures.performance_lines import BLOCKS
from openbell.results.number_text import number
from openbell.view.responses import page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from openbell.model.json_object import JsonObject
    from openbell.results.measures.performance_lines import Line
    from openbell.view.run_catalogue import Catalogue, KnownRun

__all__ = ["compare_page"]

_MOST = 6
_MORE_IS_BETTER = ("net_profit", "total_return", "cagr", "sharpe", "sortino", "calmar", "profit_factor", "win_rate")


class _Numbers(NamedTuple):
    label: str
    cells: list[tuple[str, bool]]


def compare_page(catalogue: Catalogue, ids: Sequence[str]) -> Response:
    """Return the page that compares runs with the first of them.

    Raises:
        ConfigError: There are fewer than two runs or too many, or one of them is unknown.
    """
    ids = list(dict.fromkeys(ids))
    if not 2 <= len(ids) <= _MOST:
        raise ConfigError(f"tick two to {_MOST} runs in the list to compare them; {len(ids)} were ticked.")
    runs = [catalogue.run(one) for one in ids]
    compared = [compare(runs[0].stored, run.stored) for run in runs[1:]]
    curves = [curve for run in runs if (curve := _curve(catalogue, run)) is not None]
    zone = str(catalogue.read(runs[0]).zone)
    warnings = dict.fromkeys(text for one in compared for text in one.warnings)
    problems = [f"{run.name} is {run.stored.state}: {run.stored.problem}" for run in runs if run.stored.problem]
    keys = dict.fromkeys(found.key for one in compared for found in one.config)
    return page(
        "view_compare.html",
        {
            "runs": runs,
            "warnings": [*problems, *warnings],
            "has_equity": bool(curves),
            "zone": zone,
            "numbers": [row for block in BLOCKS for line in block if (row := _numbers(line, runs)) is not None],
            "differences": [(key, _cells(key, runs)) for key in keys],
        },
        crumbs=(("Runs", "/"), ("Comparison", None)),
        charts=(*EQUITY, "view_compare.js") if curves else (),
        data={"zone": zone, "equity": None, "windows": [], "runs": curves},
    )


def _curve(catalogue: Catalogue, run: KnownRun) -> JsonObject | None:
    equity = catalogue.read(run).tables.equity
    start = (run.stored.performance or {}).get("start_equity")
    if equity is None or not len(equity) or not start:
        return None
    return {"name": printable(run.name), **equity_points(equity, start)}


def _numbers(line: Line, runs: Sequence[KnownRun]) -> _Numbers | None:
    values = [(run.stored.performance or {}).get(line.name) for run in runs]
    there = [value for value in values if value is not None]
    if not there:
        return None
    best = max(there) if line.name in _MORE_IS_BETTER and len(set(there)) > 1 else None
    return _Numbers(line.label, [(number(value, line.form), value is not None and value == best) for value in values])


def _cells(key: str, runs: Sequence[KnownRun]) -> list[tuple[str, bool]]:
    values = [_at(run.stored.config, key) for run in runs]
    return [(text, text != values[0]) for text in values]


def _at(config: object, key: str) -> str:
    """Return the value of a key such as ``strategies[0].config.fast`` as text."""
    value = config
    for name in key.replace("[", ".[").split("."):
        if name.startswith("[") and isinstance(value, list):
            at = int(name[1:-1])
            value = value[at] if at < len(value) else None
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            return "(missing)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

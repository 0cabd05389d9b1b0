"""Page of all runs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from openbell.view.live_runs import is_live
from openbell.view.responses import page

if TYPE_CHECKING:
    from starlette.responses import Response

    from openbell.view.run_catalogue import Catalogue, KnownRun

__all__ = ["runs_page"]


class _Row(NamedTuple):
    id: str
    name: str
    session_name: str
    state: str
    state_place: str
    problem: str
    sessions: int
    profit: float | None
    total_return: float | None
    look: str
    sharpe: float | None
    drawdown: float | None
    trades: float | None
    dropped: int
    warnings: int
    begun: str
    begun_s: float


def runs_page(catalogue: Catalogue, places: str) -> Response:
    """Return the page of all runs, the last begun first.

    Args:
        catalogue: The runs.
        places: A text that names the folders of the runs.
    """
    rows = [_row(run) for run in catalogue.runs()]
    return page("view_runs.html", {"runs": rows, "places": places})


def _row(run: KnownRun) -> _Row:
    numbers = run.stored.performance or {}
    profit = numbers.get("net_profit")
    goes_on = run.stored.state == "unfinished" and is_live(run.folder)
    return _Row(
        id=run.id,
        name=run.name,
        session_name=run.stored.session_name or "",
        state=run.stored.state,
        state_place=f"/run/{run.id}/live" if goes_on else f"/run/{run.id}",
        problem=run.stored.problem,
        sessions=len(run.stored.days),
        profit=profit,
        total_return=numbers.get("total_return"),
        look="" if not profit else "gain" if profit > 0 else "loss",
        sharpe=numbers.get("sharpe"),
        drawdown=numbers.get("max_drawdown"),
        trades=numbers.get("trades"),
        dropped=run.stored.dropped,
        warnings=run.stored.warnings + bool(run.stored.store_label),
        begun=f"{datetime.fromtimestamp(run.begun).astimezone():%Y-%m-%d %H:%M}",
        begun_s=run.begun,
    )

"""Page of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.pages.page import EQUITY
from openbell.pages.report.chosen_charts import ChosenCharts
from openbell.pages.report.report_page import report_values
from openbell.view.addresses import query
from openbell.view.live_runs import is_live
from openbell.view.responses import page

if TYPE_CHECKING:
    from starlette.responses import Response

    from openbell.pages.report.report_page import ReadRun
    from openbell.view.run_catalogue import Catalogue, KnownRun

__all__ = ["run_page"]

_MOST_TRADES = 300
_MOST_DAYS = 30


def run_page(catalogue: Catalogue, run: KnownRun) -> Response:
    """Return the page of a run.

    It is the report, with links to sessions in place of charts of candles.
    """
    read = catalogue.read(run)
    values, data = report_values(read, run.folder, ChosenCharts([], [], {}, []), most_trades=_MOST_TRADES)
    address = f"/run/{run.id}"
    days = [(day.isoformat(), f"{address}/session/{day}") for day in reversed(run.stored.days)]
    values |= {
        "address": address,
        "days": days[:_MOST_DAYS],
        "more_days": days[_MOST_DAYS:],
        "is_live": is_live(run.folder),
        "trade_places": _places_of_trades(read, values, address),
        "symbol_places": {one.what: f"{address}/why?{query(symbol=one.what)}" for one in values["dropped"]},
        "sections": [(name, "Sessions" if name == "candles" else title) for name, title in values["sections"]],
    }
    return page(
        "view_run.html",
        values,
        crumbs=(("Runs", "/"), (run.name, None)),
        charts=EQUITY if data["equity"] is not None else (),
        data=data,
    )


def _places_of_trades(read: ReadRun, values: dict[str, object], address: str) -> dict[int, str]:
    trades = values["trades"]
    if read.time_manager is None or not isinstance(trades, list):
        return {}
    days = set(read.stored.days)
    found = {}
    for trade in trades:
        day = read.time_manager.day_of(int(trade.entered.timestamp()) * 1_000_000_000)
        day = day if day in days else trade.entered.date()
        found[trade.number] = f"{address}/session/{day}?{query(symbol=trade.symbol, trade=trade.number)}"
    return found

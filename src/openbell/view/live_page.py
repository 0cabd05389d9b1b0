"""Page of a live run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.errors import ConfigError
from openbell.live.status.run_lock import OVER
from openbell.pages.page import EQUITY
from openbell.view.live_runs import is_live, live_state
from openbell.view.responses import page

if TYPE_CHECKING:
    from starlette.responses import Response

    from openbell.model.json_object import JsonObject
    from openbell.view.run_catalogue import Catalogue, KnownRun

__all__ = ["live_page"]


def live_page(catalogue: Catalogue, run: KnownRun, token: str) -> Response:
    """Return the page of a live run, which its script fills from event streams.

    Raises:
        ConfigError: The run is no live run.
    """
    if not is_live(run.folder):
        raise ConfigError("this run is not a live one: its page shows what it did.")
    address, state = f"/run/{run.id}", live_state(run.folder)
    values = {
        "name": run.stored.session_name or run.name,
        "state": state,
        "address": address,
        "running": state not in ("", "killed", *OVER),
        "token": token,
        "run_id": run.id,
    }
    data: JsonObject = {
        "state": state,
        "address": address,
        "events": f"{address}/data/events",
        "bars": f"{address}/data/bars",
        "zone": str(catalogue.read(run).zone),
        "equity": None,
        "windows": [],
    }
    crumbs = (("Runs", "/"), (run.name, address), ("Live", None))
    scripts = (*EQUITY, "view_live_chart.js", "view_live.js")
    return page("view_live.html", values, crumbs=crumbs, charts=scripts, data=data)

"""Application that answers with the pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

from openbell.errors import OpenbellError
from openbell.view.answers import problem, static
from openbell.view.catalogue import Catalogue, UnknownRunError
from openbell.view.compare_page import compare_page
from openbell.view.guard import Guard, form_with_token
from openbell.view.playing import PlayedSessions
from openbell.view.run_page import run_page
from openbell.view.runs_page import runs_page
from openbell.view.session_page import day_of, session_chart_data, session_page
from openbell.view.why_page import why_page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from openbell.view.guard import Access

__all__ = ["view_app"]

_STATUS = {
    403: "This takes the token of the server: open the page again, for the server may have been started anew.",
    404: "There is no such page.",
    405: "This page is only read.",
    413: "That is too long.",
}


def view_app(places: Callable[[], Sequence[Path]], access: Access, *, store: str | None = None) -> ASGIApp:
    """Return the application.

    Args:
        places: Returns the folders that hold runs, or are runs.
        access: Who may ask.
        store: The store whose bars are shown, or None for those of the runs' configs.
    """
    catalogue = Catalogue(places)
    played = PlayedSessions(store)
    folder = None if store is None else Path(store)

    def runs(_: Request) -> Response:
        folders = places()
        shown = ", ".join(map(str, folders[:3])) + (f" and {len(folders) - 3:,} more folders" if folders[3:] else "")
        return runs_page(catalogue, shown or "runs")

    def compare(request: Request) -> Response:
        return compare_page(catalogue, request.query_params.getlist("run"))

    def run(request: Request) -> Response:
        return run_page(catalogue, catalogue.run(request.path_params["run"]))

    def session(request: Request) -> Response:
        day = day_of(request.path_params["day"])
        run = catalogue.run(request.path_params["run"])
        return session_page(catalogue, run, day, request.query_params, played, access.token)

    def why(request: Request) -> Response:
        given = request.query_params
        run = catalogue.run(request.path_params["run"])
        return why_page(catalogue, run, given.get("symbol", ""), given.get("day", ""), store)

    def chart(request: Request) -> Response:
        found = session_chart_data(
            catalogue, catalogue.run(request.path_params["run"]), request.query_params, played, folder
        )
        return JSONResponse(found)

    def playing(request: Request) -> Response:
        folder = catalogue.run(request.path_params["run"]).folder
        return JSONResponse({"state": played.state(folder, day_of(request.query_params.get("day", ""))).state})

    async def play(request: Request) -> Response:
        await form_with_token(request, access)
        run = catalogue.run(request.path_params["run"])
        day = day_of(request.path_params["day"])
        played.play(run.folder, day)
        return RedirectResponse(f"/run/{run.id}/session/{day}", status_code=303)

    app = Starlette(
        routes=[
            Route("/", runs),
            Route("/static/{name}", static),
            Route("/compare", compare),
            Route("/run/{run}", run),
            Route("/run/{run}/session/{day}", session),
            Route("/run/{run}/session/{day}/play", play, methods=["POST"]),
            Route("/run/{run}/why", why),
            Route("/run/{run}/data/chart", chart),
            Route("/run/{run}/data/playing", playing),
        ],
        exception_handlers={OpenbellError: _told, HTTPException: _no_page},
    )
    return Guard(app, access)


def _told(request: Request, error: Exception) -> Response:
    """Answer with what a user can mend."""
    status = 404 if isinstance(error, UnknownRunError) else 422
    if "/data/" in request.url.path and request.url.path.startswith("/run/"):
        return JSONResponse({"error": str(error)}, status_code=status)
    text = str(error)
    return problem("That did not work" if status != 404 else "Not found", text[:1].upper() + text[1:], status)


def _no_page(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    text = _STATUS.get(status, "The server has said why in its terminal.")
    return problem("Not found" if status == 404 else "That did not work", text, status)

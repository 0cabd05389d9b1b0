"""Web application that serves the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from openbell.errors import ConfigError, OpenbellError
from openbell.model.address import place_of
from openbell.view.addresses import day_of
from openbell.view.compare_page import compare_page
from openbell.view.data_page import DataPages
from openbell.view.guard import Guard, form_with_token
from openbell.view.live_bars import follow_bars
from openbell.view.live_page import live_page
from openbell.view.live_runs import follow, stop_run
from openbell.view.packed_chart import MEDIA_TYPE
from openbell.view.replays import PlayedSessions
from openbell.view.responses import problem, static
from openbell.view.run_catalogue import Catalogue, UnknownRunError
from openbell.view.run_page import run_page
from openbell.view.runs_page import runs_page
from openbell.view.session_chart import SessionCharts
from openbell.view.session_page import session_page
from openbell.view.sweep_catalogue import SweepCatalogue
from openbell.view.sweep_page import sweep_page, sweeps_page
from openbell.view.why_page import why_page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from openbell.view.guard import Access
    from openbell.view.run_catalogue import KnownRun

__all__ = ["view_app"]

_STATUS = {
    403: "This takes the token of the server: open the page again, because the server may have been restarted.",
    404: "There is no such page.",
    405: "This page accepts only GET requests.",
    413: "That is too long.",
}


def view_app(
    places: Callable[[], Sequence[Path]],
    access: Access,
    *,
    store: str | None = None,
    is_ending: Callable[[], bool] = lambda: False,
) -> ASGIApp:
    """Return the web application.

    Args:
        places: Returns the folders that hold runs, or are runs.
        access: The rules of access.
        store: The store whose bars are shown, or None for those of the runs' configs.
        is_ending: Returns whether the server is shutting down, so that event streams end.
    """
    catalogue = Catalogue(places)
    app = Starlette(
        routes=[
            Route("/static/{name}", static),
            *_of_runs(catalogue, places, store),
            *_of_sessions(catalogue, access, store),
            *_of_live_runs(catalogue, access, is_ending),
            *_of_sweeps(SweepCatalogue(places)),
            *_of_data(DataPages(catalogue, store)),
        ],
        exception_handlers={OpenbellError: _error_response, HTTPException: _http_error_response},
    )
    return Guard(app, access)


def _run_of(catalogue: Catalogue, request: Request) -> KnownRun:
    return catalogue.run(request.path_params["run"])


def _of_runs(catalogue: Catalogue, places: Callable[[], Sequence[Path]], store: str | None) -> list[Route]:
    def runs(_: Request) -> Response:
        folders = places()
        shown = ", ".join(map(str, folders[:3])) + (f" and {len(folders) - 3:,} more folders" if folders[3:] else "")
        return runs_page(catalogue, shown or "runs")

    def compare(request: Request) -> Response:
        return compare_page(catalogue, request.query_params.getlist("run"))

    def run(request: Request) -> Response:
        return run_page(catalogue, _run_of(catalogue, request))

    def why(request: Request) -> Response:
        given = request.query_params
        asked = given.get("symbol", ""), given.get("day", "")
        return why_page(catalogue, _run_of(catalogue, request), *asked, store, given.get("of", ""))

    return [Route("/", runs), Route("/compare", compare), Route("/run/{run}", run), Route("/run/{run}/why", why)]


def _of_sessions(catalogue: Catalogue, access: Access, store: str | None) -> list[Route]:
    played = PlayedSessions(store)
    charts = SessionCharts(catalogue, played, None if store is None else place_of(store))

    def session(request: Request) -> Response:
        day = day_of(request.path_params["day"])
        return session_page(catalogue, _run_of(catalogue, request), day, request.query_params, played, access.token)

    def chart(request: Request) -> Response:
        found = charts.answer(_run_of(catalogue, request), request.query_params)
        return Response(found, media_type=MEDIA_TYPE) if isinstance(found, bytes) else JSONResponse(found)

    def playing(request: Request) -> Response:
        day = day_of(request.query_params.get("day", ""))
        return JSONResponse({"state": played.state(_run_of(catalogue, request).folder, day).state})

    async def play(request: Request) -> Response:
        await form_with_token(request, access)
        run = await run_sync(_run_of, catalogue, request)
        day = day_of(request.path_params["day"])
        played.play(run.folder, day)
        return RedirectResponse(f"/run/{run.id}/session/{day}", status_code=303)

    return [
        Route("/run/{run}/session/{day}", session),
        Route("/run/{run}/session/{day}/play", play, methods=["POST"]),
        Route("/run/{run}/data/chart", chart),
        Route("/run/{run}/data/playing", playing),
    ]


def _of_live_runs(catalogue: Catalogue, access: Access, is_ending: Callable[[], bool]) -> list[Route]:
    def live(request: Request) -> Response:
        return live_page(catalogue, _run_of(catalogue, request), access.token)

    async def events(request: Request) -> Response:
        folder = (await run_sync(_run_of, catalogue, request)).folder
        news = follow(folder, request.headers.get("last-event-id", ""), is_ending)
        return StreamingResponse(news, media_type="text/event-stream")

    async def bars(request: Request) -> Response:
        folder = (await run_sync(_run_of, catalogue, request)).folder
        symbol = request.query_params.get("symbol", "")
        news = follow_bars(folder, symbol, request.headers.get("last-event-id", ""), is_ending)
        return StreamingResponse(news, media_type="text/event-stream")

    async def stop(request: Request) -> Response:
        given = await form_with_token(request, access)
        run = await run_sync(_run_of, catalogue, request)
        if given.get("confirm") != run.id:
            raise ConfigError("a run is stopped by the button of its page, which asks first.")
        await run_sync(stop_run, run.folder, given.get("flatten") == "yes")
        return RedirectResponse(f"/run/{run.id}/live", status_code=303)

    return [
        Route("/run/{run}/live", live),
        Route("/run/{run}/stop", stop, methods=["POST"]),
        Route("/run/{run}/data/events", events),
        Route("/run/{run}/data/bars", bars),
    ]


def _of_sweeps(known: SweepCatalogue) -> list[Route]:
    def sweeps(_: Request) -> Response:
        return sweeps_page(known.sweeps())

    def sweep(request: Request) -> Response:
        return sweep_page(known.sweep(request.path_params["sweep"]), request.query_params)

    return [Route("/sweeps", sweeps), Route("/sweep/{sweep}", sweep)]


def _of_data(pages: DataPages) -> list[Route]:
    def overview(request: Request) -> Response:
        given = request.query_params
        return pages.overview(given.get("store", ""), given.get("find", ""))

    def check(request: Request) -> Response:
        given = request.query_params
        return pages.check(given.get("store", ""), given.getlist("symbol"))

    return [Route("/data", overview), Route("/data/check", check)]


def _error_response(request: Request, error: Exception) -> Response:
    """Return the response for an error that the user can correct."""
    status = 404 if isinstance(error, UnknownRunError) else 422
    text = str(error)
    if request.url.path.startswith("/run/") and "/data/" in request.url.path:
        return JSONResponse({"error": text}, status_code=status)
    return problem("That did not work" if status != 404 else "Not found", text[:1].upper() + text[1:], status)


def _http_error_response(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    text = _STATUS.get(status, "The server has said why in its terminal.")
    return problem("Not found" if status == 404 else "That did not work", text, status)

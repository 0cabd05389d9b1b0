"""HTTP responses, made from templates."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, Response

from openbell.pages.page import served_page, static_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

__all__ = ["page", "problem", "static"]

Crumb = tuple[str, "str | None"]
_TYPES = {"css": "text/css", "js": "text/javascript"}


def page(
    template: str,
    values: Mapping[str, object],
    *,
    place: str = "runs",
    crumbs: Sequence[Crumb] = (),
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
    charts: Sequence[str] = (),
    data: object = None,
    status: int = 200,
) -> HTMLResponse:
    """Return a page.

    Args:
        template: The name of its template.
        values: The values for the template.
        place: The entry of the navigation bar to highlight, "runs", "sweeps" or "data".
        crumbs: Names and addresses of the pages above it, then its own name without an address.
        styles: Style sheets besides those of every page.
        scripts: Scripts besides those of every page.
        charts: Scripts that draw with lightweight-charts.
        data: The data for scripts, to be written as JSON.
        status: The HTTP status.
    """
    whole = {"version": version("openbell"), **values, "place": place, "crumbs": crumbs}
    text = served_page(template, whole, styles=styles, scripts=scripts, charts=charts, data=data)
    return HTMLResponse(text, status_code=status)


def problem(heading: str, text: str, status: int) -> HTMLResponse:
    """Return a page with an error message."""
    return page("view_problem.html", {"heading": heading, "text": text}, status=status)


def static(request: Request) -> Response:
    """Return the response with a static file."""
    name = request.path_params["name"]
    text = static_file(name)
    if text is None:
        return problem("Not found", "There is no such file.", 404)
    return Response(
        text,
        media_type=f"{_TYPES.get(name.rpartition('.')[2], 'text/plain')}; charset=utf-8",
        headers={"cache-control": "public, max-age=31536000, immutable"},
    )

"""Pages made from templates, with their styles, scripts and data inside or served beside them."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from openbell.errors import printable
from openbell.results import number_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["CANDLES", "EQUITY", "browser_json", "html_page", "inline_json", "part", "served_page", "static_file"]

EQUITY = ("charts.js",)
"""Scripts that draw the equity of a run."""
CANDLES = (*EQUITY, "candles.js")
"""Scripts that draw candles and equity."""
_CHARTS = "lightweight-charts.standalone.production.js"


def html_page(
    template: str,
    values: Mapping[str, object],
    *,
    styles: Sequence[str] = ("page.css",),
    scripts: Sequence[str] = ("page.js",),
    charts: Sequence[str] = (),
    data: object = None,
) -> str:
    """Return an HTML document that loads nothing from any host.

    Its content security policy allows the styles and scripts inside it, by their hashes, and nothing else. Texts are
    escaped for HTML, and unprintable characters such as those that change the direction of text are shown as escapes.

    Args:
        template: The name of a template that extends ``page.html``.
        values: The values for the template.
        styles: Style sheets in `openbell.pages.static`.
        scripts: Scripts in `openbell.pages.static`.
        charts: Scripts that draw with lightweight-charts, which is then added to the page.
        data: The data for scripts, to be written as JSON.
    """
    style = "\n".join(_static(name) for name in styles)
    texts = [_static(name) for name in (*((_CHARTS,) if charts else ()), *charts, *scripts)]
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, texts))}" if texts else "script-src 'none'",
            f"style-src {_hash(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return (
        _environment()
        .get_template(template)
        .render(
            {
                "layout": "page.html",
                **values,
                "policy": policy,
                "style": Markup(style),  # noqa: S704 -- our own file
                "scripts": [Markup(text) for text in texts],  # noqa: S704 -- our own files
                "data": None if data is None else inline_json(data),
                "has_charts": bool(charts),
            }
        )
    )


def served_page(
    template: str,
    values: Mapping[str, object],
    *,
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
    charts: Sequence[str] = (),
    data: object = None,
) -> str:
    """Return an HTML document that loads its styles and scripts from the server that serves it.

    Args:
        template: The name of a template that extends its ``layout``.
        values: The values for the template.
        styles: Style sheets in `openbell.pages.static`, besides those of every page.
        scripts: Scripts in `openbell.pages.static`, besides those of every page.
        charts: Scripts that draw with lightweight-charts.
        data: The data for scripts, to be written as JSON.
    """
    loaded = ("view.js", *((_CHARTS,) if charts else ()), *charts, "page.js", *scripts)
    return (
        _environment()
        .get_template(template)
        .render(
            {
                "layout": "view.html",
                **values,
                "styles": [static_address(name) for name in ("page.css", "view.css", *styles)],
                "scripts": [static_address(name) for name in loaded],
                "data": None if data is None else inline_json(data),
                "has_charts": bool(charts),
            }
        )
    )


def part(template: str, values: Mapping[str, object]) -> Markup:
    """Return a part of a page, made from a template."""
    return Markup(_environment().get_template(template).render(values))  # noqa: S704 -- the template escapes


def browser_json(value: object) -> str:
    """Return JSON as browsers read it, with null for numbers that are not finite."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except ValueError:  # hardly ever: to look at every number of a chart takes longer than to write it
        return json.dumps(_finite(value), separators=(",", ":"), allow_nan=False)


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def inline_json(value: object) -> Markup:
    """Return a value as JSON that is safe within a script element, whatever its texts are."""
    text = browser_json(value)
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)  # noqa: S704 -- nothing in it ends the element


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("openbell.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=_finished,
    )  # fmt: skip
    environment.filters |= {
        name: getattr(number_text, name) for name in ("money", "number", "percent", "price", "units")
    }
    return environment


def _finished(value: object) -> object:
    """Return the form in which templates show a value."""
    if value is None:
        return ""
    return printable(value, lines=True) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def static_address(name: str) -> str:
    """Return the address of a static file, which changes with the content of the file."""
    return f"/static/{name}?{hashlib.sha256(_static(name).encode()).hexdigest()[:12]}"


def static_file(name: str) -> str | None:
    """Return the content of a static file, or None when there is no such file."""
    names = {file.name for file in (files("openbell.pages") / "static").iterdir()}
    return _static(name) if name in names else None


@cache
def _static(name: str) -> str:
    return (files("openbell.pages") / "static" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

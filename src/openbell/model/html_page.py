"""HTML page that shows itself in a notebook."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["HtmlPage", "notebook_page"]


class HtmlPage:
    """HTML document without requests to any host.

    A notebook shows it in a frame of its own.

    Attributes:
        html: The document.
        height: Height of the frame in pixels.
    """

    def __init__(self, html: str, height: int = 700) -> None:
        self.html = html
        self.height = height

    def __repr__(self) -> str:
        return f"<HtmlPage of {len(self.html.encode()):,} bytes: save(file) writes it>"

    def _repr_html_(self) -> str:
        # Imported late for the reason in html_parts.text.
        from html import escape

        # Without allow-same-origin, so that nothing in the page reaches the notebook around it.
        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts" '
            f'style="width: 100%; height: {self.height}px; border: 0"></iframe>'
        )

    def save(self, file: Path | str) -> Path:
        """Write the document to a file, and return its path."""
        path = Path(file)
        path.write_text(self.html, encoding="utf-8")
        return path


def notebook_page(function: str, *arguments: Any, **options: Any) -> HtmlPage:
    """Return the page that a function of `openbell.pages.notebook_charts` makes.

    The module is imported by its name when a page is asked for: pages import sessions and results, and not the other
    way round.
    """
    page: HtmlPage = getattr(import_module("openbell.pages.notebook_charts"), function)(*arguments, **options)
    return page

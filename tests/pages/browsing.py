"""What tests in a browser look at on every page."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

OUTSIDE = """
Array.from(document.querySelectorAll("main *, header *"))
    .filter(e => !e.closest(".scroll, pre, .chart, svg, select"))
    .filter(e => { const r = e.getBoundingClientRect(); return r.width && (r.right > innerWidth + 1 || r.left < -1); })
    .map(e => e.outerHTML.slice(0, 90))
"""
"""Elements that stick out of the page, other than those in boxes that scroll."""


_JUDGE = "axe.run({ resultTypes: ['violations'], ancestry: false, xpath: false }).then(found => found.violations)"


def axe_violations(page: Page) -> list[Any]:
    """Return the violations that axe-core finds. Its script is evaluated, which the page's own policy does not stop."""
    if page.evaluate("typeof axe !== 'undefined'"):
        again: list[Any] = page.evaluate(_JUDGE)
        return again
    spec = importlib.util.find_spec("axe_playwright_python")
    assert spec is not None
    assert spec.origin is not None
    page.evaluate((Path(spec.origin).parent / "axe.min.js").read_text(encoding="utf-8"))
    found: list[Any] = page.evaluate(_JUDGE)
    return found

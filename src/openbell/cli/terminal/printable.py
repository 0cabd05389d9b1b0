"""Escaping of terminal codes in everything that is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich.markup
from rich.console import RenderHook
from rich.segment import Segment

from openbell.errors import printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult

__all__ = ["PrintableOnly", "escape"]

_MOST_OF_A_TEXT = 2_000


def escape(text: str) -> str:
    """Return an untrusted text for rich's markup, shortened and with markup and terminal codes escaped."""
    return rich.markup.escape(printable(text, _MOST_OF_A_TEXT, lines=True))


class PrintableOnly(RenderHook):
    """Hook of a console that escapes terminal codes in everything that it prints."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Wrap everything that is printed."""
        return [_Printable(one) for one in renderables]


class _Printable:
    """Wrapper of something printed, which escapes terminal codes in its texts."""

    def __init__(self, content: ConsoleRenderable) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._content, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(printable(segment.text, lines=True), segment.style)

"""Key below a chart of candles, which explains its marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openbell.model.json_object import JsonObject

__all__ = ["chart_key"]

_EXPLAINED = (
    ("buy", "▲", "bought"),
    ("sell", "▼", "sold"),
    ("signal", "●", "signal"),
    ("won", "", "trade that won"),
    ("lost", "", "trade that lost"),
    ("stop", "", "stop"),
    ("limit", "", "limit or target"),
    ("synthetic", "▮", "synthetic bar"),
    ("session", "", "begin of a session"),
)
"""Everything that may be drawn, as its CSS class, its mark (empty for a line), and its meaning."""


def chart_key(windows: Sequence[JsonObject]) -> list[tuple[str, str, str]]:
    """Return the lines of the key for some charts, each as CSS class, mark and meaning."""
    drawn = {mark["kind"] for window in windows for mark in window["marks"]}
    drawn |= {"won" if trade["won"] else "lost" for window in windows for trade in window["trades"]}
    drawn |= {level["kind"] for window in windows for level in window["levels"]}
    drawn |= {"synthetic" for window in windows if window["synthetic"]}
    drawn |= {"session" for window in windows if window["starts"]}
    return [line for line in _EXPLAINED if line[0] in drawn]

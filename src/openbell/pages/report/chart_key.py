"""The key below candles, which explains what is drawn on them."""

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
"""What may be drawn: its class in the style sheet, its mark where it is no line, and what it is."""


def chart_key(windows: Sequence[JsonObject]) -> list[tuple[str, str, str]]:
    """Return class, mark and words of each line of the key of some charts."""
    drawn = {mark["kind"] for window in windows for mark in window["marks"]}
    drawn |= {"won" if trade["won"] else "lost" for window in windows for trade in window["trades"]}
    drawn |= {level["kind"] for window in windows for level in window["levels"]}
    drawn |= {"synthetic" for window in windows if window["synthetic"]}
    drawn |= {"session" for window in windows if window["starts"]}
    return [line for line in _EXPLAINED if line[0] in drawn]

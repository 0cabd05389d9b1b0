"""Ways to stop a live run from outside, by a file in its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CLOSING", "FLATTEN", "STOP", "Stopped", "ask_to_stop", "stop_asked"]

STOP = "stop"
FLATTEN = "flatten"
CLOSING = "the run is to stop, and closes all positions"
"""Why orders are cancelled and positions closed, and no new ones opened."""


class Stopped(KeyboardInterrupt):
    """Somebody has stopped the run from outside."""


def ask_to_stop(folder: Path, *, flatten: bool) -> None:
    """Ask the run of a folder to stop, perhaps after all positions are closed."""
    (folder / STOP).write_text(FLATTEN if flatten else STOP, encoding="utf-8")


def stop_asked(file: Path | None) -> str:
    """Return what a stop file asks for (empty when there is none)."""
    if file is None or not file.exists():
        return ""
    return file.read_text(encoding="utf-8") or STOP

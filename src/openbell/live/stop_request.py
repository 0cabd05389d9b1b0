"""Ways to stop a live run from outside, by a file in its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.execution.desk import TradingDesk

__all__ = ["FLATTEN", "STOP", "WHY_FLATTENED", "Flattening", "Stopped", "ask_to_stop", "stop_asked"]

STOP = "stop"
FLATTEN = "flatten"
WHY_FLATTENED = "the run is to stop, and closes all positions"
"""Reason that is given for cancelled orders, closed positions and refused new ones."""


class Stopped(KeyboardInterrupt):
    """The run was stopped from outside."""

    def __init__(self) -> None:
        super().__init__("stopped by openbell stop")


class Flattening:
    """Closing of all positions of a session, because its run is to stop.

    Attributes:
        is_asked: Whether closing is requested and has not begun.
        refusal: Why no position is opened (empty when one may be).
    """

    def __init__(self) -> None:
        self.is_asked = False
        self.refusal = ""

    def ask(self, desk: TradingDesk | None) -> bool:
        """Request the closing of all positions, and return whether it is to begin.

        Raises:
            Stopped: Closing has begun before, and all positions are closed.
        """
        if self.refusal and desk is not None and desk.is_flat:
            raise Stopped
        self.is_asked = not self.refusal
        return self.is_asked

    def begin(self, desk: TradingDesk | None) -> None:
        """Cancel all orders and close all positions, after which none is opened."""
        self.is_asked, self.refusal = False, WHY_FLATTENED
        if desk is not None:
            desk.watch.close_all(WHY_FLATTENED)

    def over(self) -> None:
        """Allow positions to be opened again."""
        self.refusal = ""


def ask_to_stop(folder: Path, *, flatten: bool) -> None:
    """Ask the run of a folder to stop, if ``flatten`` after all positions are closed."""
    (folder / STOP).write_text(FLATTEN if flatten else STOP, encoding="utf-8")


def stop_asked(file: Path | None) -> str:
    """Return the request in a stop file, `STOP` or `FLATTEN` (empty when there is no file)."""
    if file is None or not file.exists():
        return ""
    return file.read_text(encoding="utf-8") or STOP

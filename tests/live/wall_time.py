"""The machine's time, for servers that programs of their own connect to."""

from __future__ import annotations

from threading import Timer
from typing import TYPE_CHECKING

from openbell.timing.clock import WallClock

if TYPE_CHECKING:
    from collections.abc import Callable


class WallTime:
    """What a server needs of `VirtualArrivals`, by the clock on the wall."""

    @property
    def now_ns(self) -> int:
        return WallClock().now_ns

    def at(self, time_ns: int, action: Callable[[], None]) -> None:
        Timer(max(0.0, (time_ns - self.now_ns) / 1e9), action).start()

    def settles(self, traffic: object) -> None:
        """Wait for nothing."""

"""Windows of the calendar that are checked at once, so that memory stays bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.model.interval import Interval
    from openbell.timing.grid import SessionGrid

__all__ = ["BARS_AT_ONCE", "Window", "windows_of"]

BARS_AT_ONCE = 1_000_000
"""About as many bars are expected in a window."""

_MARGIN = 2
"""Sessions on either side, by which bars between windows are judged."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Some consecutive sessions.

    Attributes:
        begin_ns: Where the rows begin that belong to it, nanoseconds since 1970 UTC; None: all before ``end_ns``.
        end_ns: Where they end, exclusive; None: all after ``begin_ns``.
        grid: Its regular sessions, with some before and after them.
        around: The same with extended hours; None where the exchange has none.
        first: The index in ``grid`` of its first session.
        after: The index of the one after its last.
        bars: How many bars are expected in it.
    """

    begin_ns: int | None
    end_ns: int | None
    grid: SessionGrid
    around: SessionGrid | None
    first: int
    after: int
    bars: int


def windows_of(grid: SessionGrid, around: SessionGrid | None, interval: Interval) -> Iterator[Window]:
    """Cut a grid into windows of about a million bars.

    Seconds by two months, minutes by ten years; daily bars are one window. A window's rows begin with the trading of
    its first session.
    """
    per_session = grid.bars_per_session(interval) if interval.is_intraday else None
    most = max(1, int(BARS_AT_ONCE / max(per_session.mean(), 1))) if per_session is not None else max(1, len(grid))
    opens = (around or grid).segment_open_ns[(around or grid).segments_of_sessions()[0]]
    for begin in range(0, len(grid), most):
        after = min(begin + most, len(grid))
        low, high = max(0, begin - _MARGIN), min(len(grid), after + _MARGIN)
        yield Window(
            int(opens[begin]) if begin else None,
            int(opens[after]) if after < len(grid) else None,
            grid.between(low, high),
            around.between(low, high) if around is not None else None,
            begin - low,
            after - low,
            int(per_session[begin:after].sum()) if per_session is not None else after - begin,
        )

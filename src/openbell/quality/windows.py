"""`Window`: the part of the calendar that is checked at once, so that memory does not grow with the years."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.model.interval import Interval
    from openbell.timing.grid import SessionGrid

__all__ = ["Window", "windows_of"]

_BARS_AT_ONCE = 1_000_000
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
    """The sessions of a grid in windows of about a million bars: seconds by two months, minutes by ten years.

    Daily bars are one window. A window's rows begin with the trading of its first session.
    """
    per_session = grid.bars_per_session(interval) if interval.is_intraday else None
    most = max(1, int(_BARS_AT_ONCE / max(per_session.mean(), 1))) if per_session is not None else max(1, len(grid))
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

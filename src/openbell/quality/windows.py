"""Windows of consecutive sessions, checked one by one so that memory stays bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.model.interval import Interval
    from openbell.timing.grid import SessionGrid

__all__ = ["BARS_AT_ONCE", "Window", "windows_of"]

BARS_AT_ONCE = 1_000_000
"""The approximate number of bars that are expected in a window."""

_MARGIN = 2
"""The number of further sessions on either side, by which bars next to a window are judged."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Some consecutive sessions.

    Attributes:
        begin_ns: The first start of a row in the window, nanoseconds since 1970 UTC; None: no bound.
        end_ns: The end of these starts, exclusive; None: no bound.
        grid: The sessions of regular hours, with some before and after the window.
        around: The same sessions with extended hours; None where the exchange has none.
        first: The index in ``grid`` of the window's first session.
        after: The index in ``grid`` of the session after the window's last.
        bars: The number of bars that are expected in the window.
    """

    begin_ns: int | None
    end_ns: int | None
    grid: SessionGrid
    around: SessionGrid | None
    first: int
    after: int
    bars: int


def windows_of(grid: SessionGrid, around: SessionGrid | None, interval: Interval) -> Iterator[Window]:
    """Yield the windows of a grid, each of about a million bars.

    A window of 1s bars has about two months, one of 1m bars ten years; daily bars have one window. A window begins at
    the start of trading of its first session, extended hours included.
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

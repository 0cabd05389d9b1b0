"""The bars that a calendar expects, computed from the opens and closes of sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ExpectedBars", "grouped_bars", "tiled_bars"]


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedBars:
    """Expected bars in ascending time, as read-only int64 columns of one length.

    Attributes:
        start_ns: Start of each bar, nanoseconds since 1970 UTC.
        end_ns: Close of each bar, when it becomes visible; nanoseconds since 1970 UTC.
        session: Index of the bar's session in the grid; for a bar of several sessions, of the first one in the grid.
        sessions: How many sessions the whole bar has by the calendar, also outside the grid; 1 for an intraday bar.
    """

    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    session: NDArray[np.int64]
    sessions: NDArray[np.int64]

    def __post_init__(self) -> None:
        for column in (self.start_ns, self.end_ns, self.session, self.sessions):
            column.setflags(write=False)

    def __len__(self) -> int:
        return len(self.start_ns)

    def part(self, start: int, stop: int) -> ExpectedBars:
        """Return the bars from row ``start`` up to but without ``stop``, as views."""
        rows = slice(start, stop)
        return ExpectedBars(self.start_ns[rows], self.end_ns[rows], self.session[rows], self.sessions[rows])


def tiled_bars(
    open_ns: NDArray[np.int64], close_ns: NDArray[np.int64], session: NDArray[np.int64], length_ns: int
) -> ExpectedBars:
    """Tile segments with intraday bars, aligned to each open and cut at each close.

    Args:
        open_ns: Open of each segment, ascending.
        close_ns: Its close.
        session: The index of its session.
        length_ns: Length of a whole bar.
    """
    bars = -(-(close_ns - open_ns) // length_ns)
    before = np.cumsum(bars) - bars
    number = np.arange(bars.sum(), dtype=np.int64)
    start = np.repeat(open_ns - before * length_ns, bars) + number * length_ns
    end = np.minimum(start + length_ns, np.repeat(close_ns, bars))
    return ExpectedBars(start, end, np.repeat(session, bars), np.broadcast_to(np.int64(1), len(start)))


def grouped_bars(
    open_ns: NDArray[np.int64],
    close_ns: NDArray[np.int64],
    group_of_session: NDArray[np.int64],
    window_groups: NDArray[np.int64],
) -> ExpectedBars:
    """Build daily or weekly bars from groups of sessions.

    Args:
        open_ns: Open of each session of the whole calendar.
        close_ns: Its close.
        group_of_session: The number of its group, ascending.
        window_groups: The groups of the window's sessions.
    """
    session = np.flatnonzero(np.diff(window_groups, prepend=window_groups[:1] - 1))
    groups = window_groups[session]
    first = np.searchsorted(group_of_session, groups, side="left")
    after = np.searchsorted(group_of_session, groups, side="right")
    return ExpectedBars(open_ns[first], close_ns[after - 1], session.astype(np.int64), (after - first).astype(np.int64))

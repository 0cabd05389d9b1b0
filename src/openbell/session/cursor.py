"""Cursor among the bars of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.session.memo import Memo

if TYPE_CHECKING:
    from openbell.model.bars import BarTimes
    from openbell.timing.clock import Clock

__all__ = ["Cursor"]


class Cursor:
    """Number of bars that have closed by the session clock.

    One object serves all series of a session that have the same times.

    Attributes:
        times: When the bars of the series begin and close, today's future included.
        clock: The session clock.
        at: A time of the clock, and the position that belongs to it. The engine sets it where it knows the position;
            elsewhere it follows when it is read.
    """

    __slots__ = ("_memo", "_memo_ns", "at", "clock", "times")

    def __init__(self, times: BarTimes, clock: Clock) -> None:
        self.times = times
        self.clock = clock
        # One reference for both, so that other threads see both or neither.
        self.at = (-1, 0)
        self._memo = Memo()
        self._memo_ns = -1

    @property
    def position(self) -> int:
        """Number of closed bars."""
        now = self.clock.now_ns
        seen, position = self.at
        if seen != now:
            position = int(self.times.end.searchsorted(now, side="right"))
            self.at = (now, position)
        return position

    @property
    def memo(self) -> Memo:
        """Results that follow from the times of the closed bars, at this time of the clock."""
        now = self.clock.now_ns
        if self._memo_ns != now:
            self._memo, self._memo_ns = Memo(), now
        return self._memo

"""`Timeline`: how many bars of a run have closed by the session clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from openbell.session.answers import Answers, answered

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from openbell.model.bars import BarTimes

__all__ = ["Clock", "Timeline"]

T = TypeVar("T")


class Clock(Protocol):
    """What a series needs to know of time."""

    @property
    def now_ns(self) -> int:
        """The session's time, nanoseconds since 1970 UTC."""


class Timeline:
    """The closes of a run and the cursor among them; one object for all series of a session with the same times.

    Attributes:
        times: When the bars of the run begin and close, today's future included.
        clock: The session clock.
        at: A time of the clock, and the cursor that belongs to it. One reference for both, so that other threads see
            both or neither. The replay sets it where it knows the cursor; elsewhere it follows when it is read.
    """

    __slots__ = ("_answers", "_answers_ns", "at", "clock", "times")

    def __init__(self, times: BarTimes, clock: Clock) -> None:
        self.times = times
        self.clock = clock
        self.at = (-1, 0)
        self._answers: Answers = {}
        self._answers_ns = -1

    @property
    def cursor(self) -> int:
        """How many bars have closed."""
        now = self.clock.now_ns
        seen, cursor = self.at
        if seen != now:
            cursor = int(self.times.end.searchsorted(now, side="right"))
            self.at = (now, cursor)
        return cursor

    def once(self, *question: Hashable, answer: Callable[[], T]) -> T:
        """What follows from the times of the closed bars alone, worked out once for all series that have them."""
        if self._answers_ns != self.clock.now_ns:
            self._answers, self._answers_ns = {}, self.clock.now_ns
        return answered(self._answers, question, answer)

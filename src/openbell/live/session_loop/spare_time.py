"""Spare time of a live session, in which additions are settled so that no bar waits for them."""

from __future__ import annotations

from collections import deque

__all__ = ["SpareTime"]

_AT_FIRST_NS = 50_000_000
"""So long does a step of an addition take as long as none was measured."""
_REMEMBERED = 8


class SpareTime:
    """Time until the next bars are due, held against what the last steps of additions took.

    All times are outside of the session clock, where that of a bar's close is one, too.
    """

    def __init__(self) -> None:
        self._took_ns = deque([_AT_FIRST_NS], maxlen=_REMEMBERED)
        self._begun_ns: int | None = None
        self._awaited_ns: int | None = None

    def suffices(self, now_ns: int, due_ns: int) -> bool:
        """Return whether a step may be taken before the next time is played.

        That is so if it is over before that time; and if another time was played for which it has waited already, so
        that it is taken in a session without any spare time, too.

        Args:
            now_ns: The time now.
            due_ns: When the next bars are due.
        """
        if now_ns + max(self._took_ns) <= due_ns:
            return True
        if self._awaited_ns is None:
            self._awaited_ns = due_ns
        return due_ns > self._awaited_ns

    def begins(self, now_ns: int) -> None:
        """Note that a step is taken."""
        self._begun_ns, self._awaited_ns = now_ns, None

    def over(self, now_ns: int) -> None:
        """Note that the session goes on, after a step or without."""
        if self._begun_ns is not None:
            self._took_ns.append(now_ns - self._begun_ns)
            self._begun_ns = None

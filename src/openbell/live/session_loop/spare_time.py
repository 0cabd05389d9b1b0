"""Spare time of a live session, in which additions are settled so that no bar waits for them."""

from __future__ import annotations

from collections import deque

__all__ = ["SpareTime"]

_AT_FIRST_NS = 50_000_000
"""Assumed duration of a step of an addition before one was measured."""
_REMEMBERED = 8


class SpareTime:
    """Compares the time until the next bars with the duration of the last steps of additions.

    All times are outside of the session clock, and in nanoseconds since 1970 UTC.
    """

    def __init__(self) -> None:
        self._took_ns = deque([_AT_FIRST_NS], maxlen=_REMEMBERED)
        self._begun_ns: int | None = None
        self._awaited_ns: int | None = None

    def suffices(self, now_ns: int, due_ns: int) -> bool:
        """Return whether a step may be taken before the next time is played.

        It may if it is likely to end before that time, or if it has already waited for another time to be played. So a
        session without any spare time takes steps, too.

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
        """Note that a step begins."""
        self._begun_ns, self._awaited_ns = now_ns, None

    def over(self, now_ns: int) -> None:
        """Note the end of a step, if one has begun."""
        if self._begun_ns is not None:
            self._took_ns.append(now_ns - self._begun_ns)
            self._begun_ns = None

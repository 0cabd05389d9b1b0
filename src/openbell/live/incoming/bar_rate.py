"""Rate at which bars arrive."""

from __future__ import annotations

from collections import deque

__all__ = ["BarRate"]

_SECOND_NS = 1_000_000_000
_SPAN_S = 60


class BarRate:
    """Count of the bars that arrived within the last minute."""

    def __init__(self) -> None:
        self._counts: deque[list[int]] = deque()
        self._total = 0

    def heard(self, time_ns: int) -> None:
        """Count a bar that arrived at a time."""
        second = time_ns // _SECOND_NS
        if self._counts and self._counts[-1][0] >= second:
            self._counts[-1][1] += 1
        else:
            self._forget(second)
            self._counts.append([second, 1])
        self._total += 1

    def at(self, time_ns: int) -> int:
        """Return how many bars arrived within the minute before a time."""
        self._forget(time_ns // _SECOND_NS)
        return self._total

    def _forget(self, second: int) -> None:
        while self._counts and self._counts[0][0] <= second - _SPAN_S:
            self._total -= self._counts.popleft()[1]

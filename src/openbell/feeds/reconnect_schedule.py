"""Times at which a lost connection is tried again."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass

__all__ = ["ReconnectSchedule", "RetryWaits"]

_SECOND_NS = 1_000_000_000
_MINUTE_NS = 60 * _SECOND_NS


@dataclass(frozen=True)
class RetryWaits:
    """Bounds of the waits between attempts.

    Attributes:
        first_ns: The longest wait after the first loss. Each further one may be twice as long.
        longest_ns: The longest wait of all.
        stable_ns: A connection that still brings bars after that long was good, and the waits begin anew.
        most_in_a_minute: The most attempts in any minute.
    """

    first_ns: int = _SECOND_NS
    longest_ns: int = 3 * _MINUTE_NS
    stable_ns: int = _MINUTE_NS
    most_in_a_minute: int = 10


class ReconnectSchedule:
    """Says when to connect next, by what is reported to it.

    Waits grow with each attempt, and are drawn between half and all of their longest, so that many clients of a server
    that was down do not come back at one moment.

    Args:
        seed: Of the draws.
        waits: The bounds.

    Attributes:
        next_ns: When to try next, nanoseconds since 1970 UTC; None while that is not due.
    """

    def __init__(self, seed: int = 0, waits: RetryWaits | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- spread, not secrets
        self._bounds = waits or RetryWaits()
        self._waits = 0
        self._attempts: deque[int] = deque(maxlen=self._bounds.most_in_a_minute)
        self._connected_ns: int | None = None
        self.next_ns: int | None = None

    def attempted(self, now_ns: int) -> None:
        """Note that a connection is tried now."""
        self._attempts.append(now_ns)
        self.next_ns = None

    def connected(self, now_ns: int) -> None:
        """Note that there is a connection."""
        self._connected_ns = now_ns
        self.next_ns = None

    def heard(self, now_ns: int) -> None:
        """Note that a bar has come."""
        if self._connected_ns is not None and now_ns - self._connected_ns >= self._bounds.stable_ns:
            self._waits = 0

    def lost(self, now_ns: int, at_least_ns: int = 0) -> int:
        """Note that the connection is lost, is given up or could not be made, and return when to try next.

        Args:
            now_ns: The time.
            at_least_ns: The shortest wait, where the server asks for one.
        """
        self._connected_ns = None
        # The exponent has a bound of its own, since nobody counts the attempts of a long night.
        longest_ns = min(self._bounds.first_ns << min(self._waits, 40), self._bounds.longest_ns)
        self._waits += 1
        self.next_ns = now_ns + max(self._random.randint(longest_ns // 2, longest_ns), at_least_ns)
        if len(self._attempts) == self._attempts.maxlen:
            self.next_ns = max(self.next_ns, self._attempts[0] + _MINUTE_NS)
        return self.next_ns

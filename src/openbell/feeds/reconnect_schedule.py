"""Times of the attempts to reconnect."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass

__all__ = ["ReconnectSchedule", "RetryWaits"]

_SECOND_NS = 1_000_000_000
_MINUTE_NS = 60 * _SECOND_NS


@dataclass(frozen=True)
class RetryWaits:
    """Bounds of the waits between attempts, in nanoseconds.

    Attributes:
        first_ns: The longest wait after the first loss. The bound doubles with each further loss.
        longest_ns: The longest wait of all.
        stable_ns: The age at which a connection that still sends bars counts as stable, so that waits start over.
        most_in_a_minute: The most attempts in any minute.
    """

    first_ns: int = _SECOND_NS
    longest_ns: int = 3 * _MINUTE_NS
    stable_ns: int = _MINUTE_NS
    most_in_a_minute: int = 10


class ReconnectSchedule:
    """Schedule of attempts to connect, with waits that grow.

    Waits grow with each loss, and are drawn between half and all of their bound, so that the many clients of a server
    that was down do not reconnect at the same time.

    Args:
        seed: The seed of the draws.
        waits: The bounds.

    Attributes:
        next_ns: The time of the next attempt, nanoseconds since 1970 UTC; None while none is scheduled.
    """

    def __init__(self, seed: int = 0, waits: RetryWaits | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- spread, not secrets
        self._bounds = waits or RetryWaits()
        self._waits = 0
        self._attempts: deque[int] = deque(maxlen=self._bounds.most_in_a_minute)
        self._connected_ns: int | None = None
        self.next_ns: int | None = None

    def attempted(self, now_ns: int) -> None:
        """Record that an attempt to connect begins now."""
        self._attempts.append(now_ns)
        self.next_ns = None

    def connected(self, now_ns: int) -> None:
        """Record that there is a connection."""
        self._connected_ns = now_ns
        self.next_ns = None

    def heard(self, now_ns: int) -> None:
        """Record that a bar has arrived."""
        if self._connected_ns is not None and now_ns - self._connected_ns >= self._bounds.stable_ns:
            self._waits = 0

    def lost(self, now_ns: int, at_least_ns: int = 0) -> int:
        """Record a lost connection, and return the time of the next attempt.

        A connection that was given up or could not be made counts, too.

        Args:
            now_ns: The time, nanoseconds since 1970 UTC.
            at_least_ns: The shortest wait, where the server demands one.
        """
        self._connected_ns = None
        # The exponent is bounded, because the number of losses is not.
        longest_ns = min(self._bounds.first_ns << min(self._waits, 40), self._bounds.longest_ns)
        self._waits += 1
        self.next_ns = now_ns + max(self._random.randint(longest_ns // 2, longest_ns), at_least_ns)
        if len(self._attempts) == self._attempts.maxlen:
            self.next_ns = max(self.next_ns, self._attempts[0] + _MINUTE_NS)
        return self.next_ns

"""A rate limit that several threads share, with pauses for all of them and an end."""

from __future__ import annotations

import threading

from openbell.timing import stopwatch

__all__ = ["FetchStoppedError", "RateLimit"]


class FetchStoppedError(Exception):
    """The fetch was given up while a thread waited."""


class RateLimit:
    """Spaces the requests of all threads evenly; may be used from any thread.

    Args:
        per_minute: The most requests in a minute.
    """

    def __init__(self, per_minute: float) -> None:
        self._gap_s = 60 / per_minute
        self._watch = stopwatch()
        self._next_s = 0.0
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def wait(self) -> None:
        """Return when this thread may send a request.

        Raises:
            FetchStoppedError: `stop` was called.
        """
        with self._lock:
            now = self._watch.seconds
            due = max(now, self._next_s)
            self._next_s = due + self._gap_s
        self.sleep(due - now)

    def pause(self, seconds: float) -> None:
        """Let no thread send a request for that long."""
        with self._lock:
            self._next_s = max(self._next_s, self._watch.seconds + seconds)

    def sleep(self, seconds: float) -> None:
        """Wait in this thread only.

        Raises:
            FetchStoppedError: As for `wait`.
        """
        if self._stopped.wait(max(seconds, 0)):
            raise FetchStoppedError

    def stop(self) -> None:
        """Wake every thread that waits, and let no more requests out."""
        self._stopped.set()

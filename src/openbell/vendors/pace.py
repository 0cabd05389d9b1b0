"""`Pace`: keeps the requests of several threads within a rate, lets all of them pause, and stops them."""

from __future__ import annotations

import threading

from openbell.timing import stopwatch

__all__ = ["FetchStoppedError", "Pace"]


class FetchStoppedError(Exception):
    """The fetch was given up while a thread waited for its turn."""


class Pace:
    """Turns to send a request, evenly spaced; may be used from any thread.

    Args:
        per_minute: How many turns there are in a minute.
    """

    def __init__(self, per_minute: float) -> None:
        self._gap_s = 60 / per_minute
        self._watch = stopwatch()
        self._next_s = 0.0
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def wait_for_turn(self) -> None:
        """Return when it is this thread's turn.

        Raises:
            FetchStoppedError: `stop` was called.
        """
        with self._lock:
            now = self._watch.seconds
            turn = max(now, self._next_s)
            self._next_s = turn + self._gap_s
        self.sleep(turn - now)

    def pause(self, seconds: float) -> None:
        """No turns for that long, for nobody."""
        with self._lock:
            self._next_s = max(self._next_s, self._watch.seconds + seconds)

    def sleep(self, seconds: float) -> None:
        """Wait in this thread only.

        Raises:
            FetchStoppedError: As for `wait_for_turn`.
        """
        if self._stopped.wait(max(seconds, 0)):
            raise FetchStoppedError

    def stop(self) -> None:
        """Wake every thread that waits; there are no more turns."""
        self._stopped.set()

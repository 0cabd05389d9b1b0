"""A rate limit that several threads share, and that can pause or stop all of them."""

from __future__ import annotations

import threading

from openbell.timing import stopwatch
from openbell.vendors.source import SourceRefusedError

__all__ = ["FetchStoppedError", "RateLimit"]


class FetchStoppedError(Exception):
    """The rate limit was stopped while a thread waited."""


class RateLimit:
    """Spaces the requests of all threads evenly.

    May be used from any thread.

    Args:
        per_minute: The most requests in a minute.
        patience_s: The most seconds of pauses since the last good answer.
    """

    def __init__(self, per_minute: float, *, patience_s: float) -> None:
        self._gap_s = 60 / per_minute
        self._patience_s = patience_s
        self._watch = stopwatch()
        self._next_s = 0.0
        self._paused_s = 0.0
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped.is_set()

    def wait(self) -> None:
        """Wait until this thread may send a request.

        Raises:
            FetchStoppedError: `stop` was called.
        """
        with self._lock:
            now = self._watch.seconds
            due = max(now, self._next_s)
            self._next_s = due + self._gap_s
        self.sleep(due - now)

    def pause(self, seconds: float) -> None:
        """Keep all threads from sending requests for a time.

        Raises:
            SourceRefusedError: The pauses since the last good answer would exceed ``patience_s``; then there is no
                pause.
        """
        with self._lock:
            now = self._watch.seconds
            longer_s = max(0.0, now + seconds - max(now, self._next_s))
            if self._paused_s + longer_s > self._patience_s:
                raise SourceRefusedError(
                    f"the server asks for a pause of {seconds:g} seconds, and openbell waits at most "
                    f"{self._patience_s:g} seconds in all without an answer. Run the same command again later."
                )
            self._paused_s += longer_s
            self._next_s = max(self._next_s, now + seconds)

    def proceed(self) -> None:
        """Record a good answer, so that earlier pauses no longer count."""
        with self._lock:
            self._paused_s = 0.0

    def sleep(self, seconds: float) -> None:
        """Wait in this thread only.

        Raises:
            FetchStoppedError: `stop` was called.
        """
        if self._stopped.wait(max(seconds, 0)):
            raise FetchStoppedError

    def stop(self) -> None:
        """Wake every thread that waits, and let no more requests be sent."""
        self._stopped.set()

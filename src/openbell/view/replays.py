"""Sessions that are replayed on request, one at a time."""

from __future__ import annotations

from threading import Lock, Thread
from typing import TYPE_CHECKING, NamedTuple

from openbell.errors import OpenbellError
from openbell.inspection import open_run

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from openbell.session import SessionData

__all__ = ["PlayedSessions", "Playing"]

_MOST = 3


class Playing(NamedTuple):
    """State of a session's replay.

    Attributes:
        state: "playing", "ready" or "failed"; empty if it was not requested.
        problem: Why the replay failed.
        session: The session as it ended, once it is ready.
    """

    state: str
    problem: str = ""
    session: SessionData | None = None


class PlayedSessions:
    """The last few replayed sessions.

    A replay calls the scanners and strategies of the run's config, and so happens only on request.

    Args:
        store: The store, if it is not that of the config.
    """

    def __init__(self, store: str | None) -> None:
        self._store = store
        self._known: dict[tuple[Path, date], Playing] = {}
        self._lock = Lock()
        self._replay_lock = Lock()

    def state(self, folder: Path, day: date) -> Playing:
        """Return the state of a session's replay."""
        with self._lock:
            return self._known.get((folder, day), Playing(""))

    def play(self, folder: Path, day: date) -> None:
        """Begin to replay a session in a thread, unless that is running or done."""
        with self._lock:
            if self._known.get((folder, day), Playing("")).state in ("playing", "ready"):
                return
            self._known[folder, day] = Playing("playing")
        Thread(target=self._play, args=(folder, day), name="openbell-play", daemon=True).start()

    def _play(self, folder: Path, day: date) -> None:
        with self._replay_lock:  # one after the other, because a session takes memory and a processor
            try:
                found = Playing("ready", session=open_run(folder, store=self._store).session(day))
            except OpenbellError as error:
                found = Playing("failed", str(error))
            except Exception as error:  # noqa: BLE001 -- users' code may raise anything, which the page shows
                found = Playing("failed", f"{type(error).__name__}: {error}")
        with self._lock:
            self._known[folder, day] = found
            over = [key for key, one in self._known.items() if one.state != "playing"]
            for key in over[:-_MOST]:
                del self._known[key]

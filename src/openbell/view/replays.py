"""Sessions that are played again on request, one at a time."""

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
    """State of a session that is played again.

    Attributes:
        state: "playing", "ready" or "failed"; empty of one that nobody asked for.
        problem: Why it failed.
        session: The session as it ended, once it is ready.
    """

    state: str
    problem: str = ""
    session: SessionData | None = None


class PlayedSessions:
    """The sessions that were played again last.

    Scanners and strategies of the run's config are called, so that it happens only when somebody asks for it.

    Args:
        store: The store, where it is not the config's.
    """

    def __init__(self, store: str | None) -> None:
        self._store = store
        self._known: dict[tuple[Path, date], Playing] = {}
        self._lock = Lock()
        self._one = Lock()

    def state(self, folder: Path, day: date) -> Playing:
        """Return how a session stands."""
        with self._lock:
            return self._known.get((folder, day), Playing(""))

    def play(self, folder: Path, day: date) -> None:
        """Begin to play a session, unless it is played already."""
        with self._lock:
            if self._known.get((folder, day), Playing("")).state in ("playing", "ready"):
                return
            self._known[folder, day] = Playing("playing")
        Thread(target=self._play, args=(folder, day), name="openbell-play", daemon=True).start()

    def _play(self, folder: Path, day: date) -> None:
        with self._one:  # a session takes memory and a processor: one after the other
            try:
                found = Playing("ready", session=open_run(folder, store=self._store).session(day))
            except OpenbellError as error:
                found = Playing("failed", str(error))
            except Exception as error:  # noqa: BLE001 -- code of users, whose every error is shown on the page
                found = Playing("failed", f"{type(error).__name__}: {error}")
        with self._lock:
            self._known[folder, day] = found
            over = [key for key, one in self._known.items() if one.state != "playing"]
            for key in over[:-_MOST]:
                del self._known[key]

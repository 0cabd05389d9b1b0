"""Warnings that a run meets on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.engine.never_closing import subscription_without_bars

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from openbell.engine.observer import RunReporter
    from openbell.market_data.manager import DataManager, StoreState
    from openbell.timing import TimeManager

__all__ = ["Note", "RunWarnings"]

Note = tuple[tuple[str, str] | None, str | None]
"""A text, and the strategy and interval whose first subscription it is about; no text when nothing was odd about it."""


class RunWarnings:
    """Warnings of one run, each reported as it happens.

    Args:
        reporter: Gets them.
        time_manager: The calendar.
        data_manager: Where bars come from.
        last: The last session of the run.

    Attributes:
        texts: All of them so far.
    """

    def __init__(self, reporter: RunReporter, time_manager: TimeManager, data_manager: DataManager, last: date) -> None:
        self.texts: list[str] = []
        self._notes: list[Note] = []
        self._reporter = reporter
        self._time_manager = time_manager
        self._data_manager = data_manager
        self._last = last
        self._subscribed: set[tuple[str, str]] = set()
        self._state: StoreState | None = None
        self._read: set[str] = set()

    def take_notes(self) -> list[Note]:
        """Return what was noted since the last call, for the same run in another process."""
        taken, self._notes = self._notes, []
        return taken

    def add_notes(self, notes: Iterable[Note]) -> None:
        """Warn of what another process has noted, but not again of subscriptions that are known."""
        for first, text in notes:
            if first is None or first not in self._subscribed:
                self._note(first, text)

    def warn(self, text: str) -> None:
        """Report a warning."""
        self._note(None, text)

    def _note(self, first: tuple[str, str] | None, text: str | None) -> None:
        self._notes.append((first, text))
        if first is not None:
            self._subscribed.add(first)
        if text is None:
            return
        self.texts.append(text)
        self._reporter.warned(text)

    def note_subscriptions(self, name: str, pairs: Sequence[tuple[str, str]], day: date) -> None:
        """Warn of bars that a strategy subscribes to for the first time, and of which none closes in the run."""
        for interval in dict.fromkeys(interval for _, interval in pairs):
            if (name, interval) in self._subscribed:
                continue
            late = subscription_without_bars(name, interval, pairs, self._time_manager, day, self._last)
            self._note((name, interval), late or None)

    def note_store(self) -> None:
        """Note the state of the store that the run begins with."""
        self._state = self._data_manager.state()

    def note_changes(self, day: date, symbols: Iterable[str]) -> None:
        """Warn of what was changed in the store since the last look and is of symbols that the run has had."""
        if self._state is None:
            return
        self._read.update(symbols)
        changed = self._data_manager.changes_since(self._state, day, self._read)
        self._state = self._data_manager.state()
        if changed:
            self.warn(
                f"the store was changed while {day} was run: {', '.join(changed)}. What is added later, and later "
                "sessions, are of the new state. To run on one state, run again when nothing is imported."
            )

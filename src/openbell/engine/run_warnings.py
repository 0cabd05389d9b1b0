"""Warnings that a run meets on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from openbell.engine.observer import RunReporter
    from openbell.market_data.manager import DataManager, StoreState
    from openbell.timing import TimeManager

__all__ = ["RunWarnings", "no_bar_closes"]


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
        self._reporter = reporter
        self._time_manager = time_manager
        self._data_manager = data_manager
        self._last = last
        self._subscribed: set[tuple[str, str]] = set()
        self._state: StoreState | None = None

    def warn(self, text: str) -> None:
        """Report a warning."""
        self.texts.append(text)
        self._reporter.warned(text)

    def note_subscriptions(self, name: str, pairs: Sequence[tuple[str, str]], day: date) -> None:
        """Warn of bars that a strategy subscribes to for the first time, and of which none closes in the run."""
        for interval in dict.fromkeys(interval for _, interval in pairs):
            if (name, interval) in self._subscribed:
                continue
            self._subscribed.add((name, interval))
            if late := no_bar_closes(interval, self._time_manager, day, self._last):
                symbols = " and ".join(symbol for symbol, other in pairs if other == interval)
                self.warn(f"{name} subscribes to {interval} bars of {symbols}, and {late}")

    def note_store(self) -> None:
        """Note the state of the store that the run begins with."""
        self._state = self._data_manager.state()

    def note_changes(self, day: date, symbols: Iterable[str]) -> None:
        """Warn of what was changed in the store since the last look and is of symbols that the session had."""
        if self._state is None:
            return
        changed = self._data_manager.changes_since(self._state, day, symbols)
        self._state = self._data_manager.state()
        if changed:
            self.warn(
                f"the store was changed while {day} was run: {', '.join(changed)}. What is added later, and later "
                "sessions, are of the new state. To run on one state, run again when nothing is imported."
            )


def no_bar_closes(interval: str, time_manager: TimeManager, first: date, last: date) -> str:
    """Return that no bar of an interval closes in the sessions of a run, for people (empty when one does)."""
    step = parse_interval(interval)
    if step.is_intraday:
        return ""
    end_ns = int(time_manager.grid(first, last).expected_bars(step).end_ns[0])
    if end_ns <= time_manager.session(last).last_ns:
        return ""
    return (
        f"no {interval} bar closes from {first} to {last}; the running one closes on {time_manager.day_of(end_ns)}. "
        "Set a later end_date, or take it out."
    )

"""States of strategies whose sessions are over, and what was changed in them in vain."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from openbell.components.state import StrategyState

__all__ = ["EndedStates"]


class EndedStates:
    """The states of the sessions of a run that are over, as long as somebody holds them.

    A state itself refuses a change. A list or a dictionary in it is Python's own, and cannot: whether one was changed
    is found by comparing.
    """

    def __init__(self) -> None:
        self._states: list[tuple[date, str, weakref.ref[StrategyState]]] = []

    def add(self, day: date, states: Mapping[str, StrategyState]) -> None:
        """Add the states of a session that is over, by strategy."""
        alive = [entry for entry in self._states if entry[2]() is not None]
        self._states = [*alive, *((day, name, weakref.ref(state)) for name, state in states.items())]

    def warnings(self) -> Iterator[str]:
        """Iterate over warnings about changes in vain, each state one time."""
        for entry in list(self._states):
            day, name, reference = entry
            state = reference()
            changed = [] if state is None else state.changed_after_end()
            if changed:
                self._states.remove(entry)
                keys = ", ".join(f"state[{key!r}]" for key in changed)
                yield (
                    f"{name} changed {keys} of the session of {day} when that session was over; the change is lost. "
                    "Change the state of the current session."
                )

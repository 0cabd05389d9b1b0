"""`Observers`: several observers of one run, each told of everything in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openbell.engine.observer import SessionObserver

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from openbell.provisioning import ProvisioningRecord
    from openbell.session import SessionData

__all__ = ["Observers"]


class Observers(SessionObserver):
    """Passes on what it hears.

    Args:
        observers: To whom, in this order.
    """

    def __init__(self, *observers: SessionObserver) -> None:
        self._observers = observers

    def run_started(self, days: list[date]) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.run_started(days)

    def warned(self, warning: str) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.warned(warning)

    def day_started(self, day: date) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.day_started(day)

    def provisioned(self, record: ProvisioningRecord) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.provisioned(record)

    def day_prepared(self, session_data: SessionData) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.day_prepared(session_data)

    def advanced(self, share: float) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.advanced(share)

    def day_ended(self, summary: Mapping[str, Any], session_data: SessionData) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.day_ended(summary, session_data)

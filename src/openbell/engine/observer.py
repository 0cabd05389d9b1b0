"""`SessionObserver`: how a progress bar, a log or a notebook watches a run without being woven into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from openbell.provisioning import ProvisioningRecord
    from openbell.session import SessionData

__all__ = ["SessionObserver"]


class SessionObserver:
    """Derive from it and define what you want to hear of; every method does nothing by default."""

    def run_started(self, days: list[date]) -> None:
        """The sessions that will be run."""

    def warned(self, warning: str) -> None:
        """Something is odd: before the first session, of calendar and data; after the last one, of keys nobody read."""

    def day_started(self, day: date) -> None:
        """A session is about to be prepared."""

    def provisioned(self, record: ProvisioningRecord) -> None:
        """The journal got a record."""

    def day_prepared(self, session_data: SessionData) -> None:
        """All is provisioned and set up; the session is about to be streamed."""

    def advanced(self, share: float) -> None:
        """The session clock moved on: 0 is the session's start, 1 its end."""

    def day_ended(self, summary: Mapping[str, Any], session_data: SessionData) -> None:
        """A session is over; ``summary`` is its part of the run's summary."""

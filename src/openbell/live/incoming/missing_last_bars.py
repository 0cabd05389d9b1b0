"""Last bars of a session that do not come, which no later bar can show to be missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.model.events import local_time

if TYPE_CHECKING:
    from datetime import tzinfo

    from openbell.live.resources import LiveResources
    from openbell.timing.trading_session import TradingSession

__all__ = ["MissingLastBars"]


class MissingLastBars:
    """Requests missing last bars of a session once more, and reports those that do not come.

    Args:
        session: The session's times.
        resources: Feed, bars and settings of the run.
        zone: The exchange's time zone.

    Attributes:
        came_ns: The latest close of the bars that came, nanoseconds since 1970 UTC.
    """

    def __init__(self, session: TradingSession, resources: LiveResources, zone: tzinfo) -> None:
        self._session = session
        self._resources = resources
        self._zone = zone
        self._has_asked = self._has_reported = False
        self.came_ns = resources.start_ns(session)

    def came(self, time_ns: int) -> None:
        """Note that bars have come that closed at a time."""
        self.came_ns = max(self.came_ns, time_ns)

    def are_missing(self, time_ns: int) -> bool:
        """Handle a time to be played for which no bar came.

        Returns:
            Whether bars are requested now, so that the time has to wait for the answer.
        """
        if self._resources.connection.is_down:
            self._report("the feed is still down: the session continues to its end without the bars since")
        elif time_ns == self._session.last_ns and self._has_asked:
            self._report(
                "no bar of the last minutes of the session came, and the feed has none; the last bar closed at"
            )
        elif time_ns == self._session.last_ns:
            self._has_asked = True
            self._resources.supply.fetch_since(self.came_ns)
            return True
        return False

    def _report(self, what: str) -> None:
        if not self._has_reported:
            self._has_reported = True
            self._resources.say(f"{what} {local_time(self.came_ns, self._zone):%H:%M:%S}")

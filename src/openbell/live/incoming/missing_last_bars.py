"""Last bars of a session that do not come, where no later bar shows that they are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.model.events import local_time

if TYPE_CHECKING:
    from datetime import tzinfo

    from openbell.live.resources import LiveResources
    from openbell.timing.trading_session import TradingSession

__all__ = ["MissingLastBars"]


class MissingLastBars:
    """Asks once more for bars that did not come before a session ends, and names what cannot be had.

    Args:
        session: The session's times.
        resources: Feed, bars and settings of the run.
        zone: The exchange's time zone.

    Attributes:
        came_ns: When the last bars closed of those that came, nanoseconds since 1970 UTC.
    """

    def __init__(self, session: TradingSession, resources: LiveResources, zone: tzinfo) -> None:
        self._session = session
        self._resources = resources
        self._zone = zone
        self._has_asked = self._is_named = False
        self.came_ns = resources.start_ns(session)

    def came(self, time_ns: int) -> None:
        """Note that bars have come which closed at a time."""
        self.came_ns = max(self.came_ns, time_ns)

    def are_missing(self, time_ns: int) -> bool:
        """Take up that no bar of a time came that is to be played now.

        Returns:
            Whether bars are asked for now, and the time has to wait for the answer.
        """
        if self._resources.connection.is_down:
            self._name("the feed is still down: the session goes on to its end without the bars since")
        elif time_ns == self._session.last_ns and self._has_asked:
            self._name("no bar of the last minutes of the session came, nor has the feed any: the last one closed at")
        elif time_ns == self._session.last_ns:
            self._has_asked = True
            self._resources.supply.fetch_since(self.came_ns)
            return True
        return False

    def _name(self, what: str) -> None:
        if not self._is_named:
            self._is_named = True
            self._resources.say(f"{what} {local_time(self.came_ns, self._zone):%H:%M:%S}")

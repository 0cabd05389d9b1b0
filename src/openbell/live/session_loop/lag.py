"""Lag of a live session behind its bars, and the health that is reported to its strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.live.incoming.feed_connection import FeedState

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.live.incoming.feed_connection import Connection

__all__ = ["MAX_LAG_NS", "Lag", "SessionHealth"]

MAX_LAG_NS = 30_000_000_000
"""Lag above which no position is opened, unless the config says otherwise."""


class Lag:
    """Delay of a session, which is how long ago it could have played the time that it plays now.

    It counts from when the bars of a time were due, or when the session last had nothing to play, whichever is later:
    time in which it waited for bars, or for a feed that was down, is no lag.

    Args:
        limit_ns: The largest delay with which positions may be opened, in nanoseconds.

    Attributes:
        behind_ns: The delay at the time that is played, in nanoseconds.
        waiting: How many further bar times wait.
    """

    def __init__(self, limit_ns: int) -> None:
        self.limit_ns = limit_ns
        self.behind_ns = self.waiting = 0
        self._free_ns = self._most_ns = 0

    def nothing_to_play(self, now_ns: int) -> None:
        """Note that the session has nothing to play at a time outside of its clock."""
        self._free_ns = now_ns
        self.behind_ns = self.waiting = 0

    def at(self, now_ns: int, time_ns: int) -> int:
        """Return the delay of a session time that is played, or is to be, in nanoseconds."""
        return max(0, now_ns - max(time_ns, self._free_ns))

    def measure(self, now_ns: int, time_ns: int, waiting: Callable[[], int]) -> None:
        """Measure the delay of a session time that is to be played now.

        Args:
            now_ns: The time outside of the session clock.
            time_ns: The session time.
            waiting: Counts the further bar times that wait.
        """
        self.behind_ns = self.at(now_ns, time_ns)
        self.waiting = waiting() if self.is_over else 0
        self._most_ns = max(self._most_ns, self.behind_ns)

    @property
    def is_over(self) -> bool:
        """Whether the delay is above the limit, so that no position is opened."""
        return self.behind_ns > self.limit_ns

    @property
    def reason(self) -> str:
        """Delay and waiting bar times, in words."""
        times = f"{self.waiting} bar time{'s' * (self.waiting != 1)} wait{'s' * (self.waiting == 1)}"
        return f"{_seconds(self.behind_ns)} behind its bars, {times}"

    def take_most(self) -> str:
        """Return a text on the longest delay since the last call."""
        most_ns, self._most_ns = self._most_ns, 0
        return f"it was {_seconds(most_ns)} behind its bars at the most"


class SessionHealth:
    """Health of a session as reported to strategies, of its feed and its lag together.

    Args:
        connection: The connection to the feed.
        lag: The lag.
        say: Reports a message to the user.

    Attributes:
        reported: The health that was last reported to strategies.
    """

    def __init__(self, connection: Connection, lag: Lag, say: Callable[[str], None]) -> None:
        self._connection = connection
        self._lag = lag
        self._say = say
        self.reported = FeedState("LIVE", "")

    @property
    def now(self) -> FeedState:
        """Current health, with its reason."""
        feed = self._connection.state
        return FeedState("LAGGING", self._lag.reason) if feed.health == "LIVE" and self._lag.is_over else feed

    @property
    def has_news(self) -> bool:
        """Whether the current health differs from the reported one."""
        health = self._connection.health
        return ("LAGGING" if health == "LIVE" and self._lag.is_over else health) != self.reported.health

    def report(self) -> FeedState:
        """Return the current health as the reported one, with a message when a lag begins or ends."""
        before, state = self.reported, self.now
        if state.health == "LAGGING":
            self._say(f"the session lags: {state.reason}. New positions are refused until it has caught up.")
        elif before.health == "LAGGING":
            most = self._lag.take_most()
            self._say(f"the session has caught up: {most}")
            state = FeedState("LIVE", f"the session has caught up: {most}") if state.health == "LIVE" else state
        self.reported = state
        return state

    def refusal(self, now_ns: int, played_ns: int) -> str:
        """Return why no position may be opened or grow (empty when it may).

        Args:
            now_ns: The time outside of the session clock.
            played_ns: The session time that is played.
        """
        if reason := self.reported.refusal or self._connection.clock_refusal:
            return reason
        behind_ns = self._lag.at(now_ns, played_ns)
        if behind_ns <= self._lag.limit_ns:
            return ""
        limit = _seconds(self._lag.limit_ns)
        return f"the order comes {_seconds(behind_ns)} after its bars, more than live.max_lag of {limit}"


def _seconds(time_ns: int) -> str:
    return f"{time_ns / 1e9:.1f} s" if time_ns < 100_000_000_000 else f"{time_ns / 1e9:,.0f} s"

"""Connection to a feed, whose health is judged and which is made again when it is lost."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from openbell.feeds.health import HealthJudge
from openbell.feeds.reconnect_schedule import ReconnectSchedule
from openbell.live.incoming.bar_rate import BarRate
from openbell.model.feed_events import FeedLost

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from openbell.feeds.feed import Feed
    from openbell.model.feed_events import FeedClock, FeedHealth

__all__ = ["Connection", "FeedState"]

_WRONG_NS = 1_000_000_000
_TOO_WRONG_NS = 5_000_000_000


class FeedState(NamedTuple):
    """Health of a feed, and a text with the reason."""

    health: FeedHealth
    reason: str

    @property
    def refusal(self) -> str:
        """Why no position may be opened or grow (empty when it may)."""
        if self.health == "LAGGING":
            return f"the session lags: {self.reason}"
        return "" if self.health == "LIVE" else f"the feed is {self.health}: {self.reason}"


class Connection:
    """Judges the health of the feed, and reconnects when that is due.

    Args:
        feed: The feed.
        say: Reports a message to the user.
        seed: The seed of the random waits between attempts to connect.

    Attributes:
        lost_since_ns: The time since which bars may be missing, nanoseconds since 1970 UTC.
        has_ended: Whether the feed has ended for good, so that no reconnection is tried.
        losses: How many times a connection was lost.
        rate: The rate at which bars arrive.
    """

    def __init__(self, feed: Feed, say: Callable[[str], None], seed: int = 0) -> None:
        self._feed = feed
        self._say = say
        self._judge = HealthJudge()
        self.rate = BarRate()
        self._reconnecting = ReconnectSchedule(seed)
        self._expected: set[str] = set()
        self._has_connected = False
        self.lost_since_ns = 0
        self._unfilled_ns = 0
        self._ahead_ns = 0
        self._given_up = ""  # why a silent connection was closed, until the next attempt has an outcome
        self._fetched: dict[int, set[str]] = defaultdict(set)
        self.has_ended = False
        self.losses = 0

    @property
    def is_down(self) -> bool:
        """Whether there is no connection."""
        return self._judge.state == "DOWN"

    @property
    def health(self) -> FeedHealth:
        """Current health, without its reason."""
        return "STALE" if self._given_up else self._judge.state

    @property
    def state(self) -> FeedState:
        """Current health, with its reason."""
        return FeedState(self.health, self._given_up or self._judge.reason)

    @property
    def next_ns(self) -> int | None:
        """Time of the next attempt to connect, None when none is due."""
        return self._reconnecting.next_ns

    @property
    def heard_ns(self) -> int:
        """Time at which the last bar arrived or the connection was made, nanoseconds since 1970 UTC."""
        return self._judge.heard_ns

    def lost(self, event: FeedLost, time_ns: int) -> None:
        """Handle the loss of the connection, and schedule the next attempt unless it is final."""
        if not self.is_down:
            self.losses += 1
            # Bars that an earlier loss has cost, and that were not fetched, are still missing.
            self.lost_since_ns = min(time_ns, self.heard_ns or time_ns, self._unfilled_ns or time_ns)
        self._judge.lost()
        self._given_up = ""
        self.has_ended = event.is_final
        if event.is_final:
            self._say(f"the feed {self._feed.name} has ended: {event.reason}")
            return
        next_ns = self._reconnecting.lost(time_ns, round(event.after_s * 1e9))
        self._say(f"the feed {self._feed.name} is down: {event.reason}. Next try in {(next_ns - time_ns) / 1e9:.1f} s.")

    def came_back(self, time_ns: int) -> bool:
        """Handle a connection that was made.

        Returns:
            Whether bars may have been missed meanwhile, so that a backfill is needed.
        """
        was_lost = self._has_connected and self.is_down
        self._has_connected = True
        self._given_up = ""
        self._fetched.clear()
        self._judge.connected(time_ns)
        self._reconnecting.connected(time_ns)
        if was_lost:
            self._unfilled_ns = self.lost_since_ns
            self._say(f"the feed {self._feed.name} is back")
        else:
            self._judge.filled(time_ns)
        return was_lost

    def filled(self, time_ns: int, *, is_whole: bool = True) -> None:
        """Handle the end of a backfill.

        Args:
            time_ns: The time, nanoseconds since 1970 UTC.
            is_whole: Whether all missed bars were fetched.
        """
        if self._judge.state == "BACKFILLING":
            self._judge.filled(time_ns, self._fetched)
            self._fetched.clear()
            if is_whole:
                self._unfilled_ns = 0

    def fetched(self, symbol: str, end_ns: int) -> None:
        """Note a bar of the backfill, by which a silent round is judged afterwards."""
        if self._judge.state == "BACKFILLING":
            self._fetched[end_ns].add(symbol)

    def told_time(self, event: FeedClock) -> None:
        """Compare the server's clock with the machine's, and report when the machine's becomes wrong or right."""
        before, self._ahead_ns = self._ahead_ns, event.ahead_ns
        if abs(self._ahead_ns) > _WRONG_NS >= abs(before):
            more = " New positions are refused until it is right." if abs(self._ahead_ns) > _TOO_WRONG_NS else ""
            self._say(f"{self._clock_words}. Let the system set it by the network (NTP).{more}")
        elif abs(before) > _WRONG_NS >= abs(self._ahead_ns):
            self._say("the machine's clock is right again")

    @property
    def clock_refusal(self) -> str:
        """Why no position may be opened on account of the machine's clock (empty when one may)."""
        return self._clock_words if abs(self._ahead_ns) > _TOO_WRONG_NS else ""

    @property
    def _clock_words(self) -> str:
        side = "ahead of" if self._ahead_ns > 0 else "behind"
        return f"the machine's clock is {abs(self._ahead_ns) / 1e9:,.1f} s {side} that of the feed {self._feed.name}"

    def heard(self, time_ns: int) -> None:
        """Note that a bar has arrived."""
        self._judge.heard(time_ns)
        self.rate.heard(time_ns)
        self._reconnecting.heard(time_ns)

    def halted(self, symbol: str, *, is_halted: bool) -> None:
        """Note that trading in a symbol is halted or resumed."""
        if symbol in self._expected:
            self._judge.halted(symbol, is_halted=is_halted)

    def expect(self, symbols: Iterable[str]) -> None:
        """Expect bars of these symbols and of no others."""
        now = set(symbols)
        for symbol in sorted(now - self._expected):
            self._judge.add(symbol)
        for symbol in sorted(self._expected - now):
            self._judge.remove(symbol)
        self._expected = now

    def round_ended(self, end_ns: int, came: Collection[str], now_ns: int, phase: str = "") -> None:
        """Judge the feed by the bars of a round, and close the connection if it is stale.

        Args:
            end_ns: The time at which the round's bars close, nanoseconds since 1970 UTC.
            came: The symbols that had a bar.
            now_ns: The time outside of the session clock.
            phase: "before" or "after" regular hours, empty within them.
        """
        self._judge.round_ended(end_ns, came, now_ns, phase)
        if self._judge.state == "STALE":
            reason = self._judge.reason
            self._feed.disconnect()
            self.lost(FeedLost(reason), now_ns)
            self._given_up = reason

    def act(self, now_ns: int) -> None:
        """Reconnect if that is due."""
        due_ns = self._reconnecting.next_ns
        if due_ns is not None and now_ns >= due_ns:
            self._reconnecting.attempted(now_ns)
            self._feed.connect()

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
    from openbell.model.feed_events import FeedBar, FeedClock, FeedHealth

__all__ = ["Connection", "FeedState"]

_WRONG_NS = 1_000_000_000
_TOO_WRONG_NS = 5_000_000_000
_MINUTE_NS = 60_000_000_000
_MOST_TOO_EARLY = 2
"""So many bars in a row may come long before their end before the feed is not LIVE."""


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
        self._early_ns = 0  # when bars told last that the machine's clock is behind
        self._too_early: dict[str, set[int]] = {}
        self._why_useless = ""
        self._has_told_of_bars = False
        self._given_up = ""  # why, until the next attempt has an outcome
        self._fetched: dict[int, set[str]] = defaultdict(set)
        self.has_ended = False
        self.losses = 0

    @property
    def is_down(self) -> bool:
        """Whether there is no connection."""
        return self._judge.state == "DOWN"

    @property
    def health(self) -> FeedHealth:
        """Health by now, without its reason."""
        state = self._judge.state
        return "STALE" if self._given_up or (self._why_useless and state == "LIVE") else state

    @property
    def state(self) -> FeedState:
        """Health by now."""
        useless = self._why_useless if self._judge.state == "LIVE" else ""
        return FeedState(self.health, self._given_up or useless or self._judge.reason)

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
        """Take up the time at the server, and tell people when the machine's clock is wrong."""
        # Whole seconds say less than bars that come before they end.
        self._clock_is(min(event.ahead_ns, self._ahead_ns) if self._early_ns else event.ahead_ns)

    def _clock_is(self, ahead_ns: int) -> None:
        before, self._ahead_ns = _how_wrong(self._ahead_ns), ahead_ns
        now = _how_wrong(ahead_ns)
        if now > before:
            more = " New positions are refused until it is right." if abs(ahead_ns) > _TOO_WRONG_NS else ""
            self._say(f"{self._clock_words}. Let the system set it by the network (NTP).{more}")
        elif before > now == 0:
            self._say("the machine's clock is right again")

    @property
    def behind_ns(self) -> int:
        """Nanoseconds by which the machine's clock is behind that of the feed, as far as that is known."""
        return max(0, -self._ahead_ns)

    @property
    def clock_refusal(self) -> str:
        """Why no position may be opened on account of the machine's clock (empty when one may)."""
        return self._clock_words if abs(self._ahead_ns) > _TOO_WRONG_NS else ""

    @property
    def _clock_words(self) -> str:
        side = "ahead of" if self._ahead_ns > 0 else "behind"
        by = ", by the ends of its bars" if self._early_ns else ""
        seconds = f"{abs(self._ahead_ns) / 1e9:,.1f} s"
        return f"the machine's clock is {seconds} {side} that of the feed {self._feed.name}{by}"

    def heard(self, interval: str, time_ns: int) -> None:
        """Take up that a bar of an interval has come that has a place in the session, or that nobody asked for ("")."""
        self._judge.heard(time_ns)
        self.rate.heard(time_ns)
        self._reconnecting.heard(time_ns)
        if interval in self._too_early:
            del self._too_early[interval]
            if not any(map(_is_many, self._too_early.values())):
                self._why_useless = ""
        if self._early_ns and time_ns - self._early_ns > _MINUTE_NS:
            self._early_ns = 0
            self._clock_is(0)

    def heard_early(self, early_ns: int, time_ns: int) -> bool:
        """Take up that bars come so long before they end, which is how far the machine's clock is behind.

        Returns:
            Whether that is news, and history that was asked for until now has ended too early.
        """
        is_news = early_ns - self.behind_ns > _WRONG_NS
        self._early_ns = time_ns
        self._clock_is(-early_ns)
        return is_news

    def heard_too_early(self, bar: FeedBar, end_ns: int, time_ns: int) -> None:
        """Take up that a bar has come too long before its end to be one that has closed."""
        self.rate.heard(time_ns)
        text = (
            f"{bar.interval} bars of the feed {self._feed.name} come before they end, by the machine's clock: one of "
            f"{bar.symbol} {(end_ns - time_ns) / 1e9:,.1f} s before"
        )
        if not self._has_told_of_bars:
            self._has_told_of_bars = True
            self._say(
                f"{text}. Is the clock behind, or does the feed label bars by their end, or send them before they have "
                "closed? Such bars are asked for again when their time comes."
            )
        starts = self._too_early.setdefault(bar.interval, set())
        if not _is_many(starts):
            starts.add(bar.start_ns)
            self._why_useless = text if _is_many(starts) else self._why_useless

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


def _how_wrong(ahead_ns: int) -> int:
    """Return 1 for a clock that people should know to be wrong, 2 for one that lets no position be opened, else 0."""
    return (abs(ahead_ns) > _WRONG_NS) + (abs(ahead_ns) > _TOO_WRONG_NS)


def _is_many(starts: set[int]) -> bool:
    return len(starts) > _MOST_TOO_EARLY

"""Handling of the events that arrive for a live session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.logs import get_logger
from openbell.model.feed_events import (
    FeedAnswer,
    FeedBar,
    FeedClock,
    FeedConnected,
    FeedHistory,
    FeedLost,
    FeedMessage,
    TradingStatus,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Protocol

    from openbell.feeds.arrivals import Arrival
    from openbell.live.incoming.waiting_bars import WaitingBars
    from openbell.live.resources import LiveResources
    from openbell.live.session_loop.rounds import Rounds
    from openbell.provisioning import ProvisioningContext

    class Day(Protocol):
        """Part of a `LiveDay` that the intake needs."""

        waiting_bars: WaitingBars
        played_ns: int


__all__ = ["Intake"]

_HOUR_NS = 3_600_000_000_000


class Intake:
    """Passes each event that arrives to the part of the run that handles it.

    Args:
        day: The session, with its waiting bars and the time up to which it is played.
        resources: Feed, bars and settings of the run.
        context: The session.
        rounds: Judges the feed by the bars of each time.

    Attributes:
        halted: The symbols in which trading is halted.
    """

    def __init__(self, day: Day, resources: LiveResources, context: ProvisioningContext, rounds: Rounds) -> None:
        self._day = day
        self._resources = resources
        self._context = context
        self._rounds = rounds
        self.halted: set[str] = set()

    def handle(self, arrival: Arrival) -> None:
        """Handle an event of the feed or the broker."""
        event, supply = arrival.event, self._resources.supply
        match event:
            case FeedBar():
                self._bar_came(event, arrival.time_ns)
            case FeedAnswer():
                if missing := supply.answered(event):
                    get_logger().warning(
                        "the feed does not send", symbols=" ".join(missing), feed=self._resources.feed.name
                    )
            case FeedHistory():
                self._received(event, arrival.time_ns)
            case TradingStatus():
                (self.halted.add if event.is_halted else self.halted.discard)(event.symbol)
                self._resources.connection.halted(event.symbol, is_halted=event.is_halted)
                self._resources.say(
                    f"{event.symbol} is {'halted' if event.is_halted else 'trading again'} {event.reason}".strip()
                )
            case FeedMessage():
                self._resources.say(f"{self._resources.feed.name}: {event.text}")
            case FeedLost() | FeedConnected() | FeedClock():
                self._handle_connection(event, arrival.time_ns)
            case _ if self._resources.broker_traffic is not None:
                self._resources.broker_traffic.came(event, arrival.time_ns)

    def _bar_came(self, bar: FeedBar, time_ns: int) -> None:
        """Handle a bar of the stream, by whose place in the session the connection is judged."""
        connection, supply, waiting_bars = self._resources.connection, self._resources.supply, self._day.waiting_bars
        if bar.symbol not in supply:
            waiting_bars.counts["unasked"] += 1
            connection.heard("", time_ns)
            return
        place = waiting_bars.put(bar, time_ns, self._day.played_ns)
        if place == "future":
            connection.heard_too_early(bar, waiting_bars.end_of(bar), time_ns)
        elif place == "outside" or (place == "other_day" and waiting_bars.is_on(time_ns)):
            connection.rate.heard(time_ns)  # a feed of which no bar has a place in the session is not live
        else:
            if place == "early" and waiting_bars.behind_ns:
                is_news = connection.heard_early(waiting_bars.behind_ns, time_ns)
                supply.behind_ns = connection.behind_ns
                if is_news:  # the history that was asked for ends where our clock was, and the stream began later
                    supply.fetch_since(max(supply.asked_ns, time_ns - _HOUR_NS))
            # After that, because bars that come in time for a while show that the clock is right again.
            connection.heard(bar.interval, time_ns)

    def _handle_connection(self, event: FeedLost | FeedConnected | FeedClock, time_ns: int) -> None:
        """Handle a lost or new connection, or the time of the server."""
        connection = self._resources.connection
        match event:
            case FeedLost():
                connection.lost(event, time_ns)
            case FeedConnected():
                if connection.came_back(time_ns):
                    self._resources.supply.catch_up(connection.lost_since_ns)
            case FeedClock():
                connection.told_time(event)
                self._resources.supply.behind_ns = connection.behind_ns

    def _received(self, history: FeedHistory, time_ns: int) -> None:
        """Handle an answer to a request of history, and end the backfill with its last one."""
        supply = self._resources.supply
        supply.received(history)
        self.take_morning()
        if not supply.is_catching_up and not self._resources.connection.is_down:
            self._caught_up(time_ns)

    def _caught_up(self, time_ns: int) -> None:
        """End the backfill, and report the bars that could not be fetched."""
        failed = self._resources.supply.not_fetched
        self._resources.connection.filled(time_ns, is_whole=not failed)
        if failed:
            named = ", ".join(failed[:10])
            self._resources.say(f"bars that were missed are unavailable: {named}{_others(failed[10:])}")
            failed.clear()

    def take_morning(self) -> None:
        """Put the bars of the session's day that came as history among those of the stream."""
        now_ns, current = self._resources.feed.arrivals.now_ns, self._context.session_data.current
        early = [
            bar
            for bar in self._resources.supply.take_morning()
            if self._day.waiting_bars.put(bar, now_ns, self._day.played_ns, is_history=True) in ("waits", "late")
        ]
        self._rounds.fetched(early)
        if any(bar.symbol not in current for bar in early):
            # These symbols are not in the session yet: none of their bars is late.
            self.put_in_place(self._day.waiting_bars.take_late(except_of=current))

    def put_in_place(self, bars: Iterable[FeedBar]) -> None:
        """Put bars of symbols that the session has not shown yet in their places, in any order."""
        self._resources.record.bars(
            self._day.played_ns, self._day.waiting_bars.added_to(self._resources.today, bars, "same")
        )


def _others(rest: Sequence[str]) -> str:
    return f" and {len(rest)} more" if rest else ""

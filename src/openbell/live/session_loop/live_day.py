"""Day of a live run, which turns arriving events into session times that can be played."""

from __future__ import annotations

from collections import defaultdict
from threading import get_ident
from typing import TYPE_CHECKING

from openbell.live.broker.broker_day import BrokerDay
from openbell.live.incoming.intake import Intake
from openbell.live.incoming.revisions import BarsBefore
from openbell.live.incoming.waiting_bars import WaitingBars
from openbell.live.session_loop.rounds import Rounds
from openbell.live.session_loop.spare_time import SpareTime
from openbell.live.stop_request import Flattening

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from openbell.execution.desk import TradingDesk
    from openbell.live.incoming.revisions import Revision
    from openbell.live.record.recorded_past import PastDay, Played
    from openbell.live.record.resumed_session import ResumedProvisioner
    from openbell.live.resources import LiveResources
    from openbell.live.session_loop.session_growth import SessionGrowth
    from openbell.model.broker_events import BrokerEvent
    from openbell.model.feed_events import FeedBar
    from openbell.provisioning import ProvisioningContext
    from openbell.session import BarIntervalData
    from openbell.timing.trading_session import TradingSession

__all__ = ["LiveDay"]

_SECOND_NS = 1_000_000_000


class LiveDay:
    """One session of a live run.

    Args:
        session: The session's times.
        resources: Feed, bars and settings of the run.
        context: The session and where its data comes from.
        growth: Extends the session's series and indicators.

    Attributes:
        played_ns: The time up to which the session's series have grown, nanoseconds since 1970 UTC.
        waiting_bars: The bars that have come and wait for their time.
        provisioner: Carries out the session's additions; set when the session has one.
        desk: The desk of its strategies, None in a session that does not trade.
        at_broker: The exchange with a broker over the network.
        flattening: The closing of all positions before the run stops.
        intake: Handles arriving events.
        spare: Judges whether there is time for a step of an addition before the next bars.
        may_settle: Whether additions whose bars have come may be settled now, because no bar has to wait for that.
        past: The recorded part of a resumed session that is still to be played; None when all of it has been.
    """

    def __init__(
        self, session: TradingSession, resources: LiveResources, context: ProvisioningContext, growth: SessionGrowth
    ) -> None:
        self._session = session
        self._resources = resources
        self._context = context
        self._growth = growth
        self.waiting_bars = WaitingBars(session, context.time_manager)
        self.played_ns = context.time_manager.now_ns
        self.provisioner: ResumedProvisioner
        self.past: PastDay | None = None
        self.desk: TradingDesk | None = None
        self.at_broker = BrokerDay(resources)
        self.flattening = Flattening()
        self._rounds = Rounds(session, resources, self.waiting_bars, context.time_manager.timezone)
        self.intake = Intake(self, resources, context, self._rounds)
        self.spare = SpareTime()
        self.may_settle = False
        self._thread = get_ident()

    # The past of a resumed run

    def begin_again(self, past: PastDay) -> None:
        """Begin a resumed session, with the bars that had come before it began the first time."""
        self.past = self.provisioner.past = past
        self.waiting_bars.added_to(self._resources.today, past.before)

    def play_again(self, step: Played) -> None:
        """Let the session grow to a time that was played before."""
        if step.bars:
            self._rounds.came(step.time_ns)
        self._grow_to(step.time_ns, self.waiting_bars.added_to(self._resources.today, step.bars))
        self.waiting_bars.added_to(self._resources.today, step.placed)

    def go_live(self) -> None:
        """Go on after the past, with what was missed meanwhile and with new arrivals."""
        self.past = None
        self._resources.record.is_paused = False
        if self.flattening.refusal:
            self.flattening.over()
            self._resources.record.trades_again(self.played_ns)
        self._resources.supply.go_on(self.played_ns)
        self.provisioner.go_live()
        self.at_broker.go_on()

    # Arrivals

    def wait_for(self, symbols: Sequence[str]) -> None:
        """Wait, before the session begins, until all requests of symbols are answered or have failed."""
        supply, arrivals = self._resources.supply, self._resources.feed.arrivals
        deadline_ns = arrivals.now_ns + self._resources.wait_ns
        while any(not supply.is_complete(symbol) and not supply.error(symbol) for symbol in symbols):
            self._resources.take_turn()
            arrival = arrivals.next(deadline_ns)
            if arrival is not None:
                self.intake.handle(arrival)
            elif arrivals.now_ns >= deadline_ns:
                break
        self.intake.take_morning()
        # Bars that closed before the session clock are history of today, not late.
        self.intake.put_in_place([*self.waiting_bars.take_until(self.played_ns), *self.waiting_bars.take_late()])

    def wait_for_feed(self) -> None:
        """Wait, before a session, for the connection and its backfill, which the session's history needs."""
        arrivals, connection, supply = self._resources.feed.arrivals, self._resources.connection, self._resources.supply
        while connection.is_down or supply.is_catching_up:
            self._resources.take_turn()
            now_ns = arrivals.now_ns
            if now_ns >= self._session.last_ns or connection.has_ended:
                break
            connection.act(now_ns)
            arrival = arrivals.next(
                max(now_ns + 1, min(self._session.last_ns, connection.next_ns or now_ns + _SECOND_NS))
            )
            if arrival is not None:
                self.intake.handle(arrival)
        supply.store_history()

    def open_account(self, desk: TradingDesk) -> list[BrokerEvent]:
        """Wait, before a session, for the books of its broker, and return the events that it has reported."""
        return self.at_broker.open(desk, self.take_next)

    def take_next(self) -> None:
        """Handle the next arrival, if one comes within a second."""
        self._resources.take_turn()
        arrivals = self._resources.feed.arrivals
        arrival = arrivals.next(arrivals.now_ns + _SECOND_NS)
        if arrival is not None:
            self.intake.handle(arrival)

    def look(self) -> None:
        """Handle all events that have arrived, without waiting, if this is the session's own thread."""
        if get_ident() != self._thread:
            return
        arrivals = self._resources.feed.arrivals
        while (arrival := arrivals.next(arrivals.now_ns)) is not None:
            self.intake.handle(arrival)

    # Time

    def advance(self, after_ns: int, next_scan_ns: int | None) -> int | None:
        """Wait for the next time, and extend the session to it.

        Args:
            after_ns: The session clock.
            next_scan_ns: When a scanner is due next, None when none is.

        Returns:
            The time; None when something else is to be handled first, such as late bars or additions.
        """
        arrivals, connection, lag = self._resources.feed.arrivals, self._resources.connection, self._resources.lag
        self.may_settle = False
        self.spare.over(arrivals.now_ns)
        intervals = self._expected()
        closes = [self.waiting_bars.next_close(intervals, after_ns), next_scan_ns, self._session.last_ns]
        time_ns = min(close for close in closes if close is not None)
        due = self.waiting_bars.due(intervals, time_ns)
        patience_ns = time_ns + self._resources.grace_ns
        self.look()  # bars that came while strategies worked are neither late nor missing
        while True:
            if self._resources.take_turn(may_flatten=self.desk is not None) and self.flattening.ask(self.desk):
                return None
            now_ns = arrivals.now_ns
            self.may_settle = self.provisioner.has_complete and self._has_spare_time(now_ns, time_ns)
            if self.may_settle or self._has_to_look(now_ns):
                return None
            connection.act(now_ns)
            self.at_broker.act(now_ns)
            is_due = now_ns >= time_ns and not self._is_held(now_ns)
            if is_due and self._rounds.is_ripe(due, time_ns, is_late=now_ns >= patience_ns):
                if self._lag_is_news(now_ns, time_ns, intervals):
                    return None
                break
            lag.nothing_to_play(now_ns)
            waits = [time_ns if now_ns < time_ns else max(patience_ns, now_ns + 1)]
            others = connection.next_ns, self.provisioner.next_deadline_ns, self.at_broker.next_ns(now_ns)
            waits += [due for due in others if due is not None]
            if self._is_held(now_ns):
                waits = waits[1:] or [now_ns + _SECOND_NS]
            arrival = arrivals.next(max(min(waits), now_ns + 1))
            if arrival is not None:
                self.intake.handle(arrival)
        self._play(self.waiting_bars.take_until(time_ns), time_ns, intervals)
        return time_ns

    def _has_spare_time(self, now_ns: int, time_ns: int) -> bool:
        """Return whether an addition can be settled without a bar having to wait."""
        is_free = time_ns >= self._session.last_ns or self._is_held(now_ns)
        return is_free or self.spare.suffices(now_ns, time_ns)

    def _has_to_look(self, now_ns: int) -> bool:
        """Return whether something is to be handled before the next time is played."""
        is_news = bool(self.waiting_bars.too_late) or self._resources.health.has_news or self.at_broker.has_news
        return is_news or self.provisioner.has_failed(now_ns)

    def _lag_is_news(self, now_ns: int, time_ns: int, intervals: Iterable[str]) -> bool:
        """Measure the lag of a time to be played, and return whether it changes the health to report."""
        resources, waiting_bars = self._resources, self.waiting_bars
        resources.lag.measure(now_ns, time_ns, lambda: waiting_bars.closes_between(intervals, time_ns, now_ns))
        return resources.health.has_news

    def _is_held(self, now_ns: int) -> bool:
        """Return whether no time is played, because bars or the broker's books are still to come.

        That ends some minutes after the end of the session at the latest.
        """
        down = (
            self._resources.connection.is_down or self._resources.supply.is_catching_up or self.at_broker.holds(now_ns)
        )
        return down and now_ns < self._session.last_ns + self._resources.longest_wait_ns

    def _expected(self) -> dict[str, list[str]]:
        """Return the symbols whose bars are expected, by interval."""
        expected: dict[str, list[str]] = defaultdict(list)
        for symbol, data in self._context.session_data.current.items():
            if symbol not in self.intake.halted:
                for base in {series.base or name for name, series in data.bars.items()}:
                    expected[base].append(symbol)
        return expected

    def _play(self, bars: Sequence[FeedBar], time_ns: int, expected: Mapping[str, Sequence[str]]) -> None:
        kept = self.waiting_bars.added_to(self._resources.today, bars, "same", "revised", "late")
        self._rounds.judge(bars, time_ns, expected)
        self._resources.record.played(time_ns, kept)
        self._grow_to(time_ns, kept)

    def _grow_to(self, time_ns: int, kept: Iterable[tuple[FeedBar, str]]) -> None:
        grown = self._growth.grow(_symbols_of(kept), time_ns)
        self.played_ns = time_ns
        if self.desk is not None:
            self.desk.markets_grew(grown)

    # Late bars

    def take_up_late(self, wanted: Iterable[BarIntervalData], late: Sequence[FeedBar] | None = None) -> list[Revision]:
        """Add bars that came late, or again with other values, to the session.

        Args:
            wanted: The series that strategies subscribe to.
            late: The bars; those that have arrived unless given.

        Returns:
            The closed bars of these series that have changed.
        """
        late = self.waiting_bars.take_late() if late is None else late
        before = BarsBefore(late, wanted, self.waiting_bars.end_of)
        kept = self.waiting_bars.added_to(self._resources.today, late, "same", "revised", "late", new="late")
        self._resources.record.bars(self.played_ns, kept, late=True)
        if not kept:
            return []
        first_late: dict[str, int] = {}
        for bar, kind in kept:
            self._rounds.came_late(bar)
            if kind != "revised":
                first_late[bar.symbol] = min(bar.start_ns, first_late.get(bar.symbol, bar.start_ns))
        grown = self._growth.grow(_symbols_of(kept), self.played_ns, late=True)
        if self.desk is not None:
            self.desk.markets_grew(grown, first_late)
        return list(before.revisions(self._context.session_data, self._context.time_manager.now_ns))


def _symbols_of(kept: Iterable[tuple[FeedBar, str]]) -> dict[str, list[str]]:
    """Return the symbols of bars by interval."""
    symbols: dict[str, list[str]] = defaultdict(list)
    for bar, _ in kept:
        symbols[bar.interval].append(bar.symbol)
    return symbols

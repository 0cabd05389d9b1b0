"""Source of a live session's batches, made of the bars that have arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.components.configured import overrides
from openbell.engine.event_batch import EventBatch
from openbell.live.session_loop.piecewise_source import PiecewiseSource
from openbell.live.stop_request import WHY_FLATTENED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openbell.engine.component_runner import ComponentRunner
    from openbell.engine.event_batch import Batches
    from openbell.engine.subscriptions import Subscriptions
    from openbell.execution.desk import TradingDesk
    from openbell.live.incoming.feed_connection import FeedState
    from openbell.live.incoming.revisions import Revision
    from openbell.live.resources import LiveResources
    from openbell.live.session_loop.live_day import LiveDay
    from openbell.live.session_loop.live_provisioner import Waiting
    from openbell.session import BarIntervalData
    from openbell.timing.trading_session import TradingSession

__all__ = ["LiveSource", "tell_of_feed"]


def tell_of_feed(runner: ComponentRunner, state: FeedState, desk: TradingDesk | None) -> None:
    """Release held-back orders if the feed is LIVE, and call ``on_feed`` of all strategies."""
    if desk is not None and not state.refusal:
        desk.held_back.go_on()
    for name, strategy in runner.strategies.items():
        if overrides(type(strategy), "on_feed"):
            runner.call(name, "on_feed", strategy.on_feed, *state)


class LiveSource(PiecewiseSource):
    """Source of the batches of one live session, each when its time has come.

    Args:
        session: The session's times.
        day: Turns arriving events into times that can be played.
        resources: Feed, bars and settings of the run.
        subscriptions: The subscriptions of the strategies.
        runner: The scanners and strategies.
    """

    def __init__(
        self,
        session: TradingSession,
        day: LiveDay,
        resources: LiveResources,
        subscriptions: Subscriptions,
        runner: ComponentRunner,
    ) -> None:
        super().__init__(session, subscriptions, runner)
        self._day = day
        self._resources = resources

    def _running(self) -> None:
        self._day.provisioner.is_running = True
        self._resources.monitor.enter("running")

    def _batches(self, after_ns: int) -> Batches:
        day, last_ns = self._day, self._session.last_ns
        while after_ns < last_ns:
            if day.played_ns <= after_ns:
                self._drop_unused_symbols()
                day.at_broker.send()
                if day.advance(after_ns, self._next_scan(after_ns)) is None:
                    self._handle_between(after_ns)
                    yield EventBatch(after_ns)
                    continue
            until_ns = day.played_ns
            yield from self._part(after_ns, until_ns)
            self._resources.monitor.turn()
            after_ns = until_ns
        yield from self._final_broker_events(after_ns)
        self._resources.supply.keep_bars()  # before the end is recorded, else a killed run would never keep them
        self._resources.record.ended(self._session.day)
        self._resources.monitor.over()

    def _final_broker_events(self, time_ns: int) -> Batches:
        """Make batches of the broker's last reports, while orders that end with the session are open."""
        arrivals, at_broker = self._resources.feed.arrivals, self._day.at_broker
        since_ns = arrivals.now_ns
        at_broker.send()
        while at_broker.has_news or at_broker.waits_for_end(since_ns):
            if at_broker.has_news:
                self._handle_between(time_ns)
                yield EventBatch(time_ns)
                at_broker.send()
                continue
            at_broker.act(arrivals.now_ns)
            self._day.take_next()

    def _next_scan(self, after_ns: int) -> int | None:
        return next((time_ns for time_ns, _ in self.scans if time_ns > after_ns), None)

    def _handle_between(self, time_ns: int) -> None:
        """Handle everything that happens between two times, and record it in this order."""
        if self._day.flattening.is_asked:
            self._resources.record.closing(time_ns)
            self._resources.closes()
            self._resources.say(WHY_FLATTENED)
            self._day.flattening.begin(self._day.desk)
        self._report_health(time_ns)
        revisions = self._day.take_up_late(self._followed())
        self._call_on_revision(revisions)
        self._resources.record.settled(time_ns, self._settled())
        self._day.at_broker.take(time_ns)
        self._resources.record.looked(time_ns)

    def _settled(self) -> list[tuple[Waiting, str]]:
        """Take a step with the pending additions, and return those that are settled."""
        day, now_ns = self._day, self._resources.feed.arrivals.now_ns
        if day.may_settle:
            day.spare.begins(now_ns)
        return day.provisioner.settle(now_ns, has_time=day.may_settle)

    def _report_health(self, time_ns: int) -> None:
        """Record the health and call ``on_feed`` of the strategies, if the health has changed."""
        health = self._resources.health
        if health.has_news:
            state = health.report()
            self._resources.record.health(time_ns, *state)
            tell_of_feed(self._runner, state, self._day.desk)

    def _followed(self) -> list[BarIntervalData]:
        """Return the series that strategies subscribe to, without duplicates."""
        return list({id(series): series for _, series in self._subscriptions.followed()}.values())

    def _call_on_revision(self, revisions: Iterable[Revision]) -> None:
        """Call ``on_revision`` of the strategies that subscribe to the revised series."""
        names = {id(strategy): name for name, strategy in self._runner.strategies.items()}
        for symbol, interval, old, new in revisions:
            for strategy, series in self._subscriptions.followed():
                if (series.symbol, series.interval) == (symbol, interval) and overrides(type(strategy), "on_revision"):
                    self._runner.call(names[id(strategy)], "on_revision", strategy.on_revision, old, new)

    def _drop_unused_symbols(self) -> None:
        """Unsubscribe from symbols that have left the session, unless a pending addition needs them."""
        supply, current = self._resources.supply, self._day.provisioner.context.session_data.current
        awaited = {one.addition.symbol for one in self._day.provisioner.waiting}
        gone = [symbol for symbol in supply.symbols if symbol not in current and symbol not in awaited]
        if gone:
            supply.drop(gone)
            self._day.provisioner.context.data_manager.forget(gone)

"""RunMode of a live run, by the wall clock and the bars that arrive."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from openbell.live.broker.broker_day import broker_of, hand_over
from openbell.live.incoming.feed_connection import FeedState
from openbell.live.incoming.offered_intervals import OfferedIntervals
from openbell.live.record.resumed_session import ResumedProvisioner, ResumedSource
from openbell.live.session_loop.live_day import LiveDay
from openbell.live.session_loop.session_growth import SessionGrowth
from openbell.live.status.snapshot import SessionSnapshot

if TYPE_CHECKING:
    from datetime import date

    from openbell.config import SessionConfig
    from openbell.engine.component_runner import ComponentRunner
    from openbell.engine.dispatcher import BatchSource
    from openbell.engine.subscriptions import Subscriptions
    from openbell.execution.desk import TradingDesk
    from openbell.live.resources import LiveResources
    from openbell.provisioning import Journal, Provisioner, ProvisioningContext
    from openbell.timing import TimeManager
    from openbell.timing.trading_session import TradingSession

__all__ = ["LiveMode", "orders_wait"]


def orders_wait(config: SessionConfig) -> bool:
    """Return whether new orders wait, and are not rejected, while the feed is not LIVE."""
    return config.live is not None and config.live.orders_while_not_live == "wait"


class LiveMode:
    """Plays sessions as they happen.

    Args:
        resources: Feed, bars and settings of the run.
        sessions: The sessions to play.

    Attributes:
        reads_ahead: False, because the store has only the bars that have come.
        has_broker: Whether orders go to a broker over the network.
    """

    def __init__(self, resources: LiveResources, sessions: list[date]) -> None:
        self.reads_ahead = False
        self.has_broker = resources.broker_traffic is not None
        self._resources = resources
        self._sessions = sessions
        self._day: LiveDay
        self._snapshot: SessionSnapshot
        self._orders = 0
        self._orders_wait = False

    def days(self, config: SessionConfig, time_manager: TimeManager) -> list[date]:  # noqa: ARG002 -- known
        """Return the sessions to play."""
        self._orders_wait = orders_wait(config)
        return self._sessions

    def start_ns(self, session: TradingSession) -> int:
        """Return the open of a session, or the time at which it is joined late."""
        return self._resources.start_ns(session)

    def provisioner(self, context: ProvisioningContext, journal: Journal) -> Provisioner:
        """Return a provisioner that requests bars from the feed."""
        resources = self._resources
        is_later = context.day != resources.today.day
        if is_later:
            resources.supply.keep_today()
            resources.today.begin(context.day)
            resources.feed.begin(context.day)
        offer = OfferedIntervals(resources.feed, resources.record, context.day.isoformat())
        context = replace(context, offered=offer)
        session = context.time_manager.session(context.day)
        growth = SessionGrowth(context)
        self._day = day = LiveDay(session, resources, context, growth)
        day.provisioner = ResumedProvisioner(
            context,
            journal,
            resources.supply,
            growth,
            day.wait_for,
            day.look,
            resources.record,
            wait_ns=resources.wait_ns,
            now_ns=lambda: resources.feed.arrivals.now_ns,
        )
        self._snapshot = SessionSnapshot(resources, day, context)
        resources.monitor.begin(self._snapshot)
        past = resources.past.days.get(context.day)
        if past is not None:
            day.begin_again(past)
            return day.provisioner
        if resources.record.is_paused:
            resources.record.is_paused = False
            resources.supply.begin_anew()
        if is_later:
            day.wait_for_feed()
        return day.provisioner

    def before_trading(self, desk: TradingDesk, session: TradingSession) -> None:
        """Set the account by the broker's books before the session."""
        if broker_of(desk) is not None:
            past = self._resources.past.days.get(session.day)
            hand_over(desk, self._day.open_account(desk) if past is None else past.opening)

    def _gate(self) -> str:
        """Return why no positions may be opened now (empty when they may).

        A reason that depends on the time outside of the session clock is recorded, so that a replay repeats it.
        """
        resources = self._resources
        self._orders += 1
        if reason := self._day.flattening.refusal:
            return reason
        if (past := self._day.past) is not None:
            return resources.health.reported.refusal or past.refused.get(self._orders, "")
        reason = resources.health.refusal(resources.feed.arrivals.now_ns, self._day.played_ns)
        if reason and not resources.health.reported.refusal:
            resources.record.refused(self._orders, reason)
        return reason

    def _holds_back(self) -> bool:
        """Return whether new orders wait for the feed."""
        return not self._day.flattening.refusal and bool(self._resources.health.reported.refusal)

    def source(
        self,
        session: TradingSession,
        subscriptions: Subscriptions,
        runner: ComponentRunner,
        desk: TradingDesk | None,
    ) -> BatchSource:
        """Return the source that makes batches of the bars that arrive."""
        self._day.desk = desk
        self._day.at_broker.begin(desk)
        self._orders = 0
        self._resources.health.reported = FeedState("LIVE", "")  # nothing has been reported to the session's strategies
        if desk is not None:
            desk.gate = self._gate
            desk.held_back.is_on = self._holds_back if self._orders_wait else bool
        self._resources.record.session(session.day, self._day.played_ns)
        source = ResumedSource(session, self._day, self._resources, subscriptions, runner)
        self._snapshot.desk, self._snapshot.scans = desk, source.scans
        return source

    def ended(self) -> None:
        """Report that the run has ended, before it writes its results."""
        self._resources.ended()

"""Backtest of a recorded live run, with additions at the times at which their bars had come."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from openbell.engine.event_batch import EventBatch
from openbell.live.broker.broker_day import broker_of, hand_over
from openbell.live.incoming.feed_connection import FeedState
from openbell.live.live_mode import orders_wait
from openbell.live.record.recorded_past import BetweenTimes, Past
from openbell.live.session_loop.live_provisioner import failed_plan, failure_of, pending_record
from openbell.live.session_loop.live_source import tell_of_feed
from openbell.live.session_loop.one_thread_provisioner import OneThreadProvisioner
from openbell.live.session_loop.piecewise_source import PiecewiseSource
from openbell.live.stop_request import Flattening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from openbell.config import SessionConfig
    from openbell.engine.component_runner import ComponentRunner
    from openbell.engine.dispatcher import BatchSource
    from openbell.engine.event_batch import Batches
    from openbell.engine.subscriptions import Subscriptions
    from openbell.execution.desk import TradingDesk
    from openbell.feeds.feed import SymbolIntervals
    from openbell.live.record.recorded_past import Key, PastDay
    from openbell.model.events import ProvisioningRecord
    from openbell.model.feed_events import FeedBar
    from openbell.model.json_object import JsonObject
    from openbell.provisioning import Addition, Journal, Plan, Provisioner, ProvisioningContext
    from openbell.timing import TimeManager
    from openbell.timing.trading_session import TradingSession

__all__ = ["RecordedDay", "RecordedMode", "RecordedRun"]


class BetweenTimesAt(NamedTuple):
    """All that happened at once between two times, with the session clock at that moment."""

    time_ns: int
    look: BetweenTimes


@dataclass(slots=True)
class RecordedDay:
    """One session of a live run.

    Attributes:
        past: The record of the session.
        played_ns: The last time that was played; the backtest of a session that was cut short ends there.
        happened: What happened between its times, with the session clock of that moment.
        revisions: The bars that came late or again with other values, with the session clock of that moment.
    """

    past: PastDay
    played_ns: int
    happened: list[BetweenTimesAt] = field(default_factory=list)
    revisions: list[tuple[int, FeedBar]] = field(default_factory=list)

    @property
    def has_ended(self) -> bool:
        """Whether the session came to its end."""
        return self.past.has_ended


@dataclass(slots=True)
class RecordedRun:
    """All that a live run has recorded.

    Attributes:
        intervals_of: Returns the intervals that its feed had of a symbol on a day.
        days: Its sessions.
        bars: The last version of every bar, by symbol, interval and start time.
        failed: Why symbols failed at once, by session time and symbol.
        has_broker: Whether its orders went to a broker over the network.
    """

    intervals_of: Callable[[str, date], SymbolIntervals]
    days: dict[date, RecordedDay] = field(default_factory=dict)
    bars: dict[tuple[str, str, int], FeedBar] = field(default_factory=dict)
    failed: dict[tuple[int, str], str] = field(default_factory=dict)
    has_broker: bool = False

    @staticmethod
    def of(lines: Iterable[JsonObject]) -> RecordedRun:
        """Read the lines of a record."""
        past = Past.of(lines)
        run = RecordedRun(past.intervals_of, has_broker=bool(past.account))
        for day, one in past.days.items():
            recorded = run.days[day] = RecordedDay(one, one.start_ns)
            run.add(one.before)
            for step in one.steps:
                if isinstance(step, BetweenTimes):
                    recorded.happened.append(BetweenTimesAt(recorded.played_ns, step))
                    recorded.revisions += [(recorded.played_ns, bar) for bar in step.late]
                    run.add(step.late)
                else:
                    recorded.played_ns = step.time_ns
                    run.add([*step.bars, *step.placed])
        return run

    def add(self, bars: Iterable[FeedBar]) -> None:
        """Add bars, in place of earlier versions of them."""
        self.bars.update(((bar.symbol, bar.interval, bar.start_ns), bar) for bar in bars)


class RecordedMode:
    """Plays the sessions of a live run over a store of the bars that came.

    Args:
        run: The record of the run.
    """

    reads_ahead = True

    def __init__(self, run: RecordedRun) -> None:
        self._run = run
        self.has_broker = run.has_broker
        self._orders_wait = False
        self._provisioner: _RecordedProvisioner

    def days(self, config: SessionConfig, time_manager: TimeManager) -> list[date]:  # noqa: ARG002 -- recorded
        """Return the sessions that were played."""
        self._orders_wait = orders_wait(config)
        return list(self._run.days)

    def start_ns(self, session: TradingSession) -> int:
        """Return the session clock at the beginning of a session."""
        return self._run.days[session.day].past.start_ns

    def provisioner(self, context: ProvisioningContext, journal: Journal) -> Provisioner:
        """Return a provisioner that delays additions as in the live run."""
        context = replace(context, offered=lambda symbol: self._run.intervals_of(symbol, context.day))
        self._provisioner = _RecordedProvisioner(context, journal, self._run)
        return self._provisioner

    def before_trading(self, desk: TradingDesk, session: TradingSession) -> None:
        """Pass on what the broker reported before the session."""
        hand_over(desk, self._run.days[session.day].past.opening)

    def source(
        self,
        session: TradingSession,
        subscriptions: Subscriptions,
        runner: ComponentRunner,
        desk: TradingDesk | None,
    ) -> BatchSource:
        """Return the timetable of the bars that came, interrupted where something happened between two times."""
        if desk is not None:
            desk.gate = self._provisioner.gate
            desk.held_back.is_on = self._provisioner.holds_back if self._orders_wait else bool
            self._provisioner.desk = desk
        day = self._run.days[session.day]
        last_ns = session.last_ns if day.has_ended else day.played_ns
        return _RecordedSource(session, subscriptions, runner, self._provisioner, last_ns)

    def ended(self) -> None:
        """Do nothing."""


class _RecordedProvisioner(OneThreadProvisioner):
    """Delays and fails additions as in the live run."""

    def __init__(self, context: ProvisioningContext, journal: Journal, run: RecordedRun) -> None:
        super().__init__(context, journal)
        day = run.days[context.day]
        self._failed = day.past.errors
        self._waits = deque(day.past.waits)
        self.happened = deque(day.happened)
        self._reported = FeedState("LIVE", "")
        self._refused = day.past.refused
        self._orders = 0
        self._waiting: dict[Key, deque[Addition]] = {}
        self.is_running = False
        self.desk: TradingDesk | None = None
        self._flattening = Flattening()

    def add(self, additions: Iterable[Addition]) -> list[ProvisioningRecord]:
        """Analyse, validate and provision additions, or note them as pending."""
        asked = list(additions)
        if (refused := self.refused(asked)) is not None:
            return refused
        if not any(self._had_to_wait(addition) for addition in asked):
            return super().add(asked)
        records = []
        for addition in asked:
            records += [self._wait(addition)] if self._had_to_wait(addition) else super().add([addition])
        return records

    def _planned(self, additions: Sequence[Addition]) -> list[Plan]:
        now_ns = self.context.time_manager.now_ns
        plans = super()._planned(additions)
        return [
            failed_plan(p, self._failed[now_ns, p.symbol]) if (now_ns, p.symbol) in self._failed else p for p in plans
        ]

    def gate(self) -> str:
        """Return why no positions were opened at this time (empty when they were)."""
        self._orders += 1
        return self._flattening.refusal or self._reported.refusal or self._refused.get(self._orders, "")

    def holds_back(self) -> bool:
        """Return whether new orders waited for the feed."""
        return not self._flattening.refusal and bool(self._reported.refusal)

    def go_on(self, runner: ComponentRunner) -> None:
        """Repeat what happened at once between two batches."""
        look = self.happened.popleft().look
        if look.closes:
            self._flattening.begin(self.desk)
        if look.trades_again:
            self._flattening.over()
        if look.health is not None:
            self._reported = look.health
            tell_of_feed(runner, look.health, self.desk)
        for key, error in look.settled:
            self._settle(key, error)
        if (broker := broker_of(self.desk)) is not None:
            broker.take_outgoing()
        hand_over(self.desk, look.broker)

    def _settle(self, key: Key, error: str) -> None:
        """Carry out an addition that waited, or let it fail."""
        waiting = self._waiting.get(key)
        if not waiting:
            return  # the strategy has not asked for it this time, which the comparison shows
        addition = waiting.popleft()
        if error:
            self._record(failure_of(addition, self._needs_of(addition), error))
        else:
            super().add([addition])

    def _key(self, addition: Addition) -> Key:
        now_ns = self.context.time_manager.now_ns
        return now_ns, addition.operation_type, addition.symbol, addition.owner or addition.source

    def _had_to_wait(self, addition: Addition) -> bool:
        return self.is_running and self._key(addition) in self._waits

    def _wait(self, addition: Addition) -> ProvisioningRecord:
        key = self._key(addition)
        self._waits.remove(key)
        self._waiting.setdefault(key, deque()).append(addition)
        record = pending_record(addition, self._needs_of(addition), self.context)
        self.journal.append(record)
        return record


class _RecordedSource(PiecewiseSource):
    """The batches of a recorded session."""

    def __init__(
        self,
        session: TradingSession,
        subscriptions: Subscriptions,
        runner: ComponentRunner,
        provisioner: _RecordedProvisioner,
        last_ns: int,
    ) -> None:
        super().__init__(session, subscriptions, runner)
        self._last_ns = last_ns
        self._provisioner = provisioner

    def _running(self) -> None:
        self._provisioner.is_running = True

    def _batches(self, after_ns: int) -> Batches:
        last_ns, happened = self._last_ns, self._provisioner.happened
        while after_ns < last_ns or (happened and happened[0].time_ns <= after_ns):
            if happened and happened[0].time_ns <= after_ns:
                self._provisioner.go_on(self._runner)
                yield EventBatch(after_ns)
                continue
            until_ns = min(happened[0].time_ns, last_ns) if happened else last_ns
            yield from self._part(after_ns, until_ns)
            after_ns = until_ns

"""Backtest of what a live run has recorded, with its additions at the times at which their bars had come."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from openbell.engine.event_batch import EventBatch
from openbell.live.connection import FeedState
from openbell.live.part_source import PartSource
from openbell.live.provisioner import failed_plan, failure_of, pending_record
from openbell.live.record import bar_of
from openbell.live.source import tell_of_feed
from openbell.provisioning import Provisioner

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openbell.config import SessionConfig
    from openbell.engine.component_runner import ComponentRunner
    from openbell.engine.dispatcher import BatchSource
    from openbell.engine.event_batch import Batches
    from openbell.engine.subscriptions import Subscriptions
    from openbell.execution.desk import TradingDesk
    from openbell.model.events import ProvisioningRecord
    from openbell.model.feed_events import FeedBar
    from openbell.model.json_object import JsonObject
    from openbell.provisioning import Addition, Journal, Plan, ProvisioningContext
    from openbell.timing import TimeManager
    from openbell.timing.grid import TradingSession

__all__ = ["RecordedDay", "RecordedDrive", "RecordedRun"]

_Key = tuple[int, str, str, str]


class _Settled(NamedTuple):
    """An addition that waited, carried out or failed."""

    time_ns: int
    key: _Key
    error: str


class _Health(NamedTuple):
    """Health of the feed that strategies heard of."""

    time_ns: int
    state: FeedState


@dataclass(slots=True)
class RecordedDay:
    """One session of a live run.

    Attributes:
        start_ns: Where its clock stood when it began.
        waits: The additions that had to wait, in the order in which they came.
        played_ns: The last time that was played; of a session that was cut short, what came later is nobody's.
        has_ended: Whether it came to its end.
        happened: Between which batches they were carried out or failed, and strategies heard of the feed.
        refused: The orders that came too late, by their number in the session, with the reasons.
        revisions: The bars that came late or again with other values, with the session clock of that moment.
    """

    start_ns: int
    played_ns: int = 0
    has_ended: bool = False
    waits: list[_Key] = field(default_factory=list)
    happened: list[_Settled | _Health] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    revisions: list[tuple[int, FeedBar]] = field(default_factory=list)


@dataclass(slots=True)
class RecordedRun:
    """All that a live run has recorded.

    Attributes:
        intervals: The intervals of its feed.
        days: Its sessions.
        bars: The last content of every bar, by symbol, interval and begin.
        failed: Why symbols could not be had at once, by session time and symbol.
    """

    intervals: tuple[str, ...] = ()
    days: dict[date, RecordedDay] = field(default_factory=dict)
    bars: dict[tuple[str, str, int], FeedBar] = field(default_factory=dict)
    failed: dict[tuple[int, str], str] = field(default_factory=dict)

    @staticmethod
    def of(lines: Iterable[JsonObject]) -> RecordedRun:
        """Read the lines of a record."""
        run, day = RecordedRun(), RecordedDay(0)
        for line in lines:
            if "intervals" in line:
                run.intervals = tuple(line["intervals"])
            elif "session" in line:
                day = run.days[date.fromisoformat(line["session"])] = RecordedDay(line["start_ns"])
            elif "ended" in line:
                day.has_ended = True
            elif "bars" in line:
                run._take_bars(line, day)
            elif "refused" in line:
                day.refused[line["refused"]] = line["reason"]
            elif "health" in line:
                day.happened.append(_Health(line["at_ns"], FeedState(line["health"], line["reason"])))
            elif "failed_ns" in line:
                run.failed[line["failed_ns"], line["symbol"]] = line["error"]
            elif "waits_ns" in line:
                key = line["waits_ns"], line["operation"], line["symbol"], line["owner"]
                if "settled_ns" in line:
                    day.happened.append(_Settled(line["settled_ns"], key, line["error"]))
                else:
                    day.waits.append(key)
        return run

    def _take_bars(self, line: JsonObject, day: RecordedDay) -> None:
        day.played_ns = max(day.played_ns, line["played_ns"])
        for fields in line["bars"]:
            bar = bar_of(fields)
            self.bars[bar.symbol, bar.interval, bar.start_ns] = bar
            if line.get("late"):
                day.revisions.append((line["played_ns"], bar))


class RecordedDrive:
    """Plays the sessions of a live run over a store of what came.

    Args:
        run: What was recorded.
    """

    reads_ahead = True

    def __init__(self, run: RecordedRun) -> None:
        self._run = run
        self._provisioner: _RecordedProvisioner

    def days(self, config: SessionConfig, time_manager: TimeManager) -> list[date]:  # noqa: ARG002 -- recorded
        """Return the sessions that were played."""
        return list(self._run.days)

    def start_ns(self, session: TradingSession) -> int:
        """Return where the clock of a session stood."""
        return self._run.days[session.day].start_ns

    def provisioner(self, context: ProvisioningContext, journal: Journal) -> Provisioner:
        """Return a provisioner that lets additions wait as they did."""
        context = replace(context, offered=self._run.intervals)
        self._provisioner = _RecordedProvisioner(context, journal, self._run)
        return self._provisioner

    def source(
        self,
        session: TradingSession,
        subscriptions: Subscriptions,
        runner: ComponentRunner,
        desk: TradingDesk | None,
    ) -> BatchSource:
        """Return the timetable of what came, interrupted where additions were carried out."""
        if desk is not None:
            desk.gate = self._provisioner.gate
        day = self._run.days[session.day]
        last_ns = session.last_ns if day.has_ended else max(day.played_ns, day.start_ns)
        return _RecordedSource(session, subscriptions, runner, self._provisioner, last_ns)

    def ended(self) -> None:
        """Need nothing."""


class _RecordedProvisioner(Provisioner):
    """Lets additions wait as they did when they were live."""

    def __init__(self, context: ProvisioningContext, journal: Journal, run: RecordedRun) -> None:
        super().__init__(context, journal)
        day = run.days[context.day]
        self._failed = run.failed
        self._waits = deque(day.waits)
        self.happened = deque(day.happened)
        self._told = FeedState("LIVE", "")
        self._refused = day.refused
        self._orders = 0
        self._waiting: dict[_Key, deque[Addition]] = {}
        self.is_running = False

    def add(self, additions: Iterable[Addition]) -> list[ProvisioningRecord]:
        """Analyse, validate and provision additions, or note them as pending."""
        asked = list(additions)
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
        return self._told.refusal or self._refused.get(self._orders, "")

    def go_on(self, runner: ComponentRunner) -> None:
        """Do what happened next between two batches."""
        one = self.happened.popleft()
        if isinstance(one, _Health):
            self._told = one.state
            tell_of_feed(runner, one.state)
            return
        waiting = self._waiting.get(one.key)
        if not waiting:
            return  # the strategy has not asked for it this time: the comparison says so
        addition = waiting.popleft()
        if one.error:
            self._record(failure_of(addition, self._needs_of(addition), one.error))
        else:
            super().add([addition])

    def _key(self, addition: Addition) -> _Key:
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


class _RecordedSource(PartSource):
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
        while after_ns < last_ns:
            if happened and happened[0].time_ns <= after_ns:
                while happened and happened[0].time_ns <= after_ns:
                    self._provisioner.go_on(self._runner)
                yield EventBatch(after_ns)
                continue
            until_ns = min(happened[0].time_ns, last_ns) if happened else last_ns
            yield from self._part(after_ns, until_ns)
            after_ns = until_ns

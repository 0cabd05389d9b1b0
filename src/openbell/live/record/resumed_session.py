"""Sessions of a resumed run, which play their recorded past again before they go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.engine.event_batch import EventBatch
from openbell.live.broker.broker_day import broker_of, hand_over
from openbell.live.record.recorded_past import BetweenTimes
from openbell.live.session_loop.live_provisioner import LiveProvisioner, Waiting, failure_of
from openbell.live.session_loop.live_source import LiveSource, tell_of_feed
from openbell.provisioning import Provisioner

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openbell.engine.event_batch import Batches
    from openbell.live.record.recorded_past import Key, PastDay, Settled
    from openbell.model.events import ProvisioningRecord
    from openbell.provisioning import Addition, Plan

__all__ = ["ResumedProvisioner", "ResumedSource"]


class ResumedProvisioner(LiveProvisioner):
    """Lets additions wait and fail as recorded while the past is played, without requests to the feed.

    Attributes:
        past: The recorded part of the session; None when it has been played.
    """

    past: PastDay | None = None

    def add(self, additions: Iterable[Addition]) -> list[ProvisioningRecord]:
        """Analyse, validate and provision additions, or note them as pending."""
        asked = list(additions)
        if (refused := self.refused(asked)) is not None:
            return refused
        if self.past is None or not self.is_running:
            return super().add(asked)
        unmet = [self._was_unmet(addition, self.past) for addition in asked]
        if not any(unmet):
            return self._add_at_once(asked)
        records = []
        for addition, has_to_wait in zip(asked, unmet, strict=True):
            records += [self._wait(addition)] if has_to_wait else self._add_at_once([addition])
        return records

    def settle_again(self, settled: Iterable[Settled]) -> None:
        """Carry out additions that have waited, or let them fail, as recorded."""
        for key, error in settled:
            one = next((one for one in self.waiting if self._key(one.addition, one.asked_ns) == key), None)
            if one is None:
                continue  # its strategy has not asked for it this time, which the comparison with the record shows
            self.waiting.remove(one)
            if error:
                self._record(failure_of(one.addition, one.needs, error))
            else:
                self._add_at_once([one.addition])

    def go_live(self) -> None:
        """End the past, and ask the feed for the additions that still wait."""
        self.past = None
        self.ask_again()

    def _add_at_once(self, additions: Sequence[Addition]) -> list[ProvisioningRecord]:
        self._supply.ask(self._unmet(additions))
        return Provisioner.add(self, additions)

    def _fetch(self, additions: Sequence[Addition]) -> None:
        if self.past is None:
            super()._fetch(additions)
        else:
            self._supply.ask(self._unmet(additions))

    def _error_of(self, symbol: str) -> str:
        return super()._error_of(symbol) if self.past is None else self._past_error(symbol, self.past)

    def _why_missing(self, plan: Plan) -> str:
        return super()._why_missing(plan) if self.past is None else self._past_error(plan.symbol, self.past)

    def _missing_of(self, one: Waiting) -> str:
        if self.past is None:
            return super()._missing_of(one)
        return self.past.missing[self._key(one.addition, one.asked_ns)]

    def _past_error(self, symbol: str, past: PastDay) -> str:
        return past.errors.get((self.context.time_manager.now_ns, symbol), "")

    def _was_unmet(self, addition: Addition, past: PastDay) -> bool:
        """Return whether an addition had to wait, or failed without waiting."""
        now_ns = self.context.time_manager.now_ns
        key = self._key(addition, now_ns)
        if key not in past.waits:
            return (now_ns, addition.symbol) in past.errors
        past.waits.remove(key)
        return True

    @staticmethod
    def _key(addition: Addition, asked_ns: int) -> Key:
        return asked_ns, addition.operation_type, addition.symbol, addition.owner or addition.source


class ResumedSource(LiveSource):
    """Source of the batches of one session, first those of its past."""

    def _batches(self, after_ns: int) -> Batches:
        day = self._day
        while day.past is not None and day.past.steps:
            if day.played_ns <= after_ns:
                self._drop_unused_symbols()
                if (broker := broker_of(day.desk)) is not None:
                    broker.take_outgoing()  # these were sent in the past, or are sent when it is over
                step = day.past.steps.popleft()
                if isinstance(step, BetweenTimes):
                    self._repeat(step)
                    yield EventBatch(after_ns)
                    continue
                day.play_again(step)
            until_ns = day.played_ns
            yield from self._part(after_ns, until_ns)
            after_ns = until_ns
        if day.past is not None:
            if day.past.has_ended:
                return
            day.go_live()
        yield from super()._batches(after_ns)

    def _repeat(self, step: BetweenTimes) -> None:
        """Repeat what happened between two times."""
        if step.closes:
            self._day.flattening.begin(self._day.desk)
        if step.trades_again:
            self._day.flattening.over()
        if step.health is not None:
            self._resources.health.reported = step.health
            tell_of_feed(self._runner, step.health, self._day.desk)
        self._call_on_revision(self._day.take_up_late(self._followed(), step.late))
        self._day.provisioner.settle_again(step.settled)
        hand_over(self._day.desk, step.broker)

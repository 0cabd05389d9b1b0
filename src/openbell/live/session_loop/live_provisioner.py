"""Provisioner of a live session, whose additions wait for the bars of a feed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from openbell.live.session_loop.one_thread_provisioner import OneThreadProvisioner
from openbell.live.session_loop.short_histories import further_days
from openbell.model.events import ProvisioningRecord
from openbell.provisioning import Plan
from openbell.provisioning.addition_sources import SOURCES
from openbell.provisioning.apply_plans import Outcome
from openbell.session.cursor import Memo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from openbell.live.incoming.bar_supply import Supply
    from openbell.live.record.feed_record import FeedRecord
    from openbell.live.session_loop.session_growth import SessionGrowth
    from openbell.provisioning import Addition, Journal, ProvisioningContext
    from openbell.provisioning.needs import Needs

__all__ = ["LiveProvisioner", "Waiting", "failed_plan", "failure_of", "pending_record"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """An addition whose bars are on their way.

    Attributes:
        addition: What was asked for.
        needs: What it needs.
        deadline_ns: When it fails, by the time outside of the session clock; nanoseconds since 1970 UTC.
        asked_ns: The session clock when it was asked for.
    """

    addition: Addition
    needs: Needs
    deadline_ns: int
    asked_ns: int


class LiveProvisioner(OneThreadProvisioner):
    """Takes additions through the same three phases when their bars have come.

    Before the session begins it waits for them. From then on an addition whose bars are not here yet is noted as
    pending, and carried out between two batches when they are; or fails with its reason at its deadline.

    Args:
        context: The session and where its data comes from.
        journal: Gets a record of everything that was asked for.
        supply: Asks the feed.
        growth: Learns what is to be computed.
        wait_for: Waits until additions to symbols can be carried out, or failed.
        look: Takes up what has arrived, without waiting.
        record: Notes what waits and what failed, to be played again.
        wait_ns: How long an addition may wait, in nanoseconds.
        now_ns: Returns the time outside of the session clock.

    Attributes:
        is_running: Whether the session has begun, so that nobody waits any more.
        waiting: The additions whose bars are on their way, in the order in which they came.
    """

    def __init__(
        self,
        context: ProvisioningContext,
        journal: Journal,
        supply: Supply,
        growth: SessionGrowth,
        wait_for: Callable[[Sequence[str]], None],
        look: Callable[[], None],
        record: FeedRecord,
        *,
        wait_ns: int,
        now_ns: Callable[[], int],
    ) -> None:
        super().__init__(context, journal)
        self._supply = supply
        self._growth = growth
        self._wait_for = wait_for
        self._look = look
        self._record_of_feed = record
        self._wait_ns = wait_ns
        self._now_ns = now_ns
        self.is_running = False
        self.waiting: list[Waiting] = []

    def add(self, additions: Iterable[Addition]) -> list[ProvisioningRecord]:
        """Analyse, validate and provision additions, or note them as pending."""
        asked = list(additions)
        if (refused := self.refused(asked)) is not None:
            return refused
        if not self.is_running:
            self._bring(asked)
            return super().add(asked)
        if any(self._is_unmet(addition) for addition in asked):
            self._ask(asked)
        self._look_further(asked)
        unmet = [self._is_unmet(addition) for addition in asked]
        if not any(unmet):
            return super().add(asked)
        records = []
        for addition, has_to_wait in zip(asked, unmet, strict=True):
            records += [self._wait(addition)] if has_to_wait else super().add([addition])
        return records

    def plan(self, additions: Iterable[Addition]) -> list[Plan]:
        """Analyse and validate additions, whose bars are waited for."""
        asked = list(additions)
        if self.is_own_thread:
            self._bring(asked)
        return super().plan(asked)

    def settle(self, now_ns: int, *, has_time: bool = True) -> list[tuple[Waiting, str]]:
        """Take the next short step of pending additions.

        Those that have waited for too long fail. If there are none, the history that has come is committed; if there is
        none, the first addition whose bars have come is carried out, or has earlier ones asked for if they are too few.

        Args:
            now_ns: The time outside of the session clock.
            has_time: Whether more may be done than to let additions fail.

        Returns:
            What is settled, with the reasons of those that failed (empty of the others).
        """
        failed = [(one, error) for one in self.waiting if (error := self._why_failed(one, now_ns))]
        for one, error in failed:
            self.waiting.remove(one)
            self._record(failure_of(one.addition, one.needs, error))
        complete = None if failed or not has_time else self._first_complete()
        if complete is None or self._supply.store_history():
            return failed
        if self._ask_further([complete.addition]):
            return failed
        self.waiting.remove(complete)
        super().add([complete.addition])
        return [(complete, "")]

    def _first_complete(self) -> Waiting | None:
        """Return the first addition whose bars have come, None when there is none."""
        return next((one for one in self.waiting if self._supply.is_complete(one.addition.symbol)), None)

    def ask_again(self) -> None:
        """Ask the feed for all that waits, which has its whole time from now on."""
        deadline_ns = self._now_ns() + self._wait_ns
        self.waiting = [replace(one, deadline_ns=deadline_ns) for one in self.waiting]
        self._ask([one.addition for one in self.waiting])

    def has_failed(self, now_ns: int) -> bool:
        """Return whether additions have waited for too long, or cannot be had."""
        return any(self._why_failed(one, now_ns) for one in self.waiting)

    @property
    def has_complete(self) -> bool:
        """Whether the bars of an addition that waits have come."""
        return self._first_complete() is not None

    @property
    def next_deadline_ns(self) -> int | None:
        """Time at which the next addition fails unless its bars come, None when none waits for bars."""
        open_ns = [one.deadline_ns for one in self.waiting if not self._supply.is_complete(one.addition.symbol)]
        return min(open_ns, default=None)

    def _planned(self, additions: Sequence[Addition]) -> list[Plan]:
        # Why the feed has not sent bars is the reason of their lack.
        return [self._explained(plan) for plan in super()._planned(additions)]

    def _explained(self, plan: Plan) -> Plan:
        reason = self._why_lacking(plan)
        if not reason:
            return plan
        self._record_of_feed.failed(self.context.time_manager.now_ns, plan.symbol, reason)
        return failed_plan(plan, reason)

    def _why_lacking(self, plan: Plan) -> str:
        """Return why a symbol's bars have not come (empty when they have)."""
        reason = self._error_of(plan.symbol)
        if not reason and plan.needs.intervals and not self._supply.is_complete(plan.symbol):
            reason = f"{plan.symbol} did not come: {self._supply.missing(plan.symbol)}"
        return reason

    def _error_of(self, symbol: str) -> str:
        """Return why a symbol cannot be had (empty while it may come)."""
        return self._supply.error(symbol)

    def _carry_out(self, plans: Sequence[Plan]) -> list[ProvisioningRecord]:
        try:
            return super()._carry_out(plans)
        finally:
            # What follows from the times of bars serves the additions of one call: in a day of additions it would grow.
            self.context.memo = Memo()

    def _needs_of(self, addition: Addition) -> Needs:
        needs = super()._needs_of(addition)
        self._growth.note(needs)
        return needs

    def _ask(self, additions: Sequence[Addition]) -> None:
        """Ask the feed for all that additions need, and take up what it answers at once."""
        if unmet := self._unmet(additions):
            self._supply.ask(unmet)
            self._look()

    def _is_unmet(self, addition: Addition) -> bool:
        """Return whether bars of an addition were never asked for, or have not all come."""
        symbol, needs = addition.symbol, self._needs_of(addition)
        if self._supply.unmet(symbol, needs, self.context):
            return True
        return bool(needs.intervals) and not self._supply.is_complete(symbol)

    def _bring(self, additions: Sequence[Addition]) -> None:
        """Ask the feed for all that additions need, and wait for it."""
        if unmet := self._unmet(additions):
            self._supply.ask(unmet)
            self._wait_for(list(unmet))
            self._supply.store_history()
        while further := self._ask_further(additions):
            self._wait_for(further)
            self._supply.store_history()

    def _look_further(self, additions: Sequence[Addition]) -> None:
        """Commit the bars that have come, and ask for earlier ones as long as that is answered at once."""
        while not any(self._is_unmet(addition) for addition in additions):
            self._supply.store_history()
            if not self._ask_further(additions):
                return
            self._look()

    def _ask_further(self, additions: Sequence[Addition]) -> list[str]:
        """Ask for earlier bars where those that have come are too few, because some are missing.

        Returns:
            The symbols that they are asked of.
        """
        if self._supply.is_paused:
            return []
        complete = [one for one in additions if self._supply.is_complete(one.symbol)]
        further = further_days([(one.symbol, self._needs_of(one)) for one in complete], self._supply, self.context)
        if further:
            self._supply.ask(further, further=True)
        return list(further)

    def _unmet(self, additions: Iterable[Addition]) -> dict[str, dict[str, date]]:
        """Return from which days on bars are to be asked for, by symbol and interval."""
        unmet: dict[str, dict[str, date]] = {}
        for addition in additions:
            symbol = addition.symbol
            found = self._supply.unmet(symbol, self._needs_of(addition), self.context)
            if found and (refusal := self._supply.refusal(symbol)):
                self._supply.refuse(symbol, refusal)
            elif found:
                held = unmet.setdefault(symbol, {})
                for name, day in found.items():
                    held[name] = min(day, held.get(name, day))
        return unmet

    def _wait(self, addition: Addition) -> ProvisioningRecord:
        """Ask the feed for what an addition needs, and note it as pending."""
        symbol, needs = addition.symbol, self._needs_of(addition)
        asked_ns = self.context.time_manager.now_ns
        if error := self._error_of(symbol):
            self._record_of_feed.failed(asked_ns, symbol, error)
            return self._record(failure_of(addition, needs, error))
        one = Waiting(addition, needs, self._now_ns() + self._wait_ns, asked_ns)
        self.waiting.append(one)
        missing = self._missing_of(one)
        self._record_of_feed.waiting(one, missing)
        record = pending_record(addition, needs, self.context, missing)
        self.journal.append(record)
        return record

    def _missing_of(self, one: Waiting) -> str:
        """Return what is missing of an addition that waits from now on, for people."""
        return self._supply.missing(one.addition.symbol)

    def _why_failed(self, one: Waiting, now_ns: int) -> str:
        symbol = one.addition.symbol
        if error := self._supply.error(symbol):
            return error
        if now_ns < one.deadline_ns or self._supply.is_complete(symbol):
            return ""
        return f"{symbol} did not come within {self._wait_ns / 1e9:g} seconds: {self._supply.missing(symbol)}"


def pending_record(
    addition: Addition, needs: Needs, context: ProvisioningContext, missing: str = ""
) -> ProvisioningRecord:
    """Return the record of an addition that is neither there nor refused yet, with what is missing."""
    return ProvisioningRecord(
        time_ns=context.time_manager.now_ns,
        zone=context.time_manager.timezone,
        operation_type=addition.operation_type,
        source=addition.source,
        owner=addition.owner or addition.source,
        symbol=addition.symbol,
        required_intervals=tuple(needs.intervals),
        asked=needs.asked,
        ok=False,
        warnings=(f"its bars are on their way{': ' * bool(missing)}{missing}",),
        reason=_reason(addition, needs),
    )


def failed_plan(plan: Plan, error: str) -> Plan:
    """Return a plan as one that cannot be carried out."""
    return replace(plan, proof=replace(plan.proof, errors=(error,)), steps=())


def failure_of(addition: Addition, needs: Needs, error: str) -> Outcome:
    """Return the outcome of an addition that was not even planned."""
    return Outcome(Plan(addition, needs, reason=_reason(addition, needs)), (error,))


def _reason(addition: Addition, needs: Needs) -> str:
    return needs.reason or SOURCES.get(addition.source).asks

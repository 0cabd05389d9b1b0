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
        addition: The addition.
        needs: The needs of the addition.
        deadline_ns: When it fails, by the time outside of the session clock, nanoseconds since 1970 UTC.
        asked_ns: The session clock when it was requested.
    """

    addition: Addition
    needs: Needs
    deadline_ns: int
    asked_ns: int


class LiveProvisioner(OneThreadProvisioner):
    """Carries out additions, in the same phases as a backtest, once their bars have come from the feed.

    Before the session begins, it waits for the bars. After that, an addition whose bars have not all come is recorded
    as pending. It is carried out between two batches when they have come, or fails at its deadline.

    Args:
        context: The session and where its data comes from.
        journal: Receives the record of each addition and removal.
        supply: Requests bars from the feed.
        growth: Is notified of the indicators that are to be computed.
        wait_for: Waits until all requests of symbols are answered or have failed.
        look: Handles all events that have arrived, without waiting.
        record: Records the additions that wait or fail, for a resumed run.
        wait_ns: How long an addition may wait, in nanoseconds.
        now_ns: Returns the time outside of the session clock.

    Attributes:
        is_running: Whether the session has begun, so that additions no longer wait within `add`.
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
            self._fetch(asked)
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
        """Wait for the bars of additions, then analyse and validate the additions."""
        asked = list(additions)
        if self.is_own_thread:
            self._fetch(asked)
        return super().plan(asked)

    def settle(self, now_ns: int, *, has_time: bool = True) -> list[tuple[Waiting, str]]:
        """Take one short step with the pending additions.

        Those that have waited for too long fail. If there are none, the history that has come is committed; if there is
        none, the first addition whose bars have come is carried out, or has earlier ones asked for if they are too few.

        Args:
            now_ns: The time outside of the session clock.
            has_time: Whether there is time for more than to let additions fail.

        Returns:
            The additions that were settled, each with the error if it failed, else an empty text.
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
        """Request the bars of all pending additions, whose time to wait begins anew."""
        deadline_ns = self._now_ns() + self._wait_ns
        self.waiting = [replace(one, deadline_ns=deadline_ns) for one in self.waiting]
        self._ask([one.addition for one in self.waiting])

    def has_failed(self, now_ns: int) -> bool:
        """Return whether additions have waited for too long, or their symbols are unavailable."""
        return any(self._why_failed(one, now_ns) for one in self.waiting)

    @property
    def has_complete(self) -> bool:
        """Whether the bars of a pending addition have come."""
        return self._first_complete() is not None

    @property
    def next_deadline_ns(self) -> int | None:
        """Earliest deadline of the pending additions whose bars have not come, None without any."""
        open_ns = [one.deadline_ns for one in self.waiting if not self._supply.is_complete(one.addition.symbol)]
        return min(open_ns, default=None)

    def _planned(self, additions: Sequence[Addition]) -> list[Plan]:
        # If the feed has not sent the bars, that is the error to report, not that the store does not have them.
        return [self._explained(plan) for plan in super()._planned(additions)]

    def _explained(self, plan: Plan) -> Plan:
        reason = self._why_missing(plan)
        if not reason:
            return plan
        self._record_of_feed.failed(self.context.time_manager.now_ns, plan.symbol, reason)
        return failed_plan(plan, reason)

    def _why_missing(self, plan: Plan) -> str:
        """Return why a symbol's bars have not come (empty when they have)."""
        reason = self._error_of(plan.symbol)
        if not reason and plan.needs.intervals and not self._supply.is_complete(plan.symbol):
            reason = f"{plan.symbol} did not come: {self._supply.missing(plan.symbol)}"
        return reason

    def _error_of(self, symbol: str) -> str:
        """Return why a symbol is unavailable (empty while its bars may come)."""
        return self._supply.error(symbol)

    def _carry_out(self, plans: Sequence[Plan]) -> list[ProvisioningRecord]:
        try:
            return super()._carry_out(plans)
        finally:
            # Results by the times of bars serve the additions of one call only: kept for a day, they would pile up.
            self.context.memo = Memo()

    def _needs_of(self, addition: Addition) -> Needs:
        needs = super()._needs_of(addition)
        self._growth.note(needs)
        return needs

    def _ask(self, additions: Sequence[Addition]) -> None:
        """Request the bars that additions need, and handle the answers that come at once."""
        if unmet := self._unmet(additions):
            self._supply.ask(unmet)
            self._look()

    def _is_unmet(self, addition: Addition) -> bool:
        """Return whether bars that an addition needs were never requested, or have not all come."""
        symbol, needs = addition.symbol, self._needs_of(addition)
        if self._supply.unmet(symbol, needs, self.context):
            return True
        return bool(needs.intervals) and not self._supply.is_complete(symbol)

    def _fetch(self, additions: Sequence[Addition]) -> None:
        """Request the bars that additions need, and wait for them."""
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
        """Return, by symbol and interval, the first days of the bars that are to be requested."""
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
        """Record an addition as pending, or as failed if its symbol is unavailable."""
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
        """Return a text that says what is missing of an addition that begins to wait."""
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
    """Return the record of a pending addition, with a warning that says what is missing."""
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
    """Return a plan with an error in place of its steps."""
    return replace(plan, proof=replace(plan.proof, errors=(error,)), steps=())


def failure_of(addition: Addition, needs: Needs, error: str) -> Outcome:
    """Return the outcome of an addition that was not even planned."""
    return Outcome(Plan(addition, needs, reason=_reason(addition, needs)), (error,))


def _reason(addition: Addition, needs: Needs) -> str:
    return needs.reason or SOURCES.get(addition.source).asks

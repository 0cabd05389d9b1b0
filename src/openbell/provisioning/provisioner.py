"""Provisioner of one session, which takes additions through three phases under one lock."""

from __future__ import annotations

from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

from openbell.errors import OpenbellError
from openbell.model.events import ProvisioningRecord
from openbell.model.frozen import quick_replace, quick_row_maker
from openbell.model.symbol import checked_symbol
from openbell.provisioning.addition_plans import planned
from openbell.provisioning.analysis import analyze
from openbell.provisioning.apply_plans import Outcome, OwnerCache, blocks_of_new, carry_out, create, is_less_than_needed
from openbell.provisioning.journal import Journal, Refusals
from openbell.provisioning.needs import Addition, Needs
from openbell.provisioning.removal import (
    locks_without,
    owners_left,
    refusal_to_remove,
    refusal_to_unlock,
    without_declared,
    without_owner,
)
from openbell.provisioning.steps import Plan
from openbell.provisioning.validation import Proof, validate
from openbell.session.data import publish
from openbell.session.symbol import Owner, SymbolSessionData

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from openbell.config import IndicatorConfig
    from openbell.provisioning.context import ProvisioningContext

__all__ = ["Provisioner"]

_replaced = quick_replace(SymbolSessionData)
_record_of = quick_row_maker(ProvisioningRecord)


class Provisioner:
    """Changes one session, and is the only one that does.

    Args:
        context: The session and where its data comes from.
        journal: Gets a record of everything that was asked for.

    Attributes:
        holds: Returns why a symbol may not leave the session, such as an open position (empty when it may).
    """

    def __init__(self, context: ProvisioningContext, journal: Journal) -> None:
        self.context = context
        self.journal = journal
        self._refusals = Refusals()
        self.holds: Callable[[str], str] = _nothing_holds

    def provision(self, additions: Iterable[Addition]) -> list[bool]:
        """Analyse, validate and provision additions.

        Returns:
            Per addition, whether all that it asked for is there now.

        Raises:
            ConfigError: As for `add`.
        """
        return [record.ok for record in self.add(additions)]

    def add(self, additions: Iterable[Addition]) -> list[ProvisioningRecord]:
        """Analyse, validate and provision additions.

        Each succeeds or fails by itself. Additions to distinct symbols are read from the store together, in one scan
        per interval.

        Returns:
            The record of each in the journal.

        Raises:
            ConfigError: An unknown operation, source or indicator, or an invalid detail; nothing was done.
            SessionOverError: The session is over; nothing was done, nor is it in the journal.
        """
        asked = list(additions)
        records: dict[int, ProvisioningRecord] = {}
        with self._open():
            self.context.refresh()
            batches = _batches(asked)
            for place in (place for places in batches[1:] for place in places):
                self._needs_of(asked[place])  # an invalid one is reported before any is carried out
            for places in batches:
                plans = self._planned([asked[place] for place in places])
                records.update(zip(places, self._carry_out(plans), strict=True))
        return [records[place] for place in range(len(asked))]

    def plan(self, additions: Iterable[Addition]) -> list[Plan]:
        """Analyse and validate additions to distinct symbols without provisioning any.

        Raises:
            ConfigError: As for `provision`.
        """
        with self._open():
            self.context.refresh()
            return self._planned(list(additions))

    def prove(self, addition: Addition) -> tuple[Needs, Proof]:
        """Analyse and validate an addition, even if everything is there already.

        Raises:
            ConfigError: As for `provision`.
        """
        with self._open():
            self.context.refresh()
            needs = self._needs_of(addition)
            return needs, validate([addition], needs, self.context)[0]

    def execute(self, plans: Sequence[Plan]) -> list[bool]:
        """Carry out and journal plans of distinct symbols, refusing those with errors."""
        with self._open():
            self.context.refresh()  # the plans may be older than the last import
            return [record.ok for record in self._carry_out(plans)]

    def refusal_of(self, symbol: str, what: str) -> str:
        """Return who was refused an interval or an indicator, when and why (empty when nobody was)."""
        return self._refusals.of(symbol, what)

    def add_symbol(self, symbol: str, *, source: str, owner: str = "") -> bool:
        """Add a full symbol or upgrade an ad hoc one, and return whether it is full now."""
        return self.provision([Addition("symbol", symbol, source, owner)])[0]

    def add_indicator(self, symbol: str, indicator_config: IndicatorConfig, *, source: str, owner: str = "") -> bool:
        """Add an indicator with the bars and the warm-up that it needs, and return whether it is there now."""
        details = {"indicator_config": indicator_config}
        return self.provision([Addition("indicator", symbol, source, owner, details)])[0]

    def add_bar(
        self, symbol: str, interval: str, *, days: int = 0, bars: int = 0, source: str, owner: str = ""
    ) -> bool:
        """Add a bar interval with ``days`` sessions or ``bars`` bars of history, whichever reaches further back.

        Returns:
            Whether it is there now.
        """
        details = {"interval": interval, "days": days, "bars": bars}
        return self.provision([Addition("bar", symbol, source, owner, details)])[0]

    def remove_symbols(self, symbols: Iterable[str], *, source: str, owner: str = "") -> list[bool]:
        """Remove all that only ``owner`` needs of the symbols, at once.

        What others need stays, and so do symbols that are locked or held.

        Returns:
            Per distinct symbol, whether it was done; if not, the journal has the reason.
        """
        owner = owner or source
        changed: dict[str, SymbolSessionData] = {}
        removed, results = [], []
        with self._open():
            for symbol in dict.fromkeys(map(checked_symbol, symbols)):
                remaining = None
                data = self.context.session_data.get_symbol_data(symbol)
                refusal = refusal_to_remove(data, symbol, owner) or self._reason_to_stay(symbol)
                if data is not None and not refusal:
                    remaining = without_owner(data, owner)
                    if remaining is None:
                        removed.append(symbol)
                    else:
                        changed[symbol] = remaining.finished()
                reason = f"{owner} no longer needs it{owners_left(remaining)}"
                self._record_change("remove", symbol, source, owner, refusal, reason)
                results.append(refusal is None)
            if changed or removed:
                publish(self.context.session_data, changed, removed)
        return results

    def end_declared(self, still: Mapping[str, Collection[str]], *, source: str, owner: str) -> list[str]:
        """Remove what only ended subscriptions and requirements of ``owner`` needed.

        Args:
            still: Per symbol with ended ones, the intervals and indicators that it still declares.
            source: The kind of owner.
            owner: The strategy.

        Returns:
            The symbols for which that is done; the others are locked or held.
        """
        changed: dict[str, SymbolSessionData] = {}
        removed, done = [], []
        with self._open():
            for symbol, needed in still.items():
                data = self.context.session_data.get_symbol_data(symbol)
                if data is not None and (data.locks or self.holds(symbol)):
                    continue
                done.append(symbol)
                remaining = None if data is None else without_declared(data, owner, needed)
                if data is None or (remaining and remaining.owners == data.owners):
                    continue
                if remaining:
                    changed[symbol] = remaining.finished()
                else:
                    removed.append(symbol)
                reason = f"{owner} no longer subscribes to it or requires it{owners_left(remaining)}"
                self._record_change("remove", symbol, source, owner, None, reason)
            if changed or removed:
                publish(self.context.session_data, changed, removed)
        return done

    def lock_symbol(self, symbol: str, *, reason: str, source: str, owner: str = "") -> bool:
        """Forbid the removal of a symbol until ``owner`` unlocks it.

        Every owner has a lock of its own; a second one of the same owner replaces its first.

        Returns:
            False when the symbol is not in the session.
        """
        owner = owner or source
        with self._open():
            data = self.context.session_data.get_symbol_data(checked_symbol(symbol))
            refusal = None if data else f"{symbol} is not in the session"
            if data is not None:
                self._publish_locks(data, {**data.locks, Owner(owner, source): reason})
            self._record_change("lock", symbol, source, owner, refusal, reason)
            return refusal is None

    def unlock_symbol(self, symbol: str, *, source: str, owner: str = "") -> bool:
        """Give up the lock of ``owner`` on a symbol, or all locks of a source.

        Returns:
            Whether ``owner`` had one; if not, the journal has the reason.
        """
        owner = owner or source
        with self._open():
            data = self.context.session_data.get_symbol_data(checked_symbol(symbol))
            refusal = refusal_to_unlock(data, symbol, owner)
            if data is not None and not refusal:
                self._publish_locks(data, locks_without(data.locks, owner))
            self._record_change("unlock", symbol, source, owner, refusal, f"{owner} no longer locks it")
            return refusal is None

    def _reason_to_stay(self, symbol: str) -> str | None:
        reason = self.holds(symbol)
        return f"{symbol} stays: {reason}" if reason else None

    @contextmanager
    def _open(self) -> Iterator[None]:
        """Hold the operation lock of the session.

        Raises:
            SessionOverError: The session is over.
        """
        session_data = self.context.session_data
        with session_data.operation_lock:
            session_data.require_open()
            yield

    def _publish_locks(self, data: SymbolSessionData, locks: dict[str, str]) -> None:
        # Not by a draft, which would copy everything else, and make series and indicators that nobody has read.
        publish(self.context.session_data, {data.symbol: _replaced(data, {"locks": MappingProxyType(locks)})})

    def _needs_of(self, addition: Addition) -> Needs:
        """Analyse an addition, and journal an error before it is raised."""
        try:
            return analyze(addition, self.context)
        except Exception as error:
            text = str(error) if isinstance(error, OpenbellError) else f"{type(error).__name__}: {error}"
            self._record(Outcome(Plan(addition, Needs()), (text,)))
            raise

    def _planned(self, additions: Sequence[Addition]) -> list[Plan]:
        """Plan additions to distinct symbols, with one read of the store for all of them."""
        return planned([(addition, self._needs_of(addition)) for addition in additions], self.context)

    def _carry_out(self, plans: Sequence[Plan]) -> list[ProvisioningRecord]:
        """Carry out plans, publish in one swap all that succeeded, and journal each."""
        done: dict[int, tuple[Outcome, SymbolSessionData | None]] = {}
        for places in blocks_of_new(plans, self.context):
            done.update(zip(places, create([plans[place] for place in places], self.context), strict=True))
        owner_cache = OwnerCache()
        for place, plan in enumerate(plans):
            if place not in done:
                done[place] = self._changed(plan, owner_cache)
        finished = {plan.symbol: made for place, plan in enumerate(plans) if (made := done[place][1]) is not None}
        if finished:
            publish(self.context.session_data, finished)
        return [self._record(done[place][0]) for place in range(len(plans))]

    def _changed(self, plan: Plan, owner_cache: OwnerCache) -> tuple[Outcome, SymbolSessionData | None]:
        """Carry out a plan that changes one symbol, and return it if it is to be published."""
        if plan.proof.errors:
            return Outcome(plan, plan.proof.errors), None
        existing = self.context.session_data.get_symbol_data(plan.symbol)
        is_there = existing is not None and not plan.steps and plan.day == self.context.day
        if existing is not None and is_there and not is_less_than_needed(existing, plan, was_there=True):
            return Outcome(plan), owner_cache.noted(existing, plan)
        outcome, draft = carry_out(plan, self.context)
        return outcome, None if draft is None else draft.finished()

    def _record(self, outcome: Outcome) -> ProvisioningRecord:
        plan, addition, tm = outcome.plan, outcome.plan.addition, self.context.time_manager
        needs, errors, owner = plan.needs, outcome.errors, addition.owner or addition.source
        record = _record_of(
            tm.now_ns, tm.timezone, addition.operation_type, addition.source, owner, addition.symbol,
            tuple(needs.intervals), needs.asked, tuple(outcome.steps), not errors, errors, plan.proof.warnings,
            plan.reason,
        )  # fmt: skip
        self.journal.append(record)
        self._refusals.note(record, needs)
        return record

    def _record_change(
        self, operation: str, symbol: str, source: str, owner: str, refusal: str | None, reason: str
    ) -> None:
        self.journal.append(
            ProvisioningRecord(
                time_ns=self.context.time_manager.now_ns,
                zone=self.context.time_manager.timezone,
                operation_type=operation,
                source=source,
                owner=owner,
                symbol=symbol,
                ok=not refusal,
                errors=(refusal,) if refusal else (),
                reason=reason,
            )
        )


def _nothing_holds(symbol: str) -> str:
    del symbol
    return ""


def _batches(additions: Sequence[Addition]) -> list[list[int]]:
    """Return the indices of additions in batches in which each symbol occurs once."""
    # A second addition to a symbol builds on the first.
    batches: list[list[int]] = []
    times_seen: dict[str, int] = {}
    for place, addition in enumerate(additions):
        batch = times_seen.get(addition.symbol, 0)
        times_seen[addition.symbol] = batch + 1
        if batch == len(batches):
            batches.append([])
        batches[batch].append(place)
    return batches

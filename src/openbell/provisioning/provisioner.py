"""`Provisioner`: takes additions, one or many, through the three phases under one lock, and journals each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.errors import OpenbellError
from openbell.model.events import ProvisioningRecord
from openbell.provisioning.analysis import is_there, prove, requirements_of
from openbell.provisioning.executor import Outcome, execute
from openbell.provisioning.history import prefetch
from openbell.provisioning.removal import refusal_to_remove, refusal_to_unlock, without_owner
from openbell.provisioning.requirements import Addition, ProvisioningRequirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openbell.config import IndicatorConfig
    from openbell.provisioning.context import ProvisioningContext
    from openbell.provisioning.journal import Journal
    from openbell.session.symbol import SymbolSessionData

__all__ = ["Provisioner"]


class Provisioner:
    """Changes one session, and is the only one that does.

    Args:
        context: The session and where its data comes from.
        journal: Gets a record of everything that was asked for.
    """

    def __init__(self, context: ProvisioningContext, journal: Journal) -> None:
        self.context = context
        self.journal = journal
        self._lock = context.session_data._symbol_operation_lock  # noqa: SLF001 -- the seed's name

    def provision(self, additions: Iterable[Addition]) -> list[bool]:
        """Analyse, validate and provision additions; each succeeds or fails by itself.

        Additions to distinct symbols are read from the store together, in one scan per interval.

        Returns:
            Per addition, whether all that it asked for is there now.

        Raises:
            ConfigError: An unknown operation, source or indicator, or a detail that cannot be; nothing was done.
        """
        asked = list(additions)
        results = [False] * len(asked)
        with self._lock:
            self.context.refresh()
            turns = _turns(asked)
            for place in (place for places in turns[1:] for place in places):
                self._requirements_of(asked[place])  # so that one which cannot be is told before any is carried out
            for places in turns:
                reqs = [self._requirements_of(asked[place]) for place in places]
                lacking = [req for req in reqs if not is_there(req, self.context)]
                if len(lacking) > 1:
                    prefetch(((r.symbol, need) for r in lacking for need in r.intervals.values()), self.context)
                for req in lacking:
                    prove(req, self.context)
                for place, ok in zip(places, self._carry_out(reqs), strict=True):
                    results[place] = ok
        return results

    def execute(self, reqs: Sequence[ProvisioningRequirements]) -> list[bool]:
        """Carry out analysed requirements of distinct symbols and journal them; those with errors are refused."""
        with self._lock:
            self.context.refresh()  # they may have been analysed by another look at the store
            return self._carry_out(reqs)

    def _carry_out(self, reqs: Sequence[ProvisioningRequirements]) -> list[bool]:
        feasible = {id(req): req for req in reqs if not req.validation_errors}
        done = {id(o.req): o for o in execute(list(feasible.values()), self.context)}
        outcomes = [done.get(id(req)) or Outcome(req, error="; ".join(req.validation_errors)) for req in reqs]
        for outcome in outcomes:
            self._record(outcome)
        return [outcome.ok for outcome in outcomes]

    def add_symbol(self, symbol: str, *, source: str, owner: str = "") -> bool:
        """Add a symbol with all that the config asks of every symbol; an ad-hoc one is upgraded."""
        return self.provision([Addition("symbol", symbol, source, owner)])[0]

    def add_indicator(self, symbol: str, indicator_config: IndicatorConfig, *, source: str, owner: str = "") -> bool:
        """Add an indicator, with the bars and the warm-up that it needs."""
        details = {"indicator_config": indicator_config}
        return self.provision([Addition("indicator", symbol, source, owner, details)])[0]

    def add_bar(self, symbol: str, interval: str, *, days: int = 0, source: str, owner: str = "") -> bool:
        """Add a bar interval with ``days`` sessions of history."""
        details = {"interval": interval, "days": days}
        return self.provision([Addition("bar", symbol, source, owner, details)])[0]

    def remove_symbols(self, symbols: Iterable[str], *, source: str, owner: str = "") -> list[bool]:
        """Take back what ``owner`` needed of the symbols, all at once; what others need and what is locked stays.

        Returns:
            Per symbol, whether anything was taken back.
        """
        owner = owner or source
        changed: dict[str, SymbolSessionData] = {}
        removed, results = [], []
        with self._lock:
            for symbol in dict.fromkeys(symbols):
                data = self.context.session_data.get_symbol_data(symbol)
                refusal = refusal_to_remove(data, symbol, owner)
                if data is not None and not refusal:
                    kept = without_owner(data, owner)
                    if kept is None:
                        removed.append(symbol)
                    else:
                        changed[symbol] = kept
                self._record_change("remove", symbol, source, owner, refusal, f"{owner} no longer needs it")
                results.append(refusal is None)
            if changed or removed:
                self.context.session_data.publish(changed, removed)
        return results

    def lock_symbol(self, symbol: str, *, reason: str, source: str, owner: str = "") -> bool:
        """Forbid the removal of a symbol until ``owner`` unlocks it; False when it is not in the session.

        Every owner has a lock of its own; a second one of the same owner takes the place of its first.
        """
        owner = owner or source
        with self._lock:
            data = self.context.session_data.get_symbol_data(symbol)
            refusal = None if data else f"{symbol} is not in the session"
            if data is not None:
                self._publish_locks(data, {**data.locks, owner: reason})
            self._record_change("lock", symbol, source, owner, refusal, reason)
            return refusal is None

    def unlock_symbol(self, symbol: str, *, source: str, owner: str = "") -> bool:
        """Give up the lock of ``owner``; the locks of others stay.

        Returns:
            Whether ``owner`` had one; the journal says why not.
        """
        owner = owner or source
        with self._lock:
            data = self.context.session_data.get_symbol_data(symbol)
            refusal = refusal_to_unlock(data, symbol, owner)
            if data is not None and not refusal:
                self._publish_locks(data, {name: why for name, why in data.locks.items() if name != owner})
            self._record_change("unlock", symbol, source, owner, refusal, f"{owner} no longer locks it")
            return refusal is None

    def _publish_locks(self, data: SymbolSessionData, locks: dict[str, str]) -> None:
        draft = data.copy()
        draft.locks = locks
        self.context.session_data.publish({data.symbol: draft})

    def _requirements_of(self, addition: Addition) -> ProvisioningRequirements:
        try:
            return requirements_of(addition, self.context)
        except Exception as error:
            told = str(error) if isinstance(error, OpenbellError) else f"{type(error).__name__}: {error}"
            refused = ProvisioningRequirements(
                symbol=addition.symbol, operation_type=addition.operation_type, source=addition.source,
                owner=addition.owner, validation_errors=[told],
            )  # fmt: skip
            self._record(Outcome(refused, error=told))
            raise

    def _record(self, outcome: Outcome) -> None:
        req = outcome.req
        self.journal.append(
            ProvisioningRecord(
                time_ns=self.context.time_manager.now_ns,
                zone=self.context.time_manager.timezone,
                operation_type=req.operation_type,
                source=req.source,
                owner=req.owner or req.source,
                symbol=req.symbol,
                required_intervals=tuple(req.required_intervals),
                steps=tuple(outcome.steps),
                ok=outcome.ok,
                errors=tuple(req.validation_errors) or ((outcome.error,) if outcome.error else ()),
                warnings=tuple(req.warnings),
                reason=req.reason,
            )
        )

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


def _turns(additions: Sequence[Addition]) -> list[list[int]]:
    """The places of the additions in batches in which each symbol stands once: a second one builds on the first."""
    batches: list[list[int]] = []
    turns: dict[str, int] = {}
    for place, addition in enumerate(additions):
        turn = turns.get(addition.symbol, 0)
        turns[addition.symbol] = turn + 1
        if turn == len(batches):
            batches.append([])
        batches[turn].append(place)
    return batches

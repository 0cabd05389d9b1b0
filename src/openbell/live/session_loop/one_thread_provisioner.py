"""Provisioner that refuses additions from other threads than the session's."""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING

from openbell.provisioning import Plan, Provisioner
from openbell.provisioning.apply_plans import Outcome
from openbell.provisioning.validation import Proof

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openbell.model.events import ProvisioningRecord
    from openbell.provisioning import Addition, Journal, ProvisioningContext

__all__ = ["OneThreadProvisioner"]

_REASON = (
    "it was asked for in another thread than the session's. A live session is recorded in its own order, which such an "
    "addition has no place in: let the thread leave what it wants in a list, and add that in on_bar or a scan"
)


class OneThreadProvisioner(Provisioner):
    """Refuses additions from other threads, since the feed and the record belong to the session's thread.

    Args:
        context: The session and where its data comes from.
        journal: Receives the record of each addition and removal.
    """

    def __init__(self, context: ProvisioningContext, journal: Journal) -> None:
        super().__init__(context, journal)
        self._thread = get_ident()

    @property
    def is_own_thread(self) -> bool:
        """Whether this is the session's thread."""
        return get_ident() == self._thread

    def refused(self, additions: Iterable[Addition]) -> list[ProvisioningRecord] | None:
        """Refuse additions if this is another thread than the session's.

        Returns:
            The records of the refused additions, None on the session's thread.
        """
        if self.is_own_thread:
            return None
        with self._open():
            return [self._record(Outcome(plan, plan.proof.errors)) for plan in self._refused_plans(additions)]

    def plan(self, additions: Iterable[Addition]) -> list[Plan]:
        """Analyse and validate additions, or refuse them on another thread than the session's."""
        return super().plan(additions) if self.is_own_thread else self._refused_plans(additions)

    def _refused_plans(self, additions: Iterable[Addition]) -> list[Plan]:
        # Not by `_needs_of` of a subclass, which would note the needs in the session as well.
        return [Plan(one, super(OneThreadProvisioner, self)._needs_of(one), Proof((_REASON,))) for one in additions]
